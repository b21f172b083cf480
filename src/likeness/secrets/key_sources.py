"""Where the installation's keys come from: files of ours, a value, or a command.

Outside of files, keys are text: base64 of 32 bytes each, separated by white space or commas. The
first seals; the others only unseal what older ones sealed.

In files there is one file a generation, for the owner alone, whole or not at all:

1. `installation-N.key` is generation N; the highest seals. It appears by a hard link, after its
   bytes are on the disk; a link is made once, so of two programs that make generation N, one does.
2. The folder has mode 0700, every file 0600, and both belong to who runs Likeness. If not, no key
   is read.
3. A key to be destroyed is renamed away, overwritten, and removed. What a kill leaves of that is
   finished at the next load.
"""

import base64
import binascii
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from likeness.errors import Conflict, Fault, KeyUnusable, NotFound
from likeness.secrets.keys import Key

_COMMAND_S = 30.0
_MAKE_ONE = "Make one with `openssl rand -base64 32`."


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


_NAME = re.compile(r"installation-([1-9][0-9]{0,8})\.key")
_FIRST_LINE = "likeness installation key 1"
_DESTROYED = ".destroyed-"


class KeyFiles:
    """Keys in a folder of their own, made with the first key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> tuple[Key, ...]:
        """Read every key, newest first; none where there is no folder yet.

        Raises:
            KeyUnusable: folder or files are not the owner's alone, damaged, or out of reach.
        """
        keys = []
        with self._disk_faults():
            if not self._folder.exists():
                return ()
            _require_private(self._folder, self._folder.lstat(), stat.S_ISDIR, 0o700)
            self._finish_destroying()
            for _, path in self._generations():
                with suppress(FileNotFoundError):  # another program may just have destroyed it
                    keys.append(_read(path))
        return tuple(keys)

    def add(self, after: Key | None) -> None:
        """Make a key that is newer than `after`, or the first, unless another program just did."""
        with self._disk_faults():
            # The folder around them too, where there was none: a home.
            with suppress(FileExistsError):
                self._folder.parent.mkdir(mode=0o700, parents=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            newest = next(iter(self._generations()), None)
            if newest is None:
                self._make(1)
            elif after is not None and _read(newest[1]).id == after.id:
                self._make(newest[0] + 1)

    def remove(self, key_id: str) -> None:
        """Destroy a key; the file system may keep a copy of its bytes, out of our reach.

        Raises:
            NotFound: there is none of that id.
        """
        with self._disk_faults():
            for _, path in self._generations():
                if _read(path).id == key_id:
                    path.rename(self._folder / f"{_DESTROYED}{path.name}")
                    self._finish_destroying()
                    return
        raise NotFound(
            f"No key {key_id} in {self._folder}. `likeness secrets list` shows what there is."
        )

    def _generations(self) -> list[tuple[int, Path]]:
        """List every generation and its file, newest first."""
        found = [(_NAME.fullmatch(path.name), path) for path in self._folder.iterdir()]
        return sorted(((int(match[1]), path) for match, path in found if match), reverse=True)

    def _make(self, generation: int) -> None:
        """Make a generation, unless another program just did."""
        material = os.urandom(32)
        text = f"{_FIRST_LINE}\n{Key(material).id}\n{base64.b64encode(material).decode()}\n"
        # mkstemp gives mode 0600. What a kill leaves behind is no key: its name is none.
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".writing-")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(name, self._folder / f"installation-{generation}.key")
        finally:
            Path(name).unlink()
        self._sync()

    def _finish_destroying(self) -> None:
        for path in self._folder.glob(f"{_DESTROYED}*"):
            with suppress(FileNotFoundError):  # another program may finish it too
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
        self._sync()

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _disk_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise KeyUnusable(
                f"The folder of keys {self._folder} cannot be read and written ({error.strerror})."
                " Mend it."
            ) from error


def _read(path: Path) -> Key:
    # Not through a link: the file itself has to be its owner's alone. And never wait for a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _require_private(path, os.fstat(descriptor), stat.S_ISREG, 0o600)
        content = os.read(descriptor, 1000)
    finally:
        os.close(descriptor)
    with suppress(ValueError, binascii.Error, KeyUnusable):
        first, key_id, encoded = content.decode("ascii").splitlines()
        key = Key(base64.b64decode(encoded, validate=True))
        if first == _FIRST_LINE and key.id == key_id:
            return key
    raise KeyUnusable(f"The key in {path} is damaged. Restore it from a backup.")


def _require_private(
    path: Path, status: os.stat_result, is_kind: Callable[[int], bool], mode: int
) -> None:
    """Refuse what others can read, or could have put there.

    Raises:
        KeyUnusable: it is no such kind of file, not ours, or open to others.
    """
    if not is_kind(status.st_mode):
        raise KeyUnusable(
            f"{path} is not a {'folder' if is_kind is stat.S_ISDIR else 'file'} of its own. Put the"
            " right one there."
        )
    if status.st_uid != os.geteuid():
        raise KeyUnusable(
            f"{path} belongs to user {status.st_uid}, and {os.geteuid()} runs Likeness. If you"
            f" trust what it holds, `chown {os.geteuid()} {path}`."
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyUnusable(
            f"{path} has mode {stat.S_IMODE(status.st_mode):04o}, so others may have read it."
            f" `chmod {mode:o} {path}`, and rotate the key."
        )
