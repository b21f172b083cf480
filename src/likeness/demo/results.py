"""What the demonstration prints and writes of its results."""

from rich.console import Console
from rich.table import Table

from likeness import __version__
from likeness.cli.terminal.answers import Json, identification_json, point_json
from likeness.cli.terminal.words import as_high, box_in_words, similarity_in_words
from likeness.demo.people import PEOPLE, Person
from likeness.demo.run import Demonstration, NamedFace
from likeness.terms import Calibration


def print_table(demonstration: Demonstration) -> None:
    """Print a row for each face, then what the stages took."""
    table = Table("box", "named", "similarity", "strangers who score as high", "ms")
    for named in demonstration.faces:
        table.add_row(
            box_in_words(named.identification.face.box),
            _name(named),
            *_meaning(named, demonstration.likeness.calibration),
            f"{named.template_ms + named.search_ms:.0f}",
        )
    Console(markup=False, highlight=False).print(table)
    took = demonstration.milliseconds
    print(
        f"Finding {len(demonstration.faces)} faces took {took['find']:.0f} ms; getting ready"
        f" {took['load']:.0f} ms, enrolling {took['enrol']:.0f} ms."
    )


def results_json(demonstration: Demonstration) -> Json:
    """All that was found, and how."""
    calibration = demonstration.likeness.calibration
    return {
        "likeness": __version__,
        "model": calibration.model,
        "cohort": calibration.cohort_version,
        "operating_point": point_json(demonstration.identifier.naming.point),
        "gallery": [person.name for person in PEOPLE if person.enrolled],
        "people_shown": [_person_json(person) for person in PEOPLE],
        "faces": [_face_json(named) for named in demonstration.faces],
        "milliseconds": {
            stage: round(taken, 1) for stage, taken in demonstration.milliseconds.items()
        },
    }


def _name(named: NamedFace) -> str:
    match = named.identification.match
    name = match.name if match else "no match"
    return f"{name}\n(altered copy)" if named.person.altered else name


def _meaning(named: NamedFace, known: Calibration) -> tuple[str, str]:
    match = named.identification.match
    if match:
        return f"{similarity_in_words(match.similarity)}", as_high(match.fmr, known)
    nearest = named.identification.candidates[0]
    return (
        f"{similarity_in_words(nearest.similarity)}",
        f"{as_high(nearest.fmr, known)} (to {nearest.name})",
    )


def _person_json(person: Person) -> Json:
    return {
        "name": person.name,
        "enrolled_photograph": person.enrolled.name if person.enrolled else None,
        "shown_photograph": person.shown.name,
        "altered_copy": person.altered,
        "shown": person.told,
        "attribution": person.shown.attribution,
        "licence": person.shown.licence,
    }


def _face_json(named: NamedFace) -> Json:
    return {
        "shows": named.person.name,
        "altered_copy": named.person.altered,
        "right": named.right,
        **identification_json(named.identification),
        "milliseconds": {
            "template": round(named.template_ms, 1),
            "search": round(named.search_ms, 2),
        },
    }
