"""TagResource, UntagResource, ListTagsForResource: collections alone have tags."""

import re
from collections.abc import Mapping

from sqlalchemy import Connection

from likeness.gallery import MOST_TAGS, OpenCollection
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.asking import recorded, target_named
from likeness.rekognition.operations.pictures import invalid_parameters
from likeness.service.uses.collection_facts import (
    declared_by,
    needed_to_tag,
    require_known_tags,
)
from likeness.service.uses.record import Outcome
from likeness.terms import Action

# The region is whatever the caller signs for.
_ARN = re.compile(r"arn:aws[a-z-]*:rekognition:[a-z0-9-]+:([0-9]{12}):collection/([\w.\-]+)", re.A)


def tag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Give a collection tags; a key that it has gets the new value."""
    tagged = request["Tags"]
    action = needed_to_tag(tagged)
    of = _target(backend, call, request, action)

    def put(connection: Connection) -> None:
        tags = of.within(connection).tags
        require_few(tags.all() | tagged)
        tags.put(tagged)

    with recorded(backend, call, action, of) as record:
        require_known_tags(tagged)
        record.write(put, lambda _: Outcome(details=declared_by("tagged", tagged)))
    return {}


def untag_resource(backend: Backend, call: Call, request: Request) -> Response:
    """Take tags from a collection by their keys."""
    keys = request["TagKeys"]
    action = needed_to_tag(keys)
    of = _target(backend, call, request, action)

    def remove(connection: Connection) -> None:
        of.within(connection).tags.remove(keys)

    with recorded(backend, call, action, of) as record:
        record.write(remove, lambda _: Outcome(details=declared_by("untagged", keys)))
    return {}


def list_tags_for_resource(backend: Backend, call: Call, request: Request) -> Response:
    """List the tags of a collection."""
    of = _target(backend, call, request, Action.READ)
    with recorded(backend, call, Action.READ, of) as record:
        tagged = of.read(lambda rows: rows.tags.all())
        record.answered(Outcome())
    return {"Tags": tagged}


def require_few(tagged: Mapping[str, str]) -> None:
    """Refuse more tags than a collection can have."""
    if len(tagged) > MOST_TAGS:
        raise AwsError(
            "ServiceQuotaExceededException", f"A resource can have {MOST_TAGS} tags at most"
        )


def _target(backend: Backend, call: Call, request: Request, action: Action) -> OpenCollection:
    found = _ARN.fullmatch(request["ResourceArn"])
    if found is None:
        raise invalid_parameters()
    account, name = found.groups()
    if account != backend.account:
        raise AwsError("ResourceNotFoundException", "The resource is of another account")
    return target_named(backend, call, name, action)
