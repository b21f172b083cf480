"""Whom a picture shows that is to be watched for: its only face.

A watch acts on one person for long, so the picture may have nobody else in it, however small.
"""

from likeness.errors import SeveralFaces
from likeness.terms import Template
from likeness.vision.crop import face_crop_jpeg
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


def only_face(finder: FaceFinder, sample: Sample) -> tuple[Template, bytes]:
    """Give the template of a sample's only face, and that face as a JPEG.

    Raises:
        NoFace: there is none.
        SeveralFaces: it is not clear who is meant.
    """
    located = finder.locate(sample)
    which = located.largest
    if len(located.faces) > 1:
        raise SeveralFaces(
            f"{len(located.faces)} faces: a watch is for one person. Cut the picture to the face of"
            " whom to watch for."
        )
    (template,) = finder.templates(located, [which])
    return template, face_crop_jpeg(located.image, located.faces[which].box)
