"""Gets the picture that a request means, and holds its header to AWS's limits before decoding."""

from collections.abc import Callable
from functools import partial

from likeness.errors import ImageTooLarge, InvalidRequest, NotFound
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Request
from likeness.rekognition.faults import ANYWHERE, TOO_SMALL, AwsError
from likeness.vision.decode import DecodeLimits, Sample, inspect

MOST_BYTES, MOST_BYTES_FROM_S3 = 5 << 20, 15 << 20
SHORTEST_SIDE, LONGEST_SIDE = 80, 10_000
MOST_FACES = 100
_FORMATS = ("JPEG", "PNG")
# Sides are held against AWS's limits below, in AWS's words.
_BYTES_ALONE = DecodeLimits(MOST_BYTES_FROM_S3, max_pixels=1 << 62, max_side=1 << 31)


def picture(backend: Backend, image: Request) -> Callable[[], Sample]:
    """Give what fetches a picture and looks at its header, once that may be done.

    Raises:
        AwsError: the request has no picture, or two.
    """
    if ("Bytes" in image) == ("S3Object" in image):
        raise invalid_parameters("an image has either Bytes or an S3Object")
    return partial(_sample, backend, image)


def invalid_parameters(cause: str) -> AwsError:
    """Say that a request cannot be done, in AWS's words, and behind them why."""
    return AwsError(ANYWHERE, f"Request has invalid parameters: {cause}")


def unreadable() -> AwsError:
    """Say that an object is not there, or that Likeness may not read it."""
    return AwsError(
        "InvalidS3ObjectException",
        "Unable to get object metadata from S3. Check object key, region and/or access"
        " permissions.",
    )


def _sample(backend: Backend, image: Request) -> Sample:
    data = image["Bytes"] if "Bytes" in image else _fetched(backend, image["S3Object"])
    sample = inspect(data, _BYTES_ALONE, formats=_FORMATS)
    width, height = sample.header.upright_wh
    if max(width, height) > LONGEST_SIDE:
        raise AwsError(
            "ImageTooLargeException",
            f"Input image dimensions {width} x {height} exceed maximum dimension size"
            f" of {LONGEST_SIDE} pixels",
        )
    if min(width, height) < SHORTEST_SIDE:
        raise invalid_parameters(TOO_SMALL.format(width=width, height=height, least=SHORTEST_SIDE))
    sample.require_within(backend.limits)  # the operator's may be narrower
    return sample


def _fetched(backend: Backend, place: Request) -> bytes:
    if "Bucket" not in place or "Name" not in place:
        raise unreadable()
    try:
        return backend.buckets.read(
            place["Bucket"], place["Name"], place.get("Version"), MOST_BYTES_FROM_S3
        )
    except (NotFound, InvalidRequest) as error:
        raise unreadable() from error
    except ImageTooLarge as error:
        raise AwsError(
            "ImageTooLargeException",
            f"Input image size exceeds the maximum of {MOST_BYTES_FROM_S3} bytes",
        ) from error
