"""IndexFaces, ListFaces, DeleteFaces: faces come into a collection, are looked through, and go."""

from uuid import UUID

from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.operations.pictures import MOST_FACES, picture
from likeness.rekognition.operations.words import (
    face_detail,
    face_model_version,
    known_face,
    quality_bar,
    size_of,
)
from likeness.service.enrol.enrol_faces import FaceDemands, LeftOut, enrol_faces
from likeness.service.enrol.subjects import list_references
from likeness.service.erase.erase import erase_unnamed_references

_A_PAGE = 1000


def index_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Enrol the faces of a picture."""
    demands = FaceDemands(
        request.get("ExternalImageId"),
        quality_bar(request, "AUTO"),
        most_enrolled=min(request.get("MaxFaces", MOST_FACES), MOST_FACES),
        most_looked_at=MOST_FACES,
    )
    read = picture(backend, request["Image"])
    enrolled = enrol_faces(backend, call.caller, request["CollectionId"], read, demands)
    size, subjects = size_of(enrolled.sample), enrolled.subjects
    return {
        "FaceRecords": [
            {
                "Face": known_face(one, subjects.get(one.subject_number or 0)),
                "FaceDetail": face_detail(one.details.face, size),
            }
            for one in enrolled.references
        ],
        "UnindexedFaces": [_unindexed(one, size) for one in enrolled.left_out],
        "FaceModelVersion": face_model_version(enrolled.collection.model),
    }


def list_faces(backend: Backend, call: Call, request: Request) -> Response:
    """List the faces of a collection, or some of them, in the order they came."""
    page = list_references(
        backend,
        call.caller,
        request["CollectionId"],
        subject=request.get("UserId"),
        ids=[UUID(one) for one in request["FaceIds"]] if "FaceIds" in request else None,
        after=backend.page_tokens.after(call, request),
        limit=request.get("MaxResults") or _A_PAGE,
    )
    return {
        "Faces": [known_face(one.reference, one.subject) for one in page.listed],
        "NextToken": backend.page_tokens.token_after(call, request, page),
        "FaceModelVersion": face_model_version(page.collection.model),
    }


def delete_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Erase faces, but those of users."""
    ids = [UUID(one) for one in request["FaceIds"]]
    done = erase_unnamed_references(backend, call.caller, request["CollectionId"], ids)
    return {
        "DeletedFaces": [str(one) for one in done.erased],
        "UnsuccessfulFaceDeletions": [
            {"FaceId": str(one), "Reasons": ["FACE_NOT_FOUND"]} for one in done.missing
        ]
        + [
            {
                "FaceId": str(one),
                "UserId": subject.name,
                "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"],
            }
            for one, subject in done.kept.items()
        ],
    }


def _unindexed(one: LeftOut, size: tuple[int, int]) -> Response:
    return {
        "Reasons": [str(reason) for reason in one.reasons] or ["EXCEEDS_MAX_FACES"],
        "FaceDetail": face_detail(one.face, size),
    }
