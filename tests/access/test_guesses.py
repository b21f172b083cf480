"""Who guesses waits; who has signed in from somewhere is kept out by nobody else's guesses."""

from collections.abc import Callable

import pytest

from likeness.access import guesses
from likeness.access.guesses import GUESSES, Guesser
from likeness.secrets import Keyring
from likeness.storage import Database

from .conftest import Clock

ADA = Guesser("ada", "192.0.2.1")


@pytest.fixture
def guess(database: Database, keyring: Keyring, clock: Clock) -> Callable[..., None]:
    """Guess wrongly, some times."""

    def guess(who: Guesser, times: int = 1) -> None:
        for _ in range(times):
            database.write(lambda c: guesses.count(c, keyring, who, clock()))

    return guess


@pytest.fixture
def wait_s(database: Database, keyring: Keyring, clock: Clock) -> Callable[[Guesser], float]:
    """How long somebody has to wait."""
    return lambda who: database.read(lambda c: guesses.wait_s(c, keyring, who, clock()))


@pytest.fixture
def come_in(database: Database, keyring: Keyring, clock: Clock) -> Callable[[Guesser], None]:
    """Sign in at last."""
    return lambda who: database.write(lambda c: guesses.forget(c, keyring, who, clock()))


def test_nobody_waits_before_anybody_guessed(wait_s: Callable[[Guesser], float]) -> None:
    assert wait_s(ADA) == 0


def test_each_wrong_guess_after_five_doubles_the_wait_up_to_a_quarter_of_an_hour(
    guess: Callable[..., None], wait_s: Callable[[Guesser], float], clock: Clock
) -> None:
    guess(ADA, 4)
    assert wait_s(ADA) == 0
    waits = []
    for _ in range(8):
        guess(ADA)
        waits.append(wait_s(ADA))
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    clock.go(seconds=899)
    assert wait_s(ADA) == 1
    clock.go(seconds=2)
    assert wait_s(ADA) == 0


def test_an_address_that_guesses_many_names_waits(
    guess: Callable[..., None], wait_s: Callable[[Guesser], float]
) -> None:
    for number in range(20):
        guess(Guesser(f"somebody {number}", ADA.address))
    assert wait_s(Guesser("another", ADA.address)) == 30
    assert wait_s(Guesser("another", "192.0.2.2")) == 0


def test_a_name_that_is_guessed_at_from_everywhere_is_closed_to_strangers(
    guess: Callable[..., None], wait_s: Callable[[Guesser], float]
) -> None:
    for number in range(50):
        guess(Guesser("ada", f"198.51.100.{number}"))
    assert wait_s(Guesser("ada", "203.0.113.1")) == 30
    assert wait_s(Guesser("bob", "203.0.113.1")) == 0


def test_who_signed_in_from_an_address_is_not_kept_out_by_others(
    guess: Callable[..., None],
    wait_s: Callable[[Guesser], float],
    come_in: Callable[[Guesser], None],
    clock: Clock,
) -> None:
    come_in(ADA)
    for number in range(60):
        guess(Guesser("ada", f"198.51.100.{number}"))
        guess(Guesser(f"somebody {number}", ADA.address))
    assert wait_s(ADA) == 0
    guess(ADA, 5)
    assert wait_s(ADA) == 30
    clock.go(days=31)
    for number in range(60):
        guess(Guesser("ada", f"198.51.100.{number}"))
    assert wait_s(ADA) > 0


def test_signing_in_forgets_ones_own_wrong_guesses(
    guess: Callable[..., None],
    wait_s: Callable[[Guesser], float],
    come_in: Callable[[Guesser], None],
) -> None:
    guess(ADA, 4)
    come_in(ADA)
    guess(ADA, 4)
    assert wait_s(ADA) == 0


def test_guesses_are_forgotten_after_a_day(
    guess: Callable[..., None],
    wait_s: Callable[[Guesser], float],
    database: Database,
    clock: Clock,
) -> None:
    guess(ADA, 12)
    clock.go(days=1)
    assert wait_s(ADA) == 0
    guess(Guesser("bob", "192.0.2.9"))
    assert len(database.read(lambda c: c.execute(GUESSES.select()).all())) == 3


def test_rows_tell_neither_names_nor_addresses(
    guess: Callable[..., None], database: Database
) -> None:
    guess(ADA)
    written = repr(database.read(lambda c: c.execute(GUESSES.select()).all()))
    assert "ada" not in written
    assert "192.0.2.1" not in written
