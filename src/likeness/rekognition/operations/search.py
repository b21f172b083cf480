"""SearchFaces, SearchFacesByImage, SearchUsers, SearchUsersByImage."""

from functools import partial
from uuid import UUID

from likeness.errors import NotFound, required
from likeness.gallery import By, OpenCollection
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.asking import recorded, say_rates, target
from likeness.rekognition.operations.pictures import MOST_FACES, invalid_parameters, picture
from likeness.rekognition.operations.users import ACTIVE, missing_user
from likeness.rekognition.operations.words import (
    bounding_box,
    face_detail,
    face_model_version,
    known_face,
    quality_bar,
)
from likeness.service.search.naming import expected_false
from likeness.service.search.search_collection import (
    Demands,
    Match,
    SampleSearch,
    search_enrolled,
    search_sample,
)
from likeness.service.uses.record import Record
from likeness.terms import Action, Face

_THRESHOLD = 80.0
# AWS says of neither what it is without a request's own.
_MATCHES = 100


def search_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Find the faces that a face of the collection is like, itself left out."""
    of = target(backend, call, request, Action.SEARCH)
    face_id = UUID(request["FaceId"])
    demands = _of_faces(request)
    with recorded(backend, call, Action.SEARCH, of) as record:
        matches = _like_face(backend, of, record, face_id, demands)
        _say_what_to_expect(backend, call, of, demands)
    return {
        "SearchedFaceId": request["FaceId"],
        "FaceMatches": [_face_match(match) for match in matches],
        "FaceModelVersion": face_model_version(of.model),
    }


def search_faces_by_image(backend: Backend, call: Call, request: Request) -> Response:
    """Find the faces that the largest face of a picture is like."""
    of = target(backend, call, request, Action.SEARCH)
    found = _by_image(backend, call, request, of, _of_faces(request), largest_alone=True)
    if found.matches is None:
        raise AwsError(
            "InvalidParameterException",
            "There are no faces in the image. Should be at least 1.",
        )
    face = found.located.faces[0]
    return {
        "SearchedFaceBoundingBox": bounding_box(face.box, _size(found)),
        "SearchedFaceConfidence": 100 * face.confidence,
        "FaceMatches": [_face_match(match) for match in found.matches],
        "FaceModelVersion": face_model_version(of.model),
    }


def search_users(backend: Backend, call: Call, request: Request) -> Response:
    """Find the users whom a face, or another user, of the collection is like."""
    if ("FaceId" in request) == ("UserId" in request):
        raise invalid_parameters()
    of = target(backend, call, request, Action.SEARCH)
    demands = _of_users(request)
    answer: Response
    with recorded(backend, call, Action.SEARCH, of) as record:
        if "FaceId" in request:
            matches = _like_face(backend, of, record, UUID(request["FaceId"]), demands)
            answer = {"SearchedFace": {"FaceId": request["FaceId"]}}
        else:
            matches = _like_user(backend, of, record, request["UserId"], demands)
            answer = {"SearchedUser": {"UserId": request["UserId"]}}
        _say_what_to_expect(backend, call, of, demands)
    return {
        "UserMatches": [_user_match(match) for match in matches],
        "FaceModelVersion": face_model_version(of.model),
        **answer,
    }


def search_users_by_image(backend: Backend, call: Call, request: Request) -> Response:
    """Find the users whom the largest face of a picture is like; no face is an answer too."""
    of = target(backend, call, request, Action.SEARCH)
    bar = quality_bar(request, "NONE")
    found = _by_image(backend, call, request, of, _of_users(request), largest_alone=False)
    searched, size = found.matches is not None, _size(found)
    faces = found.located.faces[:MOST_FACES]

    def why_not(place: int, face: Face) -> list[str]:
        against = [] if bar is None else [str(reason) for reason in bar.speaks_against(face)]
        return against if place == 0 else ["FACE_NOT_LARGEST", *against]

    return {
        "UserMatches": [_user_match(match) for match in found.matches or ()],
        "FaceModelVersion": face_model_version(of.model),
        "SearchedFace": {"FaceDetail": face_detail(faces[0], size)} if searched else None,
        "UnsearchedFaces": [
            {"FaceDetails": face_detail(face, size), "Reasons": why_not(place, face)}
            for place, face in enumerate(faces)
            if place > 0 or not searched
        ],
    }


def _say_what_to_expect(backend: Backend, call: Call, of: OpenCollection, demands: Demands) -> None:
    """Say in headers how many false candidates such a search gives, by whose rates."""
    measured = of.measured_then()
    say_rates(
        call,
        expected_false(
            backend.calibration_of(of),
            None if measured is None else measured.plain,
            of.size.references,
            demands.threshold,
        ),
    )


def _by_image(
    backend: Backend,
    call: Call,
    request: Request,
    of: OpenCollection,
    demands: Demands,
    *,
    largest_alone: bool,
) -> SampleSearch:
    read = picture(backend, request["Image"])
    with recorded(backend, call, Action.SEARCH, of) as record:
        finder = backend.finder_of(of)
        found = search_sample(
            record,
            of,
            backend.calibration_of,
            finder,
            finder.locate_largest if largest_alone else finder.locate,
            read,
            demands,
            quality_bar(request, "NONE"),
        )
        _say_what_to_expect(backend, call, of, demands)
    return found


def _like_face(
    backend: Backend, of: OpenCollection, record: Record, face_id: UUID, demands: Demands
) -> tuple[Match, ...]:
    search = partial(of.search_reference, face_id, by=demands.by)
    try:
        return search_enrolled(record, search, face_id, backend.calibration_of(of), demands)
    except NotFound as error:
        raise AwsError(
            "InvalidParameterException", "faceId was not found in the collection"
        ) from error


def _like_user(
    backend: Backend, of: OpenCollection, record: Record, user: str, demands: Demands
) -> tuple[Match, ...]:
    subject = of.read(lambda rows: rows.subjects.find(user))
    if subject is None:
        raise missing_user(user)
    search = partial(of.search_subject, subject.id)
    return search_enrolled(record, search, subject.id, backend.calibration_of(of), demands)


def _of_faces(request: Request) -> Demands:
    threshold = request.get("FaceMatchThreshold", _THRESHOLD)
    return Demands(By.REFERENCE, request.get("MaxFaces", _MATCHES), threshold)


def _of_users(request: Request) -> Demands:
    threshold = request.get("UserMatchThreshold", _THRESHOLD)
    return Demands(By.SUBJECT, request.get("MaxUsers", _MATCHES), threshold)


def _face_match(match: Match) -> Response:
    reference = required(match.candidate.reference, "the reference that a search found")
    return {"Similarity": match.similarity, "Face": known_face(reference, match.candidate.subject)}


def _user_match(match: Match) -> Response:
    subject = required(match.candidate.subject, "the subject that a search found")
    # Whoever is found has references, so that the status is this one.
    return {
        "Similarity": match.similarity,
        "User": {"UserId": subject.name, "UserStatus": ACTIVE},
    }


def _size(found: SampleSearch) -> tuple[int, int]:
    return found.located.image.width, found.located.image.height
