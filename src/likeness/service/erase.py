"""Erase: take somebody out of a collection, for good."""

from collections.abc import Callable

from likeness.errors import NotFound
from likeness.gallery import references, subjects
from likeness.gallery.certificate import ErasureCertificate
from likeness.gallery.gallery import Gallery
from likeness.storage import Database


def erase_subject(
    database: Database,
    gallery: Gallery,
    collection: str,
    name: str,
    require_consent: Callable[[int], None],
) -> ErasureCertificate:
    """Erase the subject of a name with all their references; raises what `Gallery.finish` does.

    Args:
        database: where the gallery's rows are.
        gallery: what has the collection.
        collection: its name.
        name: the subject's, every character alike.
        require_consent: is told how many references there are, and raises if not to go on.

    Raises:
        NotFound: there is no such collection or subject.
        InvalidRequest: nobody can have that name.
    """
    _, opened = gallery.open(collection)
    subject = database.read(lambda connection: subjects.find(connection, opened.seal, name))
    if subject is None:
        raise NotFound(
            f"a subject of {collection!r} was expected and {name!r} is none: check the spelling;"
            " `likeness identify --collection` says how a face's subject is called"
        )
    held = database.read(lambda one: references.of_subject(one, opened.seal, subject.id))
    require_consent(len(held))
    return gallery.erasing.subject(collection, subject.id)
