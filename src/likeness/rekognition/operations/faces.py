"""DetectFaces and CompareFaces: they open no collection, and are admitted and recorded too."""

from functools import partial

from likeness.errors import NoFace
from likeness.rekognition.backend import Backend
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.operations.asking import recorded, say_rates
from likeness.rekognition.operations.pictures import MOST_FACES, invalid_parameters, picture
from likeness.rekognition.operations.words import bounding_box, face_detail, quality_bar, size_of
from likeness.service.search.compare_faces import Alike
from likeness.service.search.compare_faces import compare_faces as compare
from likeness.service.search.detect_faces import detect_faces as detect
from likeness.service.search.naming import Expected, Strangers
from likeness.terms import Action

_SIMILARITY_THRESHOLD = 80.0


def detect_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Find the largest faces of a picture; none is an answer too."""
    read = picture(backend, request["Image"])
    with recorded(backend, call, Action.DETECT) as record:
        located = detect(record, backend.finder_of(None), read)
    size = (located.image.width, located.image.height)
    return {"FaceDetails": [face_detail(face, size) for face in located.faces[:MOST_FACES]]}


def compare_faces(backend: Backend, call: Call, request: Request) -> Response:
    """Compare the largest face of the source with every face of the target."""
    source, target = (picture(backend, request[name]) for name in ("SourceImage", "TargetImage"))
    threshold = request.get("SimilarityThreshold", _SIMILARITY_THRESHOLD)
    try:
        compared = compare(
            partial(recorded, backend, call),
            backend.finder_of(None),
            backend.calibration_of(None),
            source,
            target,
            Alike(threshold, quality_bar(request, "NONE")),
            MOST_FACES,
        )
    except NoFace as error:
        raise invalid_parameters() from error
    size = size_of(compared.target)
    # Of the best match alone: of faces that rules withhold, no rate is told.
    meaning = compared.matches[0].meaning if compared.matches else None
    if meaning is not None:
        say_rates(
            call, Expected(meaning.fmr, meaning.fmr_alike, Strangers.ALIKE, meaning.extrapolated)
        )
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
