"""What may a collection or a subject be called? Anything that fits on one line."""

import unicodedata

from likeness.errors import InvalidRequest

LONGEST_NAME = 255
# Control characters, halves of a character, and what breaks a line.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


def checked_name(name: str, what: str, *, shortest: int = 1, longest: int = LONGEST_NAME) -> str:
    """Give a name that can be kept; two names are the same only where every character is.

    Raises:
        InvalidRequest: it is too short or too long, or holds a control character.
    """
    if not shortest <= len(name) <= longest:
        raise InvalidRequest(
            f"{what} has {shortest} to {longest} characters, one of {len(name)} came: choose"
            " another"
        )
    for place, character in enumerate(name, 1):
        if unicodedata.category(character) in _FORBIDDEN:
            raise InvalidRequest(
                f"{what} holds no control character, and character {place} is"
                f" U+{ord(character):04X}: remove it"
            )
    return name
