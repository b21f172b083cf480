"""What a home remembers of itself, so that its absence is not taken for a first start.

1. `home.json` in the home says which database its rows are in, and where its keys come from. What
   else the settings name is refused, unless it holds the same.
2. `.NAME.likeness` beside the folder NAME says that a home was made there: a disk that is not
   mounted, or a folder that is gone, is noticed by it. Where nothing can be written beside it, only
   the first note is kept.
3. A home that an older Likeness made has neither, and gets both when it is opened next. Its keys
   tell that its database is gone.
4. Either note may be deleted by hand: then the home is looked at as if it were of an older one.
"""

import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from likeness.artifacts import write_whole
from likeness.errors import (
    ArtifactUnavailable,
    DatabaseUnavailable,
    InvalidRequest,
    KeyUnusable,
    NotFound,
)
from likeness.storage import DatabaseIdentity

_LONGEST_NOTE = 1 << 16
_LOST_FOR_GOOD = " If it is lost for good, `likeness ledger new-key` goes on without it."


@dataclass(frozen=True, slots=True)
class HomeNote:
    """What a home remembers.

    `rows` names where they are, empty for the file in the home; `keys` the setting that the keys
    come from, empty for files in the home. `key_ids` are those that were seen last.
    """

    database_id: str
    made_at: str
    rows: str
    keys: str
    key_ids: tuple[str, ...]

    @property
    def day(self) -> str:
        """The day on which the home was made."""
        return self.made_at[:10]


@dataclass(frozen=True, slots=True)
class RowsHere:
    """The database that the settings name: `name` in words, and `note` as a home remembers it."""

    name: str
    note: str


