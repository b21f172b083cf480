"""What there is to say of a collection, by every command that shows one."""

from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.words import several
from likeness.gallery import Collection
from likeness.vision.models.template_model import recogniser_of


def collection_json(collection: Collection) -> Json:
    """A collection and how much it holds."""
    size = collection.size
    return {
        "name": collection.name,
        "id": str(collection.id),
        "recogniser": recogniser_of(collection.model),
        "model": collection.model,
        "dimensions": collection.dimensions,
        "cohort": collection.cohort_version,
        "subjects": size.subjects,
        "references": size.references,
        "retention_days": collection.retention_days,
        "created_at": collection.created_at.isoformat(),
    }


def held_in_words(collection: Collection) -> str:
    """Say how much a collection holds, and how long."""
    size = collection.size
    kept = "for good"
    if collection.retention_days is not None:
        kept = f"for {several(collection.retention_days, 'day')}"
    return (
        f"{several(size.subjects, 'subject')}, {several(size.references, 'reference')}, kept {kept}"
    )
