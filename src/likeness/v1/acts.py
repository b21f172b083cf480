"""What `/v1` offers: acts on a home, by callers whose proof goes out with the answer."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request

from likeness.errors import InvalidRequest
from likeness.server import Lane
from likeness.service.uses import Caller, Home, Proof, Rows, Stated
from likeness.terms import Principal

_FOOTAGE_HEADER = "x-likeness-footage"
PROOF_STATE = "proof"
"""Where a request's state holds the proof whose receipt goes out with its answer."""
STREAM_STATE = "stream"
"""Where a request's state holds what is sent piece by piece, in place of its answer's content."""


DONE_BY: ContextVar[Callable[[Callable[[], Any]], Awaitable[Any]]] = ContextVar("done_by")
"""What does the act of a request when its caller's turn has come."""


class ActRouter(APIRouter):
    """Routes whose acts are done in turn; those that are asynchronous see to that themselves."""

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Add a route."""
        if iscoroutinefunction(endpoint):
            super().add_api_route(path, endpoint, **more)
            return

        @wraps(endpoint)
        async def in_turn(**given: Any) -> Any:
            return await DONE_BY.get()(partial(endpoint, **given))

        super().add_api_route(path, in_turn, **more)


@dataclass(frozen=True, slots=True)
class Acts:
    """What requests are answered with; what looks at pictures runs in the lane `pictures`."""

    home: Home
    pictures: Lane
    ready: Callable[[], bool]

    @property
    def rows(self) -> Rows:
        """The home's rows alone, which are enough for most."""
        return self.home


def acts_of(request: Request) -> Acts:
    """Give what the application was made with."""
    acts: Acts = request.app.state.acts
    return acts


def rows_of(request: Request) -> Rows:
    """Give the rows of the home that is served."""
    return acts_of(request).rows


def home_of(request: Request) -> Home:
    """Give the home that is served."""
    return acts_of(request).home


def principal_of(request: Request) -> Principal:
    """Say who signed a request, as the door has found out."""
    principal: Principal = request.state.caller
    return principal


class Calling:
    """Makes the caller of an act, whose proof the door tells.

    The header `X-Likeness-Footage` states what sort of source pictures come from. Of headers only
    what is signed counts.

    Raises:
        InvalidRequest: the header is not signed, or comes twice.
    """

    def __init__(
        self,
        request: Request,
        x_likeness_footage: Annotated[
            str | None, Header(description="What sort of source pictures come from.")
        ] = None,
    ) -> None:
        if x_likeness_footage is not None and (
            _FOOTAGE_HEADER not in request.state.signed_headers
            or len(request.headers.getlist(_FOOTAGE_HEADER)) > 1
        ):
            raise InvalidRequest(
                f"The header {_FOOTAGE_HEADER} is not signed, or comes twice. Sign it, and send it"
                " once."
            )
        self._footage = x_likeness_footage
        self._principal = principal_of(request)
        self._replayed: bool = request.state.replayed
        self._proof = Proof()
        setattr(request.state, PROOF_STATE, self._proof)

    def __call__(self, operation: str, purpose: str | None = None) -> Caller:
        """Give the caller of an act, who may state a purpose."""
        return Caller(
            self._principal,
            operation,
            Stated(purpose, footage=self._footage),
            replayed=self._replayed,
            proof=self._proof,
        )


Offered = Annotated[Acts, Depends(acts_of)]
RowsHere = Annotated[Rows, Depends(rows_of)]
HomeHere = Annotated[Home, Depends(home_of)]
Calls = Annotated[Calling, Depends(Calling)]
Somebody = Annotated[Principal, Depends(principal_of)]
