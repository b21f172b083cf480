"""Where copies of the pictures or clips that a command was given are written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from likeness.errors import InvalidRequest

Given = TypeVar("Given")


def copies_of(
    given: Sequence[Given],
    out: Path,
    *,
    kind: str,
    called: str,
    suffixes: Sequence[str],
    name_of: Callable[[Given], str],
    file_of: Callable[[Given], Path | None],
) -> dict[Given, Path]:
    """Say where the copy of each picture or clip goes: to `out`, or into it where it is a folder.

    Args:
        given: what was given.
        out: a file for one, or a folder for any number.
        kind: what is copied, such as `picture`.
        called: what the copies are called, such as `annotated`.
        suffixes: what the name of a copy ends in.
        name_of: names a copy that lies in a folder.
        file_of: says which file one is; None where it is none.

    Raises:
        InvalidRequest: a copy would replace what was given, or share its name with another.
    """
    if len(given) == 1 and not out.is_dir():
        if out.suffix.lower() not in suffixes:
            *others, last = suffixes
            ends = f"{', '.join(others)} or {last}" if others else last
            raise InvalidRequest(f"'{out}' is no name for a {kind}. Give one that ends in {ends}.")
        copies = {given[0]: out}
    elif not out.is_dir():
        raise InvalidRequest(
            f"'{out}' is no folder, and {called} copies of several {kind}s need one. Make it."
        )
    else:
        copies = {one: out / name_of(one) for one in given}
    if len(set(copies.values())) < len(copies):
        raise InvalidRequest(
            f"Several {kind}s have the same name, and their copies would lie in one folder. Give"
            " them one at a time."
        )
    files = [file for one in given if (file := file_of(one)) is not None]
    if any(_same_file(copy, file) for copy in copies.values() for file in files):
        raise InvalidRequest(
            f"'{out}' would replace a {kind} by its {called} copy. Name another place."
        )
    return copies


def _same_file(copy: Path, file: Path) -> bool:
    return copy.exists() and file.exists() and copy.samefile(file)
