"""How is text that others chose put into a CSV file of ours? So that no spreadsheet computes it."""

# What begins a formula (OWASP, "CSV injection").
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")


def as_text(value: str) -> str:
    """Put an apostrophe before what a spreadsheet takes for a formula; it shows the text then."""
    return f"'{value}" if value.startswith(_COMPUTED) else value
