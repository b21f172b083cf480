"""What `/v1` offers: acts on a home's rows, by callers whose proof goes out with the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from likeness.server import Lane
from likeness.service.uses import Caller, Proof, Rows, Stated
from likeness.terms import Principal

PROOF_STATE = "proof"
"""Where a request's state holds the proof whose receipt goes out with its answer."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What requests are answered with; what looks at pictures runs in the lane `pictures`."""

    rows: Rows
    pictures: Lane
    ready: Callable[[], bool]


def acts_of(request: Request) -> Acts:
    """Give what the application was made with."""
    acts: Acts = request.app.state.acts
    return acts


def rows_of(request: Request) -> Rows:
    """Give the rows of the home that is served."""
    return acts_of(request).rows


def principal_of(request: Request) -> Principal:
    """Say who signed a request, as the door has found out."""
    principal: Principal = request.state.caller
    return principal


class Calling:
    """Makes the caller of an act, whose proof the door tells."""

    def __init__(self, request: Request) -> None:
        self._principal = principal_of(request)
        self._replayed: bool = request.state.replayed
        self._proof = Proof()
        setattr(request.state, PROOF_STATE, self._proof)

    def __call__(self, operation: str, purpose: str | None = None) -> Caller:
        """Give the caller of an act, who may state a purpose."""
        return Caller(
            self._principal,
            operation,
            Stated(purpose),
            replayed=self._replayed,
            proof=self._proof,
        )


Offered = Annotated[Acts, Depends(acts_of)]
RowsHere = Annotated[Rows, Depends(rows_of)]
Calls = Annotated[Calling, Depends(Calling)]
Somebody = Annotated[Principal, Depends(principal_of)]
