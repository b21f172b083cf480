"""The face that a picture was taken of, and its template."""

from pathlib import Path

from likeness.terms import Face, Template
from likeness.vision.decode import read_sample
from likeness.vision.find import FaceFinder


def foremost_face(finder: FaceFinder, path: Path) -> tuple[Face, Template]:
    located = finder.locate(read_sample(path))
    (template,) = finder.templates(located, [located.foremost])
    return located.faces[located.foremost], template


def foremost_template(finder: FaceFinder, path: Path) -> Template:
    return foremost_face(finder, path)[1]
