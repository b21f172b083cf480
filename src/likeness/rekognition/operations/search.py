"""SearchFaces, SearchFacesByImage, SearchUsers, SearchUsersByImage."""

from collections.abc import Sequence
from uuid import UUID

from likeness.errors import required
from likeness.gallery import By
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.faults import AwsError
from likeness.rekognition.operations.pictures import MOST_FACES, invalid_parameters, picture
from likeness.rekognition.operations.users import ACTIVE
from likeness.rekognition.operations.words import (
    bounding_box,
    face_detail,
    face_matches,
    face_model_version,
    quality_bar,
    say_rates,
    warn_of_groups,
)
from likeness.service.search.naming import SIMILARITY
from likeness.service.search.search import (
    Demands,
    EnrolledSearch,
    Faces,
    Match,
    NoSuchReference,
    SampleSearch,
    search_enrolled,
    search_sample,
)
from likeness.terms import Face

# AWS does not say what it is without a request's own.
_MATCHES = 100


def search_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Find the faces that a face of the collection is like, itself left out."""
    found = _like(backend, call, request, UUID(request["FaceId"]), _of_faces(request))
    return {
        "SearchedFaceId": request["FaceId"],
        "FaceMatches": face_matches(found.matches),
        "FaceModelVersion": face_model_version(found.collection.model),
    }


def search_faces_by_image(backend: Backend, call: Call, request: Request) -> Response:
    """Find the faces that the largest face of a picture is like."""
    found = _by_image(backend, call, request, _of_faces(request))
    if not found.searched:
        raise AwsError(
            "InvalidParameterException",
            "There are no faces in the image. Should be at least 1.",
        )
    (searched,) = found.searched
    face = searched.face.face
    return {
        "SearchedFaceBoundingBox": bounding_box(face.box, _size(found)),
        "SearchedFaceConfidence": 100 * face.confidence,
        "FaceMatches": face_matches(searched.matches),
        "FaceModelVersion": face_model_version(found.collection.model),
    }


def search_users(backend: Backend, call: Call, request: Request) -> Response:
    """Find the users whom a face, or another user, of the collection is like."""
    if ("FaceId" in request) == ("UserId" in request):
        raise invalid_parameters("give either a FaceId or a UserId")
    answer: Response
    if "FaceId" in request:
        whom: UUID | str = UUID(request["FaceId"])
        answer = {"SearchedFace": {"FaceId": request["FaceId"]}}
    else:
        whom = request["UserId"]
        answer = {"SearchedUser": {"UserId": whom}}
    found = _like(backend, call, request, whom, _of_users(request))
    return {
        "UserMatches": _user_matches(found.matches),
        "FaceModelVersion": face_model_version(found.collection.model),
        **answer,
    }


def search_users_by_image(backend: Backend, call: Call, request: Request) -> Response:
    """Find the users whom the largest face of a picture is like; no face is an answer too."""
    demands = _of_users(request)
    found = _by_image(backend, call, request, demands)
    size, faces = _size(found), found.located.faces

    def why_not(place: int, face: Face) -> list[str]:
        against = demands.bar.speaks_against(face) if demands.bar is not None else ()
        return [*(["FACE_NOT_LARGEST"] if place else []), *map(str, against)]

    return {
        "UserMatches": _user_matches([m for one in found.searched for m in one.matches]),
        "FaceModelVersion": face_model_version(found.collection.model),
        "SearchedFace": {"FaceDetail": face_detail(faces[0], size)} if found.searched else None,
        "UnsearchedFaces": [
            {"FaceDetails": face_detail(face, size), "Reasons": why_not(place, face)}
            for place, face in enumerate(faces)
            if place > 0 or not found.searched
        ],
    }


def _by_image(backend: Backend, call: Call, request: Request, demands: Demands) -> SampleSearch:
    read = picture(backend, request["Image"])
    found = search_sample(backend, call.caller, request["CollectionId"], read, demands)
    say_rates(call, found.expected)
    warn_of_groups(call, found.group_warning)
    return found


def _like(
    backend: Backend, call: Call, request: Request, whom: UUID | str, demands: Demands
) -> EnrolledSearch:
    try:
        found = search_enrolled(backend, call.caller, request["CollectionId"], whom, demands)
    except NoSuchReference as error:
        raise AwsError(
            "InvalidParameterException", "faceId was not found in the collection"
        ) from error
    say_rates(call, found.expected)
    warn_of_groups(call, found.group_warning)
    return found


def _of_faces(request: Request) -> Demands:
    return Demands(
        By.REFERENCE,
        request.get("MaxFaces", _MATCHES),
        request.get("FaceMatchThreshold", SIMILARITY),
        Faces.LARGEST,
        quality_bar(request, "NONE"),
    )


def _of_users(request: Request) -> Demands:
    return Demands(
        By.SUBJECT,
        request.get("MaxUsers", _MATCHES),
        request.get("UserMatchThreshold", SIMILARITY),
        Faces.LARGEST_OF_ALL,
        quality_bar(request, "NONE"),
        most_faces=MOST_FACES,
    )


def _size(found: SampleSearch) -> tuple[int, int]:
    return found.located.image.width, found.located.image.height


def _user_matches(matches: Sequence[Match]) -> list[Response]:
    # Whoever is found has references, so that the status is this one.
    return [
        {
            "Similarity": one.similarity,
            "User": {
                "UserId": required(one.candidate.subject, "the subject who was found").name,
                "UserStatus": ACTIVE,
            },
        }
        for one in matches
    ]
