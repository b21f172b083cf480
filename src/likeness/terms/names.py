"""What collections, subjects and references may be called: anything that fits on one line.

One name can be written down in several ways in Unicode: `ü` is one character, or a `u` and a mark.
Files from a Mac have the latter, keyboards give the former. Names are kept composed (NFC), and
found however they are spelt. Likeness 0.1.0 kept them as they came, so the same name may be in a
collection in two spellings; which of these is meant, the one that comes says.
"""

from unicodedata import category, normalize

from likeness.errors import InvalidRequest

LONGEST_NAME = 255
# Control characters, halves of a character, and what breaks a line.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
# Characters that no name and no path has more of. To put many marks in order takes time that grows
# with the square of their number.
_LONGEST_SPELT = 4096


def composed(name: str) -> str:
    """Give a name in the spelling in which it is kept (NFC); one that is too long as it came."""
    return normalize("NFC", name) if _has_spellings(name) else name


def spellings(name: str) -> tuple[str, ...]:
    """Give the spellings under which a name may have been kept: as it came, NFC, NFD."""
    if not _has_spellings(name):
        return (name,)
    return tuple(dict.fromkeys((name, normalize("NFC", name), normalize("NFD", name))))


def _has_spellings(name: str) -> bool:
    return not name.isascii() and len(name) <= _LONGEST_SPELT


def checked_name(name: str, what: str) -> str:
    """Give a name in the spelling in which it is kept.

    Raises:
        InvalidRequest: it is empty or too long, or holds a control character.
    """
    return checked_text(composed(name), what)


def checked_text(text: str, what: str, *, shortest: int = 1, longest: int = LONGEST_NAME) -> str:
    """Give text of one line as it came.

    Raises:
        InvalidRequest: it is too short or too long, or holds a control character.
    """
    if not shortest <= len(text) <= longest:
        raise InvalidRequest(
            f"{what} has {len(text)} characters, not {shortest} to {longest}. Choose another."
        )
    for place, character in enumerate(text, 1):
        if category(character) in _FORBIDDEN:
            raise InvalidRequest(
                f"{what} holds a control character, U+{ord(character):04X}, as character {place}."
                " Remove it."
            )
    return text