class HomeNotes:
    """The notes of one home; `folder` is the home as the settings name it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._is_relative = not folder.is_absolute()
        self.inside = self.folder / "home.json"
        self.beside = self.folder.parent / f".{self.folder.name}.likeness"

    def read(self) -> HomeNote | None:
        """Give what the home remembers; None where it remembers nothing."""
        said = _read(self.inside)
        try:
            return HomeNote(
                str(UUID(str(said["database_id"]))),
                datetime.fromisoformat(said["made_at"]).isoformat(),
                str(said["rows"]),
                str(said["keys"]),
                tuple(map(str, said["key_ids"])),
            )
        except (KeyError, TypeError, ValueError):
            return None  # as of an older Likeness: the rows tell the same

    def loss(self, rows: RowsHere) -> str | None:
        """Say what is gone, where there are no rows and there were some; None where none were."""
        note = self.read()
        if note is not None and note.rows != rows.note:
            return (
                f"The rows of the home {self.folder} are in {note.rows or 'its likeness.db'}, and"
                f" there are none in {rows.name}. Set LIKENESS_DATABASE as it was"
                f"{'' if note.rows else ', which is not at all'}, or give LIKENESS_HOME another"
                " folder to begin anew."
            )
        if note is not None:
            return (
                f"The database of the home {self.folder}, which was made on {note.day}, is gone:"
                f" {rows.name} is missing or empty. Restore it from a backup. To begin anew, move"
                " the folder away."
            )
        if not rows.note and (left := self._left_over()) is not None:
            return (
                f"The database of the home {self.folder} is gone: {left} is there, and {rows.name}"
                " is missing or empty. Restore it from a backup. To begin anew, move the folder"
                " away."
            )
        made_on = self._made_on()
        if made_on is None or rows.note:
            return None
        return (
            f"The home {self.folder} is gone: it was made on {made_on}, as {self.beside} says, and"
            " nothing of it is there. Mount or restore it, or set LIKENESS_HOME to where it is. To"
            " begin anew, delete that file."
        )

    def require_none_lost(self, rows: RowsHere, *, makes: bool) -> None:
        """Refuse to begin anew where there was a home, or where none is to be made.

        Raises:
            DatabaseUnavailable: there was one.
            InvalidRequest: the home's folder is not named by its whole path.
            NotFound: there was none, and what is done `makes` none.
        """
        self._require_folder()
        if (lost := self.loss(rows)) is not None:
            raise DatabaseUnavailable(lost)
        if self._is_relative:
            raise InvalidRequest(
                f"LIKENESS_HOME is a relative path, and there is no home in {self.folder}. Give its"
                " whole path."
            )
        if not makes:
            raise NotFound(
                f"There is no home in {self.folder} yet. `likeness serve`, `likeness collections"
                " create` and `likeness keys create` make one. If there is one elsewhere, set"
                " LIKENESS_HOME."
            )

    def require_same_database(self, identity: DatabaseIdentity, rows: RowsHere) -> None:
        """Refuse rows that are another home's.

        Raises:
            DatabaseUnavailable: they are.
        """
        note = self.read()
        if note is not None and note.database_id != str(identity.id):
            raise DatabaseUnavailable(
                f"{rows.name} is not the database of the home {self.folder}, which was made with"
                f" another on {note.day}. Set LIKENESS_DATABASE and LIKENESS_HOME so that they"
                f" belong together. If the other one is gone for good, delete {self.inside}."
            )

    def missing_keys(self, setting: str, here: Collection[str], used: Collection[str]) -> str:
        """Say that the home's keys are not where the settings say; empty where they are.

        Where some are lost, which `doctor` says, the others go on.

        Args:
            setting: that they come from now, empty for files in the home.
            here: their ids.
            used: ids of keys that the rows were sealed by.
        """
        note, lost = self.read(), set(used) - set(here)
        is_as_ever = note is None or note.keys == setting
        if not lost or (is_as_ever and set(used) & set(here)):
            return ""
        files = f"files in {self.folder / 'keys'}"
        if note is None or is_as_ever:
            return (
                f"The keys of the home {self.folder} are not here: its secrets are sealed by key"
                f" {min(lost)}, which is not among {setting or files}. Restore that key from a"
                " backup, or set LIKENESS_KEYS or LIKENESS_KEYS_COMMAND if it comes from there."
                f"{_LOST_FOR_GOOD}"
            )
        if note.keys:
            return (
                f"The keys of the home {self.folder} come from {note.keys}, and {setting or files}"
                f" cannot open its secrets. Set {note.keys} as it was, or restore that key from a"
                f" backup.{_LOST_FOR_GOOD}"
            )
        return (
            f"The keys of the home {self.folder} are {files}, and {setting} cannot open its"
            f" secrets. Unset {setting}. Restore that key from a backup if it is lost."
        )

    def require_keys(self, setting: str, here: Collection[str], used: Collection[str]) -> None:
        """Refuse to go on without the home's keys; see `missing_keys`.

        Raises:
            KeyUnusable: they are not there.
        """
        if missing := self.missing_keys(setting, here, used):
            raise KeyUnusable(missing)

    def keep(
        self, identity: DatabaseIdentity, rows: RowsHere, keys: str, key_ids: Collection[str]
    ) -> None:
        """Write what is not written yet.

        Raises:
            DatabaseUnavailable: the home cannot be written.
        """
        made_at = identity.created_at.isoformat()
        note = HomeNote(str(identity.id), made_at, rows.note, keys, tuple(key_ids))
        if note != self.read():
            try:
                _write(self.inside, asdict(note))
            except ArtifactUnavailable as error:
                raise DatabaseUnavailable(str(error)) from error
        if not rows.note and self._made_on() is None:
            try:
                _write(self.beside, {"home": str(self.folder), "made_at": made_at})
            except ArtifactUnavailable:
                return  # a service's user may not write there

    def _require_folder(self) -> None:
        try:
            there = next(one for one in (self.folder, *self.folder.parents) if one.exists())
        except OSError as error:
            raise DatabaseUnavailable(
                f"The home {self.folder} cannot be read ({error.strerror}). Mend its permissions."
            ) from error
        if not there.is_dir():
            raise DatabaseUnavailable(
                f"{self.folder} cannot be a home ({there}: Not a directory). Set LIKENESS_HOME to a"
                " folder."
            )

    def _left_over(self) -> Path | None:
        """Find what lies in the home only where it had a database."""
        for name in ("keys", "snapshots"):
            with suppress(OSError):
                for one in (self.folder / name).iterdir():
                    if not one.name.startswith("."):
                        return one
        return None

    def _made_on(self) -> str | None:
        """Say on which day a home was made here, by the note beside it; others' notes count not."""
        try:
            if self.beside.lstat().st_uid not in (os.geteuid(), 0):
                return None
            made_at = datetime.fromisoformat(_read(self.beside)["made_at"])
        except (OSError, KeyError, TypeError, ValueError):
            return None
        return made_at.astimezone(UTC).date().isoformat()


def _read(path: Path) -> dict[str, str]:
    try:
        # Never wait for a pipe, nor read what is no note of ours.
        if not path.is_file() or path.stat().st_size > _LONGEST_NOTE:
            return {}
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _write(path: Path, said: dict[str, object]) -> None:
    write_whole(path, json.dumps(said, indent=1).encode() + b"\n")
