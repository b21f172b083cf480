"""A program that rotates keys and is killed at a step."""

import os
import signal
from pathlib import Path

from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.secrets import Rotation, rotate_secrets
from likeness.service.uses import Caller
from likeness.storage import Database, open_database
from likeness.terms import Principal, Role
from tests.service.governed import governed
from tests.service.unrecorded import UnrecordedDesk

STEPS = ("begun", "made", "resealing", "resealed", "destroying", "destroyed")


def rotate(database: Database, keyring: Keyring) -> Rotation:
    """Rotate without a ledger, whose key would be sealed anew too."""
    caller = Caller(Principal("local:test", Role.ADMIN), "secrets rotate")
    return rotate_secrets(governed(database, keyring, UnrecordedDesk(database)), caller)


def run(url: str, folder: Path, last: str) -> None:
    """Rotate the keys of a home; end at a step as by kill -9."""

    def reach(step: str) -> None:
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    class Files(KeyFiles):
        def add(self, after: object) -> None:
            reach("begun")
            super().add(after)  # type: ignore[arg-type]  # passed on
            reach("made")

        def remove(self, key_id: str) -> None:
            reach("resealed")
            super().remove(key_id)
            reach("destroyed")

        def _finish_destroying(self) -> None:
            if list(self._folder.glob(".destroyed-*")):
                reach("destroying")
            super()._finish_destroying()

    class Ring(Keyring):
        def rewrap(self, sealed: bytes, context: bytes) -> bytes:
            rewrapped = super().rewrap(sealed, context)
            if rewrapped != sealed:
                reach("resealing")
            return rewrapped

    with open_database(url) as database:
        rotate(database, Ring(Files(folder / "keys")))
