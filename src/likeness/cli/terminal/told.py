"""What a command has told: its JSON document, and the last line on stderr."""

from contextvars import ContextVar

DOCUMENT: ContextVar[bool] = ContextVar("whether the JSON document is printed", default=False)
LINE: ContextVar[str] = ContextVar("the last line on stderr", default="")
