"""What there is to say of a collection, by every command that shows one."""

from likeness.app.home import Home
from likeness.cli.answers import Json
from likeness.cli.words import several
from likeness.gallery.collections import Collection


def collection_json(home: Home, collection: Collection) -> Json:
    """A collection and how much it holds."""
    size = home.gallery.size(collection.name)
    return {
        "name": collection.name,
        "id": str(collection.id),
        "model": collection.model,
        "dimensions": collection.dimensions,
        "cohort": collection.cohort_version,
        "subjects": size.subjects,
        "references": size.references,
        "retention_days": collection.retention_days,
        "created_at": collection.created_at.isoformat(),
    }


def held_in_words(home: Home, collection: Collection) -> str:
    """Say how much a collection holds, and how long."""
    size = home.gallery.size(collection.name)
    kept = "for good"
    if collection.retention_days is not None:
        kept = f"for {several(collection.retention_days, 'day')}"
    return (
        f"{several(size.subjects, 'subject')}, {several(size.references, 'reference')}, kept {kept}"
    )
