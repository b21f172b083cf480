"""Where the installation's keys come from: files of ours, a value, or a command.

Outside of files, keys are text: base64 of 32 bytes each, separated by white space or commas. The
first seals; the others only unseal what older ones sealed.
"""

import base64
import binascii
import subprocess
from collections.abc import Sequence
from typing import Protocol

from likeness.errors import Conflict, Fault, KeyUnusable
from likeness.secrets.wrapping import Key

_COMMAND_S = 30.0
_MAKE_ONE = "Make one with `openssl rand -base64 32`."


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


class _KeptElsewhere:
    """Keys that somebody else makes and destroys; `origin` is what to call where they are."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def add(self, after: Key | None) -> None:
        """Refuse: only who keeps the keys can make one."""
        raise Conflict(
            f"No key can be made here: keys come from {self._origin}. Put a new one in front of the"
            " others there, then rotate again."
        )

    def remove(self, key_id: str) -> None:
        """Refuse: only who keeps the keys can destroy one."""
        raise Conflict(f"Key {key_id} comes from {self._origin}. Remove it there.")


class TextKeys(_KeptElsewhere):
    """Keys in a value, such as a variable of the environment."""

    def __init__(self, text: str, origin: str) -> None:
        super().__init__(origin)
        self._text = text

    def load(self) -> tuple[Key, ...]:
        """Read every key, newest first."""
        return _parse(self._text, self._origin)

    def __repr__(self) -> str:
        """Show where the keys come from, and none of them."""
        return f"TextKeys({self._origin})"


class CommandKeys(_KeptElsewhere):
    """Keys that a command prints, such as a client of a key store."""

    def __init__(self, argv: Sequence[str], *, timeout_s: float = _COMMAND_S) -> None:
        super().__init__(argv[0])
        self._argv = tuple(argv)
        self._timeout_s = timeout_s

    def load(self) -> tuple[Key, ...]:
        """Run the command and read every key, newest first."""
        printed = run_command(self._argv, KeyUnusable, timeout_s=self._timeout_s)
        return _parse(printed.decode(errors="replace"), f"what {self._origin} printed")


def run_command(
    argv: Sequence[str], fault: type[Fault], *, timeout_s: float, written: bytes = b""
) -> bytes:
    """Run a command of the operator's, without a shell; give what it prints.

    Args:
        argv: the command and its arguments.
        fault: what to raise where it fails.
        timeout_s: how long it may take.
        written: what it reads on its standard input.

    Raises:
        Fault: of the kind asked for: it cannot be run, takes too long, or does not end with 0.
    """
    # Without `from`: the causes quote what was printed.
    command = argv[0]
    try:
        run = subprocess.run(  # noqa: S603  # the operator's own command, without a shell
            argv, check=True, input=written, stdout=subprocess.PIPE, timeout=timeout_s
        )
    except subprocess.CalledProcessError as error:
        raise fault(
            f"{command} ended with {error.returncode}. Run it by hand to see why."
        ) from None
    except subprocess.TimeoutExpired:
        raise fault(
            f"{command} did not end within {timeout_s:g} s. Run it by hand to see why."
        ) from None
    except OSError as error:
        raise fault(f"{command} cannot be run ({error.strerror}). Correct the command.") from None
    return run.stdout


def _parse(text: str, origin: str) -> tuple[Key, ...]:
    words = text.replace(",", " ").split()
    if not words:
        raise KeyUnusable(f"There is no key in {origin}. {_MAKE_ONE}")
    keys = []
    for number, word in enumerate(words, 1):
        try:
            keys.append(Key(base64.b64decode(word, validate=True)))
        except (binascii.Error, ValueError, KeyUnusable):
            raise KeyUnusable(
                f"Key {number} in {origin} is not base64 of 32 bytes. {_MAKE_ONE}"
            ) from None  # the cause may quote it
    return tuple(keys)
