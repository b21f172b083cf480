"""Clips at the command line: which are meant, who is seen when, and copies with boxes drawn."""
