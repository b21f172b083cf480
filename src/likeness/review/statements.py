"""What may people state? A reason, criteria, an authority: some text on one line."""

import unicodedata

from likeness.errors import InvalidRequest

LONGEST_STATEMENT = 2000
# Control characters, halves of a character, and what breaks a line.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


def checked_statement(text: str, what: str) -> str:
    """Give a text that can be kept.

    Raises:
        InvalidRequest: it is blank, too long, or holds a control character.
    """
    if not text.strip() or len(text) > LONGEST_STATEMENT:
        raise InvalidRequest(
            f"{what} of 1 to {LONGEST_STATEMENT} characters was expected, {len(text)} came: state"
            " it in a sentence or two"
        )
    for place, character in enumerate(text, 1):
        if unicodedata.category(character) in _FORBIDDEN:
            raise InvalidRequest(
                f"{what} holds no control character, and character {place} is"
                f" U+{ord(character):04X}: remove it"
            )
    return text
