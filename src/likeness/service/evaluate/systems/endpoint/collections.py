"""Collections that an evaluation makes at an endpoint, and deletes: galleries, and version checks.

Each is in the journal before it is made, so that none is forgotten that a killed run left behind.
"""

import re
import secrets
from collections.abc import Collection, Iterator

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint.answers import version_of
from likeness.service.evaluate.systems.endpoint.asking import Asker
from likeness.service.evaluate.systems.endpoint.client import Unanswered, Unusable
from likeness.service.evaluate.systems.endpoint.journal import Key

_PREFIX = "likeness-evaluation-"
# A journal that somebody else wrote names no others: what it names is deleted.
_OURS = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")
_KIND = "collection"
VERSION = "version"
MAKING, MADE, DELETED = "making", "made", "deleted"


def make_collection(asker: Asker, gallery: str) -> str:
    """Make a collection for a gallery with a fingerprint, or for none; gives its name.

    Raises:
        Unusable, Unanswered: the endpoint makes none.
        LikenessError: nothing more can be asked.
    """
    name = f"{_PREFIX}{secrets.token_hex(8)}"
    asker.journal.append((_KIND, name), {"state": MAKING, "gallery": gallery})
    made = asker.client.call("CreateCollection", CollectionId=name)
    entry = {"state": MADE, "gallery": gallery}
    asker.journal.append((_KIND, name), entry)
    asker.journal.append((VERSION, name), {"v": version_of(made.body)})
    return name


def collection_of(asker: Asker, gallery: str) -> tuple[str, str] | None:
    """Give the name and state of the latest collection for a gallery, if one was ever made."""
    found = None
    for key, entry in asker.journal:
        if _is_ours(key) and entry.get("gallery") == gallery:
            found = key[1], str(entry.get("state"))
    return found


def is_there(asker: Asker, name: str) -> bool:
    """Ask whether a collection still exists."""
    try:
        asker.client.call("DescribeCollection", CollectionId=name)
    except Unusable:
        return False
    except Unanswered:
        return True
    return True


def delete_collection(asker: Asker, name: str, gallery: str) -> str | None:
    """Delete a collection; gives what is wrong where that fails, None where it is gone.

    Raises:
        LikenessError: nothing more can be asked.
    """
    try:
        asker.client.call("DeleteCollection", CollectionId=name)
    except Unusable as error:
        if error.code != "ResourceNotFoundException":
            return str(error)
    except Unanswered as error:
        return str(error)
    asker.journal.append((_KIND, name), {"state": DELETED, "gallery": gallery})
    return None


def delete_leftovers(asker: Asker, keep: Collection[str] = ()) -> list[str]:
    """Delete what earlier runs left behind, but for the collections to keep.

    Gives the names of those that could not be deleted.
    """
    return [
        name
        for name, gallery in leftovers(asker)
        if name not in keep and delete_collection(asker, name, gallery) is not None
    ]


def leftovers(asker: Asker) -> list[tuple[str, str]]:
    """Name the collections that were made and not deleted, each with its gallery's fingerprint."""
    return [
        (key[1], str(entry.get("gallery")))
        for key, entry in asker.journal
        if _is_ours(key) and entry.get("state") != DELETED
    ]


def _is_ours(key: Key) -> bool:
    return len(key) == 2 and key[0] == _KIND and _OURS.fullmatch(key[1]) is not None


def note_version(asker: Asker) -> None:
    """Ask which model faces are compared with now: a collection that is made says it.

    CompareFaces itself does not. Where the endpoint has no collections, or does not let us make
    one, nobody knows.
    """
    try:
        name = make_collection(asker, "")
        delete_collection(asker, name, "")
    except (Unusable, Unanswered, InvalidRequest):
        return


def versions(asker: Asker) -> Iterator[tuple[Key, str]]:
    """Give each call of the journal with the model that compared faces then, as far as it is known.

    What a call itself says counts; else what a collection last said that was made before.
    """
    version = ""
    for key, entry in asker.journal:
        version = str(entry.get("v") or version)
        yield key, version
