"""Pictures on pages: small copies without metadata, and what is drawn over them.

A page holds its pictures itself, so that nothing of them is kept. Where children may be exploited
a picture opens blurred.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from likeness.service.uses import opens_blurred
from likeness.terms import UNDECLARED, Face, Image
from likeness.vision.draw import blurred_jpeg
from likeness.vision.encode import shown_jpeg

_LETTERS_SHARE, _DOT_SHARE = 1 / 26, 1 / 280
_CROWD = 12


@dataclass(frozen=True, slots=True)
class Marked:
    """A face to mark: with a label, in the colour and the line of a kind (`found`, `match`...)."""

    face: Face
    label: str
    kind: str = "found"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture to show, of `width` times `height` in the frame that its faces are marked in.

    `address` and `blurred` hold the pictures; `blurred` is None where it opens as it is. `letters`
    and `dot` are the sizes of labels and landmarks in that frame.
    """

    address: str
    blurred: str | None
    width: int
    height: int
    marked: tuple[Marked, ...]
    letters: float
    dot: float


def shown(image: Image, marked: Sequence[Marked] = (), purpose: str = UNDECLARED) -> Shown:
    """Get a picture ready to be shown with its faces marked, for a use of a purpose."""
    jpeg = shown_jpeg(image)
    longer = max(image.width, image.height)
    shrunk = 2 if len(marked) >= _CROWD else 1
    return Shown(
        address_of_jpeg(jpeg),
        address_of_jpeg(blurred_jpeg(jpeg)) if opens_blurred(purpose) else None,
        image.width,
        image.height,
        tuple(marked),
        longer * _LETTERS_SHARE / shrunk,
        longer * _DOT_SHARE,
    )


def address_of_jpeg(jpeg: bytes) -> str:
    """Give an address that holds a JPEG itself."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
