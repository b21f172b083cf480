"""CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces: users are our subjects."""

import struct
from uuid import UUID

from pydantic import TypeAdapter

from likeness.errors import AlreadyExists, NotFound
from likeness.gallery import CollectionRows, Subject
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.asking import once, recorded, target
from likeness.service.enrol.assign import (
    AssignDemands,
    Assigned,
    Refusal,
    SubjectFull,
    Why,
    assign,
    unassign,
)
from likeness.service.enrol.create_subject import create_subject
from likeness.service.erase.dissolve_subject import dissolve_subject
from likeness.service.uses.record import Outcome
from likeness.terms import Action

# Ours is done when it is answered; what AWS answers at that moment is `UPDATING`.
CREATED, UPDATING, ACTIVE = "CREATED", "UPDATING", "ACTIVE"
_THRESHOLD = 75.0
_MOST_FACES = 100
_A_PAGE = 500
_ID, _ASSIGNED = TypeAdapter(UUID), TypeAdapter(Assigned)
_PLACE = struct.Struct("<q")
_REASONS = {
    Why.MISSING: "FACE_NOT_FOUND",
    Why.ANOTHERS: "ASSOCIATED_TO_A_DIFFERENT_USER",
    Why.UNLIKE: "LOW_MATCH_CONFIDENCE",
}


def create_user(backend: Backend, call: Call, request: Request) -> Response:
    """Make a user without faces."""
    of = target(backend, call, request, Action.ARRANGE)
    name = request["UserId"]
    with recorded(backend, call, Action.ARRANGE, of) as record:
        first = once(backend, call, request, of, _ID)
        try:
            create_subject(record, of, name, backend.clock(), first)
        except AlreadyExists as error:
            raise AwsError("ConflictException", f"The user id: {name} already exists.") from error
    return {}


def delete_user(backend: Backend, call: Call, request: Request) -> Response:
    """Remove a user; their faces stay in the collection."""
    of = target(backend, call, request, Action.ERASE)
    name = request["UserId"]
    with recorded(backend, call, Action.ERASE, of) as record:
        first = once(backend, call, request, of, _ID)
        try:
            dissolve_subject(record, backend.gallery, of, name, backend.clock(), first)
        except NotFound as error:
            raise missing_user(name) from error
    return {}


def list_users(backend: Backend, call: Call, request: Request) -> Response:
    """List the users of a collection in the order they came."""
    of = target(backend, call, request, Action.READ)
    place = backend.page_tokens.place(call, request, of.id)
    after = 0 if place is None else _PLACE.unpack(place)[0]
    limit = request.get("MaxResults", _A_PAGE)

    def listed(rows: CollectionRows) -> tuple[list[Subject], dict[int, int]]:
        page = rows.subjects.page(after=after, limit=limit + 1)
        return page, rows.subjects.sizes([one.number for one in page])

    with recorded(backend, call, Action.READ, of) as record:
        page, sizes = of.read(listed)
        page, more = page[:limit], len(page) > limit
        record.answered(Outcome())
    token = None
    if more:
        last = _PLACE.pack(page[-1].number)
        token = backend.page_tokens.token(call, request, of.id, last)
    return {
        "Users": [
            {"UserId": one.name, "UserStatus": ACTIVE if one.number in sizes else CREATED}
            for one in page
        ],
        "NextToken": token,
    }


def associate_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Make faces a user's, as far as they are like those that the user has."""
    of = target(backend, call, request, Action.SEARCH)
    name = request["UserId"]
    demands = AssignDemands(request.get("UserMatchThreshold", _THRESHOLD), _MOST_FACES)
    # One user is compared with up to a hundred faces: a search, whose answer has scores.
    with recorded(backend, call, Action.SEARCH, of) as record:
        try:
            done = assign(
                record,
                of,
                name,
                [UUID(one) for one in request["FaceIds"]],
                backend.calibration_of(of),
                demands,
                once(backend, call, request, of, _ASSIGNED),
            )
        except NotFound as error:
            raise missing_user(name) from error
        except SubjectFull as error:
            raise AwsError(
                "ServiceQuotaExceededException",
                f"The user id: {name} can have {_MOST_FACES} faces at most.",
            ) from error
    return {
        "AssociatedFaces": [{"FaceId": str(one)} for one in done.reference_ids],
        "UnsuccessfulFaceAssociations": [
            {**_unsuccessful(one), "Confidence": one.similarity} for one in done.refused
        ],
        "UserStatus": UPDATING,
    }


def disassociate_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Take faces from a user; they stay in the collection."""
    of = target(backend, call, request, Action.ARRANGE)
    name = request["UserId"]
    with recorded(backend, call, Action.ARRANGE, of) as record:
        try:
            done = unassign(
                record,
                of,
                name,
                [UUID(one) for one in request["FaceIds"]],
                once(backend, call, request, of, _ASSIGNED),
            )
        except NotFound as error:
            raise missing_user(name) from error
    return {
        "DisassociatedFaces": [{"FaceId": str(one)} for one in done.reference_ids],
        "UnsuccessfulFaceDisassociations": [_unsuccessful(one) for one in done.refused],
        "UserStatus": UPDATING,
    }


def missing_user(name: str) -> AwsError:
    """Say that a collection has no user of a name."""
    return AwsError("ResourceNotFoundException", f"The user id: {name} does not exist")


def _unsuccessful(one: Refusal) -> Response:
    """Say why a face stays whose it is."""
    return {
        "FaceId": str(one.reference_id),
        "UserId": one.subject,
        "Reasons": [_REASONS[one.why]],
    }
