"""Where do the installation's keys come from? Files of ours, a value, or a command.

Outside of files, keys are text: base64 of 32 bytes each, separated by white space or commas. The
first seals; the others only unseal what older ones sealed.
"""

import base64
import binascii
import subprocess
from collections.abc import Sequence
from typing import Protocol

from likeness.errors import Conflict, KeyUnusable
from likeness.secrets.wrapping import Key

_COMMAND_S = 30.0


class KeySource(Protocol):
    """Where keys come from, newest first."""

    def load(self) -> tuple[Key, ...]:
        """Read every key, newest first; none where `add` has to make the first.

        Raises:
            KeyUnusable: they cannot be had, or are not kept secret.
        """

    def add(self, after: Key | None) -> None:
        """Make a key that is newer than `after`, or the first, unless somebody just did.

        Raises:
            Conflict: keys are made elsewhere.
            KeyUnusable: it cannot be kept.
        """

    def remove(self, key_id: str) -> None:
        """Destroy a key.

        Raises:
            Conflict: keys are destroyed elsewhere.
            KeyUnusable: it cannot be destroyed.
        """


class GivenKeys:
    """Keys in a value, such as a variable of the environment; `origin` is what to call it."""

    def __init__(self, text: str, origin: str) -> None:
        self._text = text
        self._origin = origin

    def load(self) -> tuple[Key, ...]:
        """Read every key, newest first."""
        return _parse(self._text, self._origin)

    def add(self, after: Key | None) -> None:
        """Refuse: only who gives the keys can make one."""
        raise _made_elsewhere(self._origin)

    def remove(self, key_id: str) -> None:
        """Refuse: only who gives the keys can destroy one."""
        raise _destroyed_elsewhere(self._origin, key_id)

    def __repr__(self) -> str:
        """Show where the keys come from, and none of them."""
        return f"GivenKeys({self._origin})"


class CommandKeys:
    """Keys that a command prints, such as a client of a key store; no shell is involved."""

    def __init__(self, argv: Sequence[str], *, timeout_s: float = _COMMAND_S) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s

    def load(self) -> tuple[Key, ...]:
        """Run the command and read every key, newest first."""
        command = self._argv[0]
        try:
            run = subprocess.run(  # noqa: S603  # the operator's own command, without a shell
                self._argv,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=self._timeout_s,
            )
        except subprocess.CalledProcessError as error:
            raise KeyUnusable(
                f"{command} was expected to print the keys and ended with {error.returncode}: run"
                " it by hand to see why"
            ) from None  # the cause quotes what was printed
        except subprocess.TimeoutExpired:
            raise KeyUnusable(
                f"{command} was expected to print the keys within {self._timeout_s:g} s and did"
                " not: run it by hand to see why"
            ) from None
        except OSError as error:
            raise KeyUnusable(
                f"{command} was expected to print the keys and cannot be run ({error.strerror}):"
                " correct the command"
            ) from error
        return _parse(run.stdout.decode(errors="replace"), f"what {command} printed")

    def add(self, after: Key | None) -> None:
        """Refuse: only who keeps the keys can make one."""
        raise _made_elsewhere(self._argv[0])

    def remove(self, key_id: str) -> None:
        """Refuse: only who keeps the keys can destroy one."""
        raise _destroyed_elsewhere(self._argv[0], key_id)


def _parse(text: str, origin: str) -> tuple[Key, ...]:
    words = text.replace(",", " ").split()
    if not words:
        raise KeyUnusable(
            f"{origin} was expected to hold a key and holds none: make one with"
            " `openssl rand -base64 32`"
        )
    keys = []
    for number, word in enumerate(words, 1):
        try:
            keys.append(Key(base64.b64decode(word, validate=True)))
        except (binascii.Error, ValueError, KeyUnusable):
            raise KeyUnusable(
                f"key {number} in {origin} was expected to be base64 of 32 bytes and is not:"
                " make one with `openssl rand -base64 32`"
            ) from None  # the cause may quote it
    return tuple(keys)


def _made_elsewhere(origin: str) -> Conflict:
    return Conflict(
        f"a place of ours was expected to keep a new key, and keys come from {origin}: put a new"
        " one in front of the others there, then rotate again"
    )


def _destroyed_elsewhere(origin: str, key_id: str) -> Conflict:
    return Conflict(
        f"a key of ours was expected, and {key_id} comes from {origin}: remove it there"
    )
