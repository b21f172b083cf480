"""Lets a request with a `ClientRequestToken` take effect once."""

from collections.abc import Iterator
from contextlib import contextmanager

from likeness.access import TokenReused
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Request
from likeness.rekognition.faults import AwsError
from likeness.service.uses import Once

_TOKEN = "ClientRequestToken"  # noqa: S105  # the member's name


@contextmanager
def once(backend: Backend, request: Request) -> Iterator[Once]:
    """Give a request's token to an act; say in AWS's words that it came with another request."""
    asked = dict(request)
    token = asked.pop(_TOKEN, None)
    try:
        yield Once(backend.request_tokens, token, asked)
    except TokenReused as error:
        raise AwsError(
            "IdempotentParameterMismatchException",
            f"The {_TOKEN}: {token} you have supplied is already in use.",
        ) from error
