"""How does every operation begin? With a collection that is there, and a use that is admitted."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.access import TokenReused, may
from likeness.errors import NotFound
from likeness.gallery import Collection
from likeness.gallery.open_collection import CollectionIndexes
from likeness.gallery.seal import Seal
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request
from likeness.rekognition.faults import AwsError
from likeness.service.search.naming import Expected
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.receipts import ReceiptingDesk
from likeness.service.uses.record import Record
from likeness.terms import Action

T = TypeVar("T")
Act = Callable[[Connection], T]

RECEIPT_HEADER, CASE_HEADER = "X-Likeness-Receipt", "X-Likeness-Case"
# How many false candidates to expect of a search, or how often strangers score as a comparison did.
ANY_HEADER, AT_HAND_HEADER = "X-Likeness-Any-Strangers", "X-Likeness-Strangers-At-Hand"
EXTRAPOLATED_HEADER = "X-Likeness-Extrapolated"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The collection that a request names, and its tags."""

    collection: Collection
    opened: CollectionIndexes
    tags: Mapping[str, str]

    @property
    def seal(self) -> Seal:
        """What seals what is personal in it."""
        return self.opened.seal


def target(backend: Backend, call: Call, request: Request, action: Action) -> Target:
    """Find the collection that a request names, to do an action to it.

    Raises:
        AwsError: there is none.
        Denied: there is none, and the caller may not know.
    """
    return target_named(backend, call, request["CollectionId"], action)


def target_named(backend: Backend, call: Call, name: str, action: Action) -> Target:
    """Find a collection by its name; raises as `target` does."""
    try:
        return Target(*backend.gallery.open_with_tags(name))
    except NotFound as error:
        # It is on record, and who may not do this to any collection learns of none. To others
        # nothing is owed: they have read which collections there are.
        looked = Action.READ if may(call.principal.role, action) else action
        with recorded(backend, call, looked):
            raise missing_collection(name) from error


def missing_collection(name: str) -> AwsError:
    """Say that there is no collection of a name."""
    return AwsError("ResourceNotFoundException", f"The collection id: {name} does not exist")


@contextmanager
def recorded(
    backend: Backend, call: Call, action: Action, of: Target | None = None
) -> Iterator[Record]:
    """Have a use admitted, and recorded when it ends; tell the caller where.

    Raises:
        Denied: policy forbids the use.
        LedgerBroken: it cannot be recorded.
    """
    use = call.use(action)
    if of is not None:
        use = use_in(use, of.collection.id, of.tags)
    desk = ReceiptingDesk(backend.desk, partial(call.headers.__setitem__, RECEIPT_HEADER))
    with desk.record(use) as record:
        try:
            yield record
        finally:
            if record.case_id is not None:
                call.headers[CASE_HEADER] = str(record.case_id)


def say_rates(call: Call, rates: Expected) -> None:
    """Say in headers what any strangers make likely, and what those at hand do."""
    call.headers[ANY_HEADER] = f"{rates.by_any:.3g}"
    if rates.by_those_at_hand is not None:
        call.headers[AT_HAND_HEADER] = f"{rates.by_those_at_hand:.3g} {rates.whose}"
    if rates.extrapolated:
        call.headers[EXTRAPOLATED_HEADER] = "true"


def once(
    backend: Backend, call: Call, request: Request, of: Target, given: TypeAdapter[T]
) -> Callable[[Act[T]], Act[T]]:
    """Make an act take effect once for a request's token; again, it gives what it gave at first.

    `given` keeps what that is. The act raises AwsError where the token came with another request.
    """
    token = request.get("ClientRequestToken")
    if token is None:
        return lambda act: act
    asked = {name: value for name, value in request.items() if name != "ClientRequestToken"}
    # A collection made anew under the same name is another.
    whole = json.dumps([str(of.collection.id), asked], sort_keys=True).encode()
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
            tokens.keep(connection, principal, operation, token, digest, kept)
            return result

        return act_once

    return of_act
