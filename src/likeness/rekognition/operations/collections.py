"""CreateCollection, DescribeCollection, ListCollections, DeleteCollection."""

import struct

from likeness.errors import AlreadyExists
from likeness.gallery import Collection
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.tags import too_many_tags
from likeness.rekognition.operations.words import collection_arn, face_model_version
from likeness.service.enrol import collections as acts
from likeness.service.erase.erase import erase_collection

_OK = 200
_A_PAGE = 1000
# The moment it was made, in microseconds, and its id: what lists go by.
_PLACE = struct.Struct(">q16s")


def create_collection(backend: Backend, call: Call, request: Request) -> Response:
    """Make an empty collection of the model that new ones take."""
    name = request["CollectionId"]
    try:
        collection = acts.create_collection(
            backend, call.caller, name, tagged=request.get("Tags", {})
        )
    except AlreadyExists as error:
        raise AwsError(
            "ResourceAlreadyExistsException", f"The collection id: {name} already exists."
        ) from error
    except acts.TooManyTags as error:
        raise too_many_tags() from error
    return {
        "StatusCode": _OK,
        "CollectionArn": collection_arn(collection, call.region, backend.account),
        "FaceModelVersion": face_model_version(collection.model),
    }


def describe_collection(backend: Backend, call: Call, request: Request) -> Response:
    """Say how large a collection is, of which model, and since when it is there."""
    of = acts.describe_collection(backend, call.caller, request["CollectionId"])
    return {
        "FaceCount": of.size.references,
        "UserCount": of.size.subjects,
        "FaceModelVersion": face_model_version(of.model),
        "CollectionARN": "arn:" + collection_arn(of, call.region, backend.account),
        "CreationTimestamp": of.created_at,
    }


def list_collections(backend: Backend, call: Call, request: Request) -> Response:
    """List collections in the order they were made."""
    after = backend.page_tokens.place(call, request, None) or b""
    limit = request.get("MaxResults") or _A_PAGE
    listed = sorted(acts.list_collections(backend, call.caller), key=_place)
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
    erase_collection(backend, call.caller, request["CollectionId"])
    return {"StatusCode": _OK}


def _place(collection: Collection) -> bytes:
    made = int(collection.created_at.timestamp() * 1e6)
    return _PLACE.pack(made, collection.id.bytes)
