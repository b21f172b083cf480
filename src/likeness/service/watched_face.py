"""Whom does a picture show that is to be watched for? Its only face."""

from likeness.errors import SeveralFaces
from likeness.terms.template import Template
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
            f"one face was expected and {len(located.faces)} were found: cut the picture to the"
            " face of whom to watch for"
        )
    (template,) = finder.templates(located, [which])
    return template, face_crop_jpeg(located.image, located.faces[which].box)
