"""Where the faces are, and what their templates are."""
