"""What operations share: the collection, the record of a use, headers, and tokens."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.access import TokenReused
from likeness.gallery import OpenCollection
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request
from likeness.rekognition.faults import AwsError
from likeness.service.search.naming import Expected
from likeness.service.uses.record import Record
from likeness.terms import Action

T = TypeVar("T")
Act = Callable[[Connection], T]

# How many false candidates to expect of a search, or how often strangers score as a comparison did.
ANY_HEADER, AT_HAND_HEADER = "X-Likeness-Any-Strangers", "X-Likeness-Strangers-At-Hand"
EXTRAPOLATED_HEADER = "X-Likeness-Extrapolated"


def target(backend: Backend, call: Call, request: Request, action: Action) -> OpenCollection:
    """Find the collection that a request names, to do an action to it.

    Raises:
        NoSuchCollection: there is none.
        Denied: there is none, and the caller may not know.
    """
    return target_named(backend, call, request["CollectionId"], action)


def target_named(backend: Backend, call: Call, name: str, action: Action) -> OpenCollection:
    """Find a collection by its name; raises as `target` does."""
    return backend.collection(call.caller, action, name)


def missing_collection(name: str) -> AwsError:
    """Say that there is no collection of a name."""
    return AwsError("ResourceNotFoundException", f"The collection id: {name} does not exist")


def recorded(
    backend: Backend, call: Call, action: Action, of: OpenCollection | None = None
) -> AbstractContextManager[Record]:
    """Have a use admitted, and recorded when it ends; raises what `Rows.record` raises."""
    return backend.record(call.caller, action, of)


def say_rates(call: Call, rates: Expected) -> None:
    """Say in headers what any strangers make likely, and what those at hand do."""
    call.headers[ANY_HEADER] = f"{rates.by_any:.3g}"
    if rates.by_those_at_hand is not None:
        call.headers[AT_HAND_HEADER] = f"{rates.by_those_at_hand:.3g} {rates.whose}"
    if rates.extrapolated:
        call.headers[EXTRAPOLATED_HEADER] = "true"


def once(
    backend: Backend, call: Call, request: Request, of: OpenCollection, given: TypeAdapter[T]
) -> Callable[[Act[T]], Act[T]]:
    """Make an act take effect once for a request's token; again, it gives what it gave at first.

    `given` keeps what that is. The act raises AwsError where the token came with another request.
    """
    token = request.get("ClientRequestToken")
    if token is None:
        return lambda act: act
    asked = {name: value for name, value in request.items() if name != "ClientRequestToken"}
    # A collection made anew under the same name is another.
    whole = json.dumps([str(of.id), asked], sort_keys=True).encode()
    tokens, principal, operation = backend.request_tokens, call.principal, call.operation
    digest = hashlib.sha256(whole).digest()

    def of_act(act: Act[T]) -> Act[T]:
        def act_once(connection: Connection) -> T:
            try:
                answered = tokens.claim(connection, principal, operation, token, digest)
            except TokenReused as error:
                raise AwsError(
                    "IdempotentParameterMismatchException",
                    f"The ClientRequestToken: {token} you have supplied is already in use.",
                ) from error
            if answered is not None:
                return given.validate_json(answered)
            result = act(connection)
            kept = given.dump_json(result)
            tokens.keep(connection, principal, operation, token, digest, response=kept)
            return result

        return act_once

    return of_act
