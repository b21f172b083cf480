"""CreateCollection, DescribeCollection, ListCollections, DeleteCollection."""

import struct

from likeness.access import may
from likeness.errors import AlreadyExists, Denied, NotFound
from likeness.gallery import Collection, OpenCollection
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.asking import (
    missing_collection,
    recorded,
    target,
)
from likeness.rekognition.operations.tags import require_few
from likeness.rekognition.operations.words import collection_arn, face_model_version
from likeness.service.enrol.create_collection import create_collection as create
from likeness.service.erase.erase_collection import erase_collection
from likeness.service.uses.collection_facts import declares, needed_to_tag
from likeness.service.uses.record import Outcome
from likeness.terms import Action

_OK = 200
_A_PAGE = 1000
# The moment it was made, in microseconds, and its id: what lists go by.
_PLACE = struct.Struct(">q16s")


def create_collection(backend: Backend, call: Call, request: Request) -> Response:
    """Make an empty collection of the model that new ones take."""
    name, tagged = request["CollectionId"], request.get("Tags", {})
    require_few(tagged)
    # Tags that rules go by are an admin's; a collection without them is not.
    with recorded(backend, call, needed_to_tag(tagged)) as record:
        try:
            collection = create(
                record, backend.gallery, name, backend.templates_of(None), tagged, backend.clock()
            )
        except AlreadyExists as error:
            raise AwsError(
                "ResourceAlreadyExistsException", f"The collection id: {name} already exists."
            ) from error
    return {
        "StatusCode": _OK,
        "CollectionArn": collection_arn(collection, call.region, backend.account),
        "FaceModelVersion": face_model_version(collection.model),
    }


def describe_collection(backend: Backend, call: Call, request: Request) -> Response:
    """Say how large a collection is, of which model, and since when it is there."""
    of = target(backend, call, request, Action.READ)
    with recorded(backend, call, Action.READ, of) as record:
        size = of.size
        record.answered(Outcome())
    return {
        "FaceCount": size.references,
        "UserCount": size.subjects,
        "FaceModelVersion": face_model_version(of.model),
        "CollectionARN": "arn:" + collection_arn(of, call.region, backend.account),
        "CreationTimestamp": of.created_at,
    }


def list_collections(backend: Backend, call: Call, request: Request) -> Response:
    """List collections in the order they were made."""
    after = backend.page_tokens.place(call, request, None) or b""
    limit = request.get("MaxResults") or _A_PAGE
    with recorded(backend, call, Action.READ) as record:
        listed = sorted(backend.gallery.collections(), key=_place)
        record.answered(Outcome())
    left = [one for one in listed if _place(one) > after]
    page, more = left[:limit], len(left) > limit
    return {
        "CollectionIds": [one.name for one in page],
        "FaceModelVersions": [face_model_version(one.model) for one in page],
        "NextToken": backend.page_tokens.token(call, request, None, _place(page[-1]))
        if more
        else None,
    }


def delete_collection(backend: Backend, call: Call, request: Request) -> Response:
    """Erase a collection."""
    of = target(backend, call, request, Action.ERASE)
    with recorded(backend, call, Action.ERASE, of) as record:
        _require_undeclared(backend, call, of)
        try:
            erase_collection(record, backend.gallery, of, backend.clock())
        except NotFound as error:
            raise missing_collection(of.name) from error
    return {"StatusCode": _OK}


def _require_undeclared(backend: Backend, call: Call, of: OpenCollection) -> None:
    """Refuse an end of what an admin declared: made anew, a collection would be undeclared.

    Raises:
        Denied: an admin has to do it.
    """
    if may(call.principal.role, Action.GOVERN):
        return
    if declares(of.read(lambda rows: rows.tags.all())):
        raise Denied(
            "an admin was expected, since the collection has tags that rules go by (likeness:) and"
            " would have none when it is made anew: ask one, or delete its faces instead"
        )


def _place(collection: Collection) -> bytes:
    made = int(collection.created_at.timestamp() * 1e6)
    return _PLACE.pack(made, collection.id.bytes)
