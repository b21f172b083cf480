"""Which cameras, streams and files are registered, and which stream processors search them."""

from likeness.sources.keys import counts_by_key, rewrap_keys
from likeness.sources.processors import (
    MOST_PROCESSORS,
    Processor,
    ProcessorDefinition,
    add_processor,
    change_tags,
    get_processor,
    list_processors,
    note_start,
    remove_processor,
)
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
    "MOST_PROCESSORS",
    "MOST_SOURCES",
    "Processor",
    "ProcessorDefinition",
    "Source",
    "SourceKind",
    "add_processor",
    "add_source",
    "address_of",
    "change_tags",
    "checked_source_name",
    "counts_by_key",
    "get_processor",
    "get_source",
    "is_registered",
    "list_processors",
    "list_sources",
    "note_start",
    "remove_processor",
    "remove_source",
    "rewrap_keys",
]
