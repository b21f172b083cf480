"""Which cameras, streams and files are registered, their addresses sealed."""

from likeness.sources.keys import counts_by_key, rewrap_keys
from likeness.sources.rows import (
    add_source,
    address_of,
    get_source,
    is_registered,
    list_sources,
    remove_source,
)
from likeness.sources.source import MOST_SOURCES, Source, SourceKind, checked_source_name

__all__ = [
    "MOST_SOURCES",
    "Source",
    "SourceKind",
    "add_source",
    "address_of",
    "checked_source_name",
    "counts_by_key",
    "get_source",
    "is_registered",
    "list_sources",
    "remove_source",
    "rewrap_keys",
]
