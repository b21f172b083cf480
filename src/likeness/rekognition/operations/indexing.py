"""IndexFaces, ListFaces, DeleteFaces: faces come into a collection, are looked through, and go."""

import struct
from uuid import UUID

from likeness.gallery import CollectionRows, Reference, Subject
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.operations.asking import recorded, target
from likeness.rekognition.operations.pictures import MOST_FACES, picture
from likeness.rekognition.operations.users import missing_user
from likeness.rekognition.operations.words import (
    face_detail,
    face_model_version,
    known_face,
    quality_bar,
    size_of,
)
from likeness.service.enrol.enrol_faces import Enrolling, LeftOut, enrol_faces
from likeness.service.erase.erase_references import erase_references
from likeness.service.uses.record import Outcome
from likeness.terms import Action

_A_PAGE = 1000
_PLACE = struct.Struct("<q")


def index_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Enrol the faces of a picture."""
    of = target(backend, call, request, Action.ENROL)
    read = picture(backend, request["Image"])
    enrolling = Enrolling(
        request.get("ExternalImageId"),
        quality_bar(request, "AUTO"),
        most_enrolled=min(request.get("MaxFaces", MOST_FACES), MOST_FACES),
        most_looked_at=MOST_FACES,
    )
    with recorded(backend, call, Action.ENROL, of) as record:
        enrolled = enrol_faces(
            record,
            of,
            backend.finder_of(of),
            backend.reviewing,
            read,
            enrolling,
            backend.clock(),
        )
    named = of.read(lambda rows: rows.subjects.of(enrolled.references))
    size = size_of(enrolled.sample)
    return {
        "FaceRecords": [
            {
                "Face": known_face(one, named.get(one.subject_number or 0)),
                "FaceDetail": face_detail(one.details.face, size),
            }
            for one in enrolled.references
        ],
        "UnindexedFaces": [_unindexed(one, size) for one in enrolled.left_out],
        "FaceModelVersion": face_model_version(of.model),
    }


def list_faces(backend: Backend, call: Call, request: Request) -> Response:
    """List the faces of a collection, or some of them, in the order they came."""
    of = target(backend, call, request, Action.READ)
    place = backend.page_tokens.place(call, request, of.id)
    after = 0 if place is None else _PLACE.unpack(place)[0]
    limit = request.get("MaxResults") or _A_PAGE

    def listed(rows: CollectionRows) -> tuple[list[Reference], dict[int, Subject]]:
        number = None
        if (name := request.get("UserId")) is not None:
            subject = rows.subjects.find(name)
            if subject is None:
                raise missing_user(name)
            number = subject.number
        ids = [UUID(one) for one in request["FaceIds"]] if "FaceIds" in request else None
        page = rows.references.page(after=after, limit=limit + 1, subject_number=number, ids=ids)
        return page, rows.subjects.of(page)

    with recorded(backend, call, Action.READ, of) as record:
        page, named = of.read(listed)
        page, more = page[:limit], len(page) > limit
        # A count: an entry that committed to thousands would cost more than the list.
        record.answered(Outcome(faces=len(page)))
    token = None
    if more:
        last = _PLACE.pack(page[-1].number)
        token = backend.page_tokens.token(call, request, of.id, last)
    return {
        "Faces": [known_face(one, named.get(one.subject_number or 0)) for one in page],
        "NextToken": token,
        "FaceModelVersion": face_model_version(of.model),
    }


def delete_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Erase faces, but those of users."""
    of = target(backend, call, request, Action.ERASE)
    with recorded(backend, call, Action.ERASE, of) as record:
        done = erase_references(
            record,
            backend.gallery,
            of,
            [UUID(one) for one in request["FaceIds"]],
            backend.clock(),
        )
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
