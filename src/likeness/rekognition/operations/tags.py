"""TagResource, UntagResource, ListTagsForResource: of collections and stream processors."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from likeness.gallery import MOST_TAGS
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.pictures import invalid_parameters
from likeness.service.enrol import collections
from likeness.service.live import processors
from likeness.service.live.processor_tags import TooManyProcessorTags
from likeness.service.uses import Caller, Rows

# The region is whatever the caller signs for. CreateCollection's answer has no `arn:`.
_ARN = re.compile(
    r"(?:arn:)?aws[a-z-]*:rekognition:[a-z0-9-]+:([0-9]{12}):(collection|streamprocessor)/([\w.\-]+)",
    re.A,
)


@dataclass(frozen=True, slots=True)
class _Acts:
    """What is done with the tags of one kind of resource."""

    put: Callable[[Rows, Caller, str, Mapping[str, str]], None]
    remove: Callable[[Rows, Caller, str, Sequence[str]], None]
    all: Callable[[Rows, Caller, str], Mapping[str, str]]


_ACTS = {
    "collection": _Acts(
        collections.tag_collection, collections.untag_collection, collections.list_tags
    ),
    "streamprocessor": _Acts(
        processors.tag_processor, processors.untag_processor, processors.tags_of_processor
    ),
}


def tag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Give a resource tags; a key that it has gets the new value."""
    acts, name = _named(backend, request)
    try:
        acts.put(backend, call.caller, name, request["Tags"])
    except (collections.TooManyTags, TooManyProcessorTags) as error:
        raise too_many_tags() from error
    return {}


def untag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Take tags from a resource by their keys."""
    acts, name = _named(backend, request)
    acts.remove(backend, call.caller, name, request["TagKeys"])
    return {}


def list_tags_for_resource(backend: Backend, call: Call, request: Request) -> Response:
    """List the tags of a resource."""
    acts, name = _named(backend, request)
    return {"Tags": acts.all(backend, call.caller, name)}


def too_many_tags() -> AwsError:
    """Say that a resource can have no more tags."""
    return AwsError(
        "ServiceQuotaExceededException", f"A resource can have {MOST_TAGS} tags at most"
    )


def _named(backend: Backend, request: Request) -> tuple[_Acts, str]:
    found = _ARN.fullmatch(request["ResourceArn"])
    if found is None:
        raise invalid_parameters(
            "ResourceArn is no ARN of a collection or a stream processor, such as"
            f" arn:aws:rekognition:eu-west-1:{backend.account}:collection/NAME"
        )
    account, kind, name = found.groups()
    if account != backend.account:
        raise AwsError("ResourceNotFoundException", "The resource is of another account")
    return _ACTS[kind], name
