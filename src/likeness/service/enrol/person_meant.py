"""Which face of a picture is the person's whom it is enrolled as: the one that stands out."""

from likeness.errors import SeveralFaces
from likeness.vision.find import Located


def person_meant(located: Located, *, or_else: str = "") -> int:
    """Give the index of the face that is alone, or has four times the area of the next.

    `or_else` is what else may be done about several, beside cutting the picture.

    Raises:
        NoFace: there is none.
        SeveralFaces: none stands out.
    """
    largest = located.foremost
    if not located.stands_out:
        raise SeveralFaces(
            f"{len(located.faces)} faces, and the largest has less than four times the area of the"
            f" next. Cut the picture to the person's face{or_else}."
        )
    return largest
