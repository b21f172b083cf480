"""Requests that come twice: answered the second time with what was answered the first."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from likeness.access import RequestTokens, TokenReused
from likeness.access.request_tokens import KEPT, TOKENS
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Principal, Role

from .conftest import Clock

ADA, BOB = Principal("key:ada", Role.CLIENT), Principal("key:bob", Role.CLIENT)


def digest(content: str) -> bytes:
    return hashlib.sha256(content.encode()).digest()


class Caller:
    """Asks for something to be done, with a token; counts how often it is."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self.database = database
        self.tokens = RequestTokens(keyring, clock)
        self.done = 0

    def ask(
        self,
        token: str = "t",
        content: str = "a",
        principal: Principal = ADA,
        operation: str = "CreateUser",
        response: bytes = b"{}",
    ) -> bytes:
        request = (principal, operation, token, digest(content))

        def act(connection: Connection) -> bytes:
            answered = self.tokens.claim(connection, *request)
            if answered is not None:
                return answered
            self.done += 1
            self.tokens.keep(connection, *request, response=response)
            return response

        return self.database.write(act)


@pytest.fixture
def caller(database: Database, keyring: Keyring, clock: Clock) -> Caller:
    return Caller(database, keyring, clock)


def test_the_same_request_is_answered_as_before(caller: Caller) -> None:
    assert caller.ask(response=b"first") == b"first"
    assert caller.ask(response=b"second") == b"first"
    assert caller.done == 1


def test_a_token_with_other_input_is_refused(caller: Caller) -> None:
    caller.ask(content="a")
    with pytest.raises(TokenReused, match="with other values"):
        caller.ask(content="b")
    assert caller.done == 1


@pytest.mark.parametrize(
    "other", [{"principal": BOB}, {"operation": "DeleteUser"}, {"token": "T"}, {"token": "t\0"}]
)
def test_a_token_is_one_principals_for_one_operation(
    caller: Caller, other: dict[str, object]
) -> None:
    caller.ask()
    caller.ask(content="b", **other)  # type: ignore[arg-type]  # as parametrised
    assert caller.done == 2


def test_a_token_may_come_again_after_a_week(caller: Caller, clock: Clock) -> None:
    caller.ask()
    clock.now += KEPT
    clock.go(microseconds=-1)
    caller.ask()
    assert caller.done == 1
    clock.go(microseconds=1)
    caller.ask(content="b")
    assert caller.done == 2


def test_what_is_older_than_a_week_is_swept(
    caller: Caller, database: Database, clock: Clock
) -> None:
    for n in range(3):
        caller.ask(token=f"old {n}")
    clock.now += KEPT
    caller.ask(token="new")
    assert len(database.read(lambda c: c.execute(TOKENS.select()).all())) == 1


def test_rows_hold_neither_token_nor_input_nor_response(caller: Caller, database: Database) -> None:
    caller.ask(token="ada@example.org", content="a", response=b"something chosen")
    (row,) = database.read(lambda c: c.execute(TOKENS.select()).all())
    kept = b"".join([row.digest, row.input_digest, row.sealed_response])
    for secret in (b"ada@example.org", digest("a"), digest("ada@example.org"), b"something chosen"):
        assert secret not in kept


def test_an_act_that_fails_keeps_no_token(caller: Caller, database: Database) -> None:
    def fail(connection: Connection) -> None:
        assert caller.tokens.claim(connection, ADA, "CreateUser", "t", digest("a")) is None
        caller.tokens.keep(connection, ADA, "CreateUser", "t", digest("a"), response=b"{}")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    caller.ask()
    assert caller.done == 1


def test_of_many_at_once_one_is_done_and_all_are_answered_alike(
    database_url: str, database: Database, keyring: Keyring, clock: Clock
) -> None:
    callers = [Caller(database, keyring, clock) for _ in range(8)]
    together = threading.Barrier(len(callers))

    def ask(number: int) -> bytes:
        together.wait()
        return callers[number].ask(response=f"by {number}".encode())

    with ThreadPoolExecutor(len(callers)) as pool:
        answers = list(pool.map(ask, range(len(callers))))
    assert sum(caller.done for caller in callers) == 1
    assert len(set(answers)) == 1


def test_of_many_with_other_input_one_is_done_and_the_others_are_refused(
    database: Database, keyring: Keyring, clock: Clock
) -> None:
    caller = Caller(database, keyring, clock)
    together = threading.Barrier(8)

    def ask(number: int) -> bool:
        together.wait()
        try:
            caller.ask(content=f"input {number}")
        except TokenReused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    assert caller.done == 1
