"""Whose faces `likeness redact` hides, as it is told."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.redact.asked import Whom
from likeness.terms import Footage


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written: the copies, a report, and a sheet of what stays visible."""

    out: Path | None
    report: Path | None = None
    preview: Path | None = None

    def __post_init__(self) -> None:
        """Refuse to write nothing, and a report of nothing."""
        if self.out is None and self.preview is None:
            raise InvalidRequest("Nothing is to be written. Give --out OUT, or --preview OUT.")
        if self.out is None and self.report is not None:
            raise InvalidRequest("--report says what is hidden in copies. Give --out, too.")

    def require_apart(self, given: Iterable[Path], copies: Iterable[Path | None]) -> None:
        """Refuse a report or a sheet that would replace what was given, a copy, or each other.

        Raises:
            InvalidRequest: one would.
        """
        taken = {os.path.realpath(one) for one in (*given, *filter(None, copies))}
        for one in filter(None, (self.report, self.preview)):
            place = os.path.realpath(one)
            if place in taken:
                raise InvalidRequest(
                    f"'{one}' would be written over something else that is given or written."
                    " Name another place."
                )
            taken.add(place)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose faces are hidden, and where those lie who are known: in a collection, or a folder."""

    whom: Whom
    collection: str | None = None
    folder: Path | None = None
    footage: Footage | None = None


def wanted(
    *,
    everybody: bool,
    keep: str | None,
    only: str | None,
    keep_folder: Path | None,
    only_folder: Path | None,
    footage: Footage | None,
) -> Wanted:
    """Read what was typed.

    Raises:
        InvalidRequest: not one of them was given, or what goes with another.
    """
    given = [
        *([Wanted(Whom.ALL)] if everybody else []),
        *([] if keep is None else [Wanted(Whom.ALL_BUT, keep, None, footage)]),
        *([] if only is None else [Wanted(Whom.ONLY, only, None, footage)]),
        *([] if keep_folder is None else [Wanted(Whom.ALL_BUT, None, keep_folder)]),
        *([] if only_folder is None else [Wanted(Whom.ONLY, None, only_folder)]),
    ]
    if len(given) != 1:
        raise InvalidRequest(
            f"{'Nobody is' if not given else 'Several are'} named whose faces to hide. Give one of"
            " --all, --keep NAME, --only NAME, --keep-folder FOLDER and --only-folder FOLDER."
        )
    if footage is not None and given[0].collection is None:
        raise InvalidRequest(
            "--footage is for --keep and --only: no rules are asked otherwise. Leave it out."
        )
    return given[0]
