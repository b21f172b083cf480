"""Pictures and clips made safe to share: what is hidden in them, for whom, and why."""
