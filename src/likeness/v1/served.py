"""What does it take to serve? Who calls, offices for each caller, and where receipts come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from likeness.service.review_office import ReviewOffice
from likeness.service.watch_office import WatchOffice
from likeness.terms.template import Template
from likeness.terms.use import Principal
from likeness.v1.bounds import Authenticate


@dataclass(frozen=True, slots=True)
class Served:
    """What requests are answered with.

    `face_of` gives the template of a picture's only face, and a JPEG of that face. `receipt` gives
    a receipt's JSON by its id, or raises `NotFound`.
    """

    authenticate: Authenticate
    review: Callable[[Principal], ReviewOffice]
    watches: Callable[[Principal], WatchOffice]
    face_of: Callable[[bytes], tuple[Template, bytes]]
    receipt: Callable[[str], str]
    ready: Callable[[], bool]


def served_by(request: Request) -> Served:
    """Give what the application was made with."""
    served: Served = request.app.state.served
    return served


def caller_of(request: Request) -> Principal:
    """Say who signed a request, as `Bounds` has found out."""
    caller: Principal = request.state.caller
    return caller


Serving = Annotated[Served, Depends(served_by)]
Caller = Annotated[Principal, Depends(caller_of)]
