"""What `/v1` offers: offices for each caller, and where receipts come from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from likeness.gallery import Collection
from likeness.server.lanes import Lane
from likeness.service.review.review_office import ReviewOffice
from likeness.service.uses.receipts import ReceiptingDesk
from likeness.service.uses.record import Desk
from likeness.service.watch.watch_office import WatchOffice
from likeness.terms import Principal, Template

RECEIPT_STATE = "receipt"
"""Where a request's state holds the id of the receipt that goes out with its answer."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What requests are answered with.

    `desk` admits uses; offices work at the one that they are given. `face_of` gives the template,
    of a collection's model, of a picture's only face, and a JPEG of that face; what calls it runs
    in the lane `pictures`. `receipt` gives the JSON of a receipt by its id, or raises `NotFound`
    where there is none for that principal; `checkpoint` gives the signed head.
    """

    desk: Desk
    review: Callable[[Principal, Desk], ReviewOffice]
    watches: Callable[[Principal, Desk], WatchOffice]
    face_of: Callable[[Collection, bytes], tuple[Template, bytes]]
    pictures: Lane
    receipt: Callable[[Principal, str], str]
    checkpoint: Callable[[], str]
    ready: Callable[[], bool]


def acts_of(request: Request) -> Acts:
    """Give what the application was made with."""
    acts: Acts = request.app.state.acts
    return acts


def caller_of(request: Request) -> Principal:
    """Say who signed a request, as the door has found out."""
    caller: Principal = request.state.caller
    return caller


Offered = Annotated[Acts, Depends(acts_of)]
Caller = Annotated[Principal, Depends(caller_of)]


def review_of(request: Request, acts: Offered, caller: Caller) -> ReviewOffice:
    """Give where the caller works on cases."""
    return acts.review(caller, _desk(request, acts))


def watches_of(request: Request, acts: Offered, caller: Caller) -> WatchOffice:
    """Give where the caller keeps watches."""
    return acts.watches(caller, _desk(request, acts))


Review = Annotated[ReviewOffice, Depends(review_of)]
Watching = Annotated[WatchOffice, Depends(watches_of)]


def _desk(request: Request, acts: Acts) -> Desk:
    """Give a desk whose receipts go out with the answer, as the door sees to."""
    return ReceiptingDesk(acts.desk, partial(setattr, request.state, RECEIPT_STATE))
