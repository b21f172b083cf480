"""Stills of somebody, as people see them first: blurred where children may be exploited.

Every act that gives a picture of a face to a person asks `still_of`, so that every door keeps this.
"""

from likeness.policy import known, vocabulary, within
from likeness.vision.draw import blurred_jpeg

_EXPLOITED = "exploited-children"


def opens_blurred(purpose: str) -> bool:
    """Say whether stills of a use of this purpose open blurred.

    They do where it is the search for exploited children, a part of that, or what that is part of.
    """
    purposes = vocabulary().purposes
    one = known(purposes, purpose)
    return _EXPLOITED in within(purposes, one) or one in within(purposes, _EXPLOITED)


def still_of(crop_jpeg: bytes, purpose: str, *, unblurred: bool) -> bytes:
    """Give a still as it opens; `unblurred` is whether the one who looks asked to see it."""
    return blurred_jpeg(crop_jpeg) if opens_blurred(purpose) and not unblurred else crop_jpeg
