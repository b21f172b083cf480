"""Pictures that come again: files, folders, what manifests of enrolments list, and buckets."""

import mimetypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from likeness.buckets import Buckets
from likeness.errors import InvalidRequest, NotFound
from likeness.gallery import Reference
from likeness.service.enrol.csv_rows import each_row, inside
from likeness.service.enrol.sources import is_folder, picture_files
from likeness.vision.decode import DecodeLimits, Sample, inspect, read_sample

_BUCKET_PREFIXES = ("s3://", "bucket:")


@dataclass(frozen=True, slots=True)
class PictureAgain:
    """A picture that comes again.

    `place` says where from, such as its path; `read` reads it, and its header, when it is its turn.
    It is a sample that was enrolled before; or, where `reference` is set, the crop of that
    reference's face that was kept for review.
    """

    place: str
    read: Callable[[DecodeLimits], Sample]
    reference: Reference | None = None


def read_sources(sources: Sequence[str], buckets: Callable[[], Buckets]) -> list[PictureAgain]:
    """List the pictures of sources; whether they are there is seen when they are read.

    A source is a picture, a folder, or a manifest (`.csv`), which has a column `path`, relative to
    its folder, and its paths may not leave it; or `s3://BUCKET/PREFIX` or `bucket:BUCKET/PREFIX`,
    the objects of a bucket that are pictures by their names, or may be.

    Args:
        sources: as they were typed.
        buckets: gives what reads buckets; called where one is named.

    Raises:
        InvalidRequest: a manifest or a bucket's name is not as it must be, a folder cannot be
            listed, or sources hold nothing.
        NotFound: there is no such bucket.
        BucketsUnavailable: the storage of buckets fails.
    """
    in_buckets = [source for source in sources if source.startswith(_BUCKET_PREFIXES)]
    paths = [Path(source) for source in sources if not source.startswith(_BUCKET_PREFIXES)]
    named = [path for source in paths for path in _named(source)]
    files = picture_files(named) if paths else []
    pictures = [PictureAgain(str(path), partial(read_sample, path)) for path in files]
    return [*pictures, *_in_buckets(in_buckets, buckets())] if in_buckets else pictures


def _named(source: Path) -> Iterator[Path]:
    if source.suffix.lower() != ".csv" or is_folder(source):
        yield source
        return
    yield from each_row(source, ("path",), lambda row: inside(source.parent, row["path"]))


def _in_buckets(sources: Sequence[str], buckets: Buckets) -> Iterator[PictureAgain]:
    objects: dict[tuple[str, str], None] = {}  # each once, in the order of the sources
    for source in sources:
        _, _, place = source.partition("//" if source.startswith("s3://") else ":")
        bucket, _, prefix = place.partition("/")
        keys = [key for key in buckets.keys(bucket, prefix) if _may_be_picture(key)]
        if not keys:
            raise InvalidRequest(
                f"No pictures in {source!r}. Check the bucket and the prefix of its keys."
            )
        objects |= dict.fromkeys((bucket, key) for key in keys)
    for bucket, key in objects:
        yield PictureAgain(f"s3://{bucket}/{key}", partial(_read_object, buckets, bucket, key))


def _may_be_picture(key: str) -> bool:
    """Leave out what is hidden, and what its name says is something else."""
    kind, _ = mimetypes.guess_type(key)
    hidden = any(part.startswith(".") for part in key.split("/"))
    return not hidden and (kind is None or kind.startswith("image/"))


def _read_object(buckets: Buckets, bucket: str, key: str, limits: DecodeLimits) -> Sample:
    try:
        data = buckets.read(bucket, key, None, limits.max_bytes)
    except NotFound as error:  # it was listed a moment ago
        raise InvalidRequest(f"{key!r} cannot be read: {error}") from error
    return inspect(data, limits)
