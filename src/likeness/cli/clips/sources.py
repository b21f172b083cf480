"""Which files are meant: pictures or clips, told apart by what they hold and never by their names.

A folder stands for the clips in it, to the bottom, and `s3://BUCKET/PREFIX` for those of a bucket,
whose names have to do until they are opened. A folder that cannot be read, or without a clip among
others, is given as one of them: whoever reads it tells of it, and goes on.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.standard_input import STANDARD_INPUT, picture_path
from likeness.cli.terminal.words import several
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.service.enrol.sources import is_folder
from likeness.video import looks_like_clip
from likeness.vision.decode import is_picture

if TYPE_CHECKING:
    # Whoever names pictures does not wait for a database, nor for AWS's client.
    from likeness.service.video.asked import BucketClip, LocalClip

ClipPlace: TypeAlias = "BucketClip | LocalClip"

_S3 = "s3://"
_LOOKED_AT_BYTES = 4096
# Files of these names are clips, whatever is in them: one that is none is told of.
_SUFFIXES = frozenset(
    [
        ".3g2",
        ".3gp",
        ".asf",
        ".avi",
        ".divx",
        ".dv",
        ".f4v",
        ".flv",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpe",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogm",
        ".ogv",
        ".rm",
        ".rmvb",
        ".vob",
        ".webm",
        ".wmv",
    ]
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a command was given: pictures, or clips, in the order of naming."""

    pictures: tuple[Path, ...] = ()
    clips: tuple[ClipPlace, ...] = ()


def sources_of(given: Sequence[str], settings: Settings) -> Sources:
    """Tell apart what was given.

    Raises:
        InvalidRequest: both kinds are given, a bucket, or all that is given, has no clip, or a name
            is none.
        NotFound: there is no such bucket.
        BucketsUnavailable: the buckets cannot be listed.
    """
    pictures: list[Path] = []
    clips: list[ClipPlace] = []
    unclear: list[Path] = []
    unread = False
    for one in given:
        if one.startswith(_S3):
            clips += _in_bucket(one, settings)
            continue
        path = picture_path(one)
        if path == STANDARD_INPUT:
            pictures.append(path)
        elif is_folder(path):
            found, closed = _in_folder(path)
            if found:
                clips += map(_local, sorted(found + closed))
            else:
                unclear += closed or [path]
                unread |= bool(closed)
        elif _is_clip(path):
            clips.append(_local(path))
        else:
            pictures.append(path)
    if pictures and clips:
        raise InvalidRequest(
            f"Pictures and clips are given together, such as '{pictures[0]}' and"
            f" {clips[0].name}. Give each kind a command of its own."
        )
    if pictures:
        pictures += unclear
    elif clips or unread:
        clips += map(_local, unclear)
    elif unclear:
        raise InvalidRequest(
            f"'{unclear[0]}' is a folder without a clip. Name a folder of clips, or pictures one by"
            " one."
        )
    return Sources(tuple(pictures), tuple(dict.fromkeys(clips)))


def _is_clip(path: Path) -> bool:
    """Say whether a file is to be read as a clip; its name decides where its content cannot."""
    head = _head(path)
    if head is None:
        return _has_its_name(path.name)
    return not is_picture(head) and (looks_like_clip(head) or _has_its_name(path.name))


def _head(path: Path) -> bytes | None:
    with suppress(OSError, ValueError):
        # Reading a pipe or a device might never end.
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                return file.read(_LOOKED_AT_BYTES)
    return None


def _in_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """List the clips below a folder, and folders that cannot be read.

    Hidden files and links to folders are skipped.
    """
    clips, others, closed = list[Path](), 0, list[Path]()
    for path in _files(folder, closed):
        if _is_clip(path):
            clips.append(path)
        else:
            others += 1
    if clips and others:
        are = "is no clip and is" if others == 1 else "are no clips and are"
        warn(f"'{folder}': {several(others, 'file')} {are} left out")
    return clips, closed


def _files(folder: Path, closed: list[Path]) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _local(path: Path) -> "LocalClip":
    from likeness.service.video.asked import LocalClip

    return LocalClip(path)


def _in_bucket(given: str, settings: Settings) -> "list[BucketClip]":
    from likeness.app.buckets import buckets_of
    from likeness.service.video.asked import BucketClip

    buckets = buckets_of(settings)
    bucket, _, prefix = given.removeprefix(_S3).partition("/")
    keys = buckets.keys(bucket, prefix)
    # One that is named whole is taken at its word.
    found = [key for key in keys if key == prefix or _has_its_name(key)]
    if not found:
        raise InvalidRequest(
            f"'{given}' has no clip, such as a file that ends in .mp4. Name another bucket or"
            " prefix."
        )
    return [BucketClip(bucket, key) for key in found]


def _has_its_name(name: str) -> bool:
    return PurePath(name).suffix.lower() in _SUFFIXES
