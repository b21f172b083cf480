"""What to say of an option or an argument that is not as it must be, in our words."""

from typing import Any

import typer
from pydantic import ValidationError

_EXPECTED = {
    "uuid_parsing": "an id such as 0bb263d5-115c-49d9-8c2a-850a6d4f1755",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_parsing": "a number",
    "finite_number": "a number",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
_QUOTE = "'"
_NO_CHOICE = " is not one of "
_NO_DATE = " does not match the formats "


def misused(error: typer.TyperException) -> str:
    """Say what was expected and what came."""
    cause = error.__cause__
    if isinstance(error, typer.BadParameter) and isinstance(cause, ValidationError):
        first = cause.errors(include_url=False)[0]
        expected = _expected(first["type"], first["msg"], first.get("ctx", {}))
        if expected is not None and error.param is not None:
            place = error.param.get_error_hint().strip("'")
            return f"{place} was expected to be {expected}, and {first['input']!r} came"
    return error.format_message().rstrip(".")


def _expected(kind: str, message: str, limits: dict[str, Any]) -> str | None:
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**limits)
    if _NO_CHOICE in message:
        choices = message.rpartition(_NO_CHOICE)[2]
        return f"one of {choices.rstrip('.').replace(_QUOTE, '')}"
    if _NO_DATE in message:
        return "a day such as 2027-01-31"
    return None
