"""TagResource, UntagResource, ListTagsForResource: collections alone have tags."""

import re

from likeness.gallery import MOST_TAGS
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.pictures import invalid_parameters
from likeness.service.enrol import collections as acts

# The region is whatever the caller signs for.
_ARN = re.compile(r"arn:aws[a-z-]*:rekognition:[a-z0-9-]+:([0-9]{12}):collection/([\w.\-]+)", re.A)


def tag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Give a collection tags; a key that it has gets the new value."""
    try:
        acts.tag_collection(backend, call.caller, _named(backend, request), request["Tags"])
    except acts.TooManyTags as error:
        raise too_many_tags() from error
    return {}


def untag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Take tags from a collection by their keys."""
    acts.untag_collection(backend, call.caller, _named(backend, request), request["TagKeys"])
    return {}


def list_tags_for_resource(backend: Backend, call: Call, request: Request) -> Response:
    """List the tags of a collection."""
    return {"Tags": acts.list_tags(backend, call.caller, _named(backend, request))}


def too_many_tags() -> AwsError:
    """Say that a collection can have no more tags."""
    return AwsError(
        "ServiceQuotaExceededException", f"A resource can have {MOST_TAGS} tags at most"
    )


def _named(backend: Backend, request: Request) -> str:
    found = _ARN.fullmatch(request["ResourceArn"])
    if found is None:
        raise invalid_parameters()
    account, name = found.groups()
    if account != backend.account:
        raise AwsError("ResourceNotFoundException", "The resource is of another account")
    return name
