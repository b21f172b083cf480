"""What does it take to serve? Who calls, offices for each caller, and where receipts come from."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from likeness.errors import Denied, InputError
from likeness.service.review_office import ReviewOffice
from likeness.service.watch_office import WatchOffice
from likeness.terms.template import Template
from likeness.terms.use import Principal
from likeness.v1.problems import Problem


@dataclass(frozen=True, slots=True)
class Served:
    """What requests are answered with.

    `authenticate` raises `Denied` or an `InputError` where nobody known has signed. `face_of` gives
    the template of a picture's only face, and a JPEG of that face. `receipt` gives a receipt's JSON
    by its id, or raises `NotFound`.
    """

    authenticate: Callable[[Request], Awaitable[Principal]]
    review: Callable[[Principal], ReviewOffice]
    watches: Callable[[Principal], WatchOffice]
    face_of: Callable[[bytes], tuple[Template, bytes]]
    receipt: Callable[[str], str]
    ready: Callable[[], bool]


def served_by(request: Request) -> Served:
    """Give what the application was made with."""
    served: Served = request.app.state.served
    return served


async def caller_of(request: Request) -> Principal:
    """Say who signed a request."""
    try:
        return await served_by(request).authenticate(request)
    except (Denied, InputError) as error:
        raise Problem(401, "Unauthenticated", str(error)) from error


Serving = Annotated[Served, Depends(served_by)]
Caller = Annotated[Principal, Depends(caller_of)]
