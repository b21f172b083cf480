"""DetectFaces and CompareFaces: they open no collection, and are admitted and recorded too."""

from likeness.errors import NoFace
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.operations.pictures import MOST_FACES, invalid_parameters, picture
from likeness.rekognition.operations.words import (
    bounding_box,
    face_detail,
    quality_bar,
    say_rates,
    size_of,
    warn_of_groups,
)
from likeness.service.search import pictures
from likeness.service.search.naming import SIMILARITY
from likeness.service.search.pictures import Alike


def detect_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Find the largest faces of a picture; none is an answer too."""
    read = picture(backend, request["Image"])
    located = pictures.detect_faces(backend, call.caller, read, most_faces=MOST_FACES)
    size = (located.image.width, located.image.height)
    return {"FaceDetails": [face_detail(face, size) for face in located.faces]}


def compare_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Compare the largest face of the source with every face of the target."""
    source, target = (picture(backend, request[name]) for name in ("SourceImage", "TargetImage"))
    demands = Alike(request.get("SimilarityThreshold", SIMILARITY), quality_bar(request, "NONE"))
    try:
        compared = pictures.compare_faces(
            backend, call.caller, source, target, demands, most_faces=MOST_FACES
        )
    except NoFace as error:
        raise invalid_parameters(str(error)) from error
    size = size_of(compared.target)
    # Of the best match alone: of faces that rules withhold, no rate is told.
    for best in compared.matches[:1]:
        say_rates(call, best.expected)
    warn_of_groups(call, compared.group_warning)
    return {
        "SourceImageFace": {
            "BoundingBox": bounding_box(compared.source_face.box, size_of(compared.source)),
            "Confidence": 100 * compared.source_face.confidence,
        },
        "FaceMatches": [
            {"Similarity": one.similarity, "Face": face_detail(one.face, size)}
            for one in compared.matches
        ],
        "UnmatchedFaces": [face_detail(one.face, size) for one in compared.others],
    }
