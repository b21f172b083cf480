"""Report cards: what a report found, or what NIST published, signed for anybody to check."""
