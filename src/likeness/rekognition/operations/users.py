"""CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces: users are our subjects."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from likeness.errors import AlreadyExists
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.once import once
from likeness.service.enrol import subjects as acts
from likeness.service.enrol.subjects import AssignDemands, Refusal, SubjectFull, Why
from likeness.service.erase.erase import dissolve_subject
from likeness.service.uses import Once

# Ours is done when it is answered; what AWS answers at that moment is `UPDATING`.
CREATED, UPDATING, ACTIVE = "CREATED", "UPDATING", "ACTIVE"
_THRESHOLD = 75.0
_MOST_FACES = 100
_A_PAGE = 500
_UNLIKE_HEADER = "x-likeness-unlike"
_REASONS = {
    Why.MISSING: "FACE_NOT_FOUND",
    Why.ANOTHERS: "ASSOCIATED_TO_A_DIFFERENT_USER",
    Why.UNLIKE: "LOW_MATCH_CONFIDENCE",
}


def create_user(backend: Backend, call: Call, request: Request) -> Response:
    """Make a user without faces."""
    collection, name = request["CollectionId"], request["UserId"]
    with _once(backend, request) as once:
        acts.create_subject(backend, call.caller, collection, name, once)
    return {}


def delete_user(backend: Backend, call: Call, request: Request) -> Response:
    """Remove a user; their faces stay in the collection."""
    collection, name = request["CollectionId"], request["UserId"]
    with _once(backend, request) as once:
        dissolve_subject(backend, call.caller, collection, name, once)
    return {}


def list_users(backend: Backend, call: Call, request: Request) -> Response:
    """List the users of a collection in the order they came."""
    page = acts.list_subjects(
        backend,
        call.caller,
        request["CollectionId"],
        after=backend.page_tokens.after(call, request),
        limit=request.get("MaxResults", _A_PAGE),
    )
    return {
        "Users": [
            {"UserId": one.subject.name, "UserStatus": ACTIVE if one.references else CREATED}
            for one in page.listed
        ],
        "NextToken": backend.page_tokens.token_after(call, request, page),
    }


def associate_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Make faces a user's, as far as they are like those that the user has."""
    with _once(backend, request) as once:
        done = acts.assign_references(
            backend,
            call.caller,
            request["CollectionId"],
            request["UserId"],
            reference_ids=[UUID(one) for one in request["FaceIds"]],
            demands=AssignDemands(request.get("UserMatchThreshold", _THRESHOLD), _MOST_FACES),
            once=once,
        )
    if done.unlike:
        call.headers[_UNLIKE_HEADER] = str(done.unlike)
    return {
        "AssociatedFaces": [{"FaceId": str(one)} for one in done.reference_ids],
        "UnsuccessfulFaceAssociations": [
            {**_unsuccessful(one), "Confidence": one.similarity} for one in done.refused
        ],
        "UserStatus": UPDATING,
    }


def disassociate_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Take faces from a user; they stay in the collection."""
    with _once(backend, request) as once:
        done = acts.unassign_references(
            backend,
            call.caller,
            request["CollectionId"],
            request["UserId"],
            reference_ids=[UUID(one) for one in request["FaceIds"]],
            once=once,
        )
    return {
        "DisassociatedFaces": [{"FaceId": str(one)} for one in done.reference_ids],
        "UnsuccessfulFaceDisassociations": [_unsuccessful(one) for one in done.refused],
        "UserStatus": UPDATING,
    }


@contextmanager
def _once(backend: Backend, request: Request) -> Iterator[Once]:
    """Let a request take effect once for its token; word what stands against it."""
    name = request["UserId"]
    try:
        with once(backend, request) as one:
            yield one
    except AlreadyExists as error:
        raise AwsError("ConflictException", f"The user id: {name} already exists.") from error
    except SubjectFull as error:
        raise AwsError(
            "ServiceQuotaExceededException",
            f"The user id: {name} can have {_MOST_FACES} faces at most.",
        ) from error


def _unsuccessful(one: Refusal) -> Response:
    """Say why a face stays whose it is."""
    return {
        "FaceId": str(one.reference_id),
        "UserId": one.subject,
        "Reasons": [_REASONS[one.why]],
    }
