"""`likeness collections cohort`: what evens a collection's scores out, made of its own people."""

import secrets
from functools import partial
from typing import Annotated

import typer

from likeness.app.collections import calibration_of
from likeness.app.home import Home
from likeness.app.on_record import on_record
from likeness.cli.answers import Json, print_json, significant
from likeness.cli.asking import require_consent
from likeness.cli.opened import installation
from likeness.cli.options import AsJson, Yes
from likeness.cli.plain_text import plain
from likeness.cli.progress import counting
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.words import one_in, several
from likeness.gallery.staging import Change
from likeness.service.even_out import begin_evening_out, even_out
from likeness.service.make_collection_cohort import (
    MadeCohort,
    begun_cohort,
    make_collection_cohort,
    references_needed,
)
from likeness.terms.calibration import Calibration, OperatingPoint
from likeness.terms.use import Action


def cohort(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The collection's name.")],
    standard: Annotated[
        bool, typer.Option("--standard", help="Go back to the cohort of the collection's model.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Even a collection's scores out by averages of its own people, and calibrate them with others.

    It needs 500 named subjects and others to calibrate with; docs/changing-models.md says how many.
    It asks first where that is too few to call anybody a match in a search of the collection.
    Searches go on until everything is ready; interrupted, the same command goes on where it was.
    """
    settled = installation()
    with Home(settled) as home:
        known = home.gallery.collection(name)
        # Templates are compared with those of others, as enrolment does.
        with on_record(home, Action.ENROL, "collections cohort", known) as record:
            change, made = _begun(home, name, standard, yes)
            with counting("References") as tell:
                references = even_out(
                    record,
                    home.database,
                    home.gallery,
                    name,
                    change,
                    settled.standards.cohort_of,
                    tell,
                )
        calibration = calibration_of(home, home.gallery.collection(name))
    point = calibration.point_for_gallery(
        references, settled.settings.fpir, at_most=settled.settings.fmr
    )
    if as_json:
        print_json(_json(name, references, calibration, point, made))
    else:
        _print(name, references, calibration, point, made)


def _begun(home: Home, name: str, standard: bool, yes: bool) -> tuple[Change, MadeCohort | None]:
    if standard:
        theirs = home.installation.standards.cohort(home.gallery.collection(name).model)
        return begin_evening_out(home.database, home.gallery, name, theirs), None
    begun = begun_cohort(home.database, home.gallery, name)
    if begun is not None:
        return begun, None
    made = make_collection_cohort(
        home.database,
        home.gallery,
        name,
        fmr=home.installation.settings.fmr,
        seed=secrets.randbits(64),
        require_consent=partial(_require_consent, home, name, yes),
    )
    return made.change, made


def _require_consent(home: Home, name: str, yes: bool, calibration: Calibration) -> None:
    """Ask before nobody is called a match any more."""
    settings = home.installation.settings
    references = home.gallery.size(name).references
    point = calibration.point_for_gallery(references, settings.fpir, at_most=settings.fmr)
    if point.calibrated:
        return
    needed = references_needed(calibration, settings.fpir)
    require_consent(
        f"Evened out by its own people, nobody is called a match in {plain(name)}: a search of"
        f" {several(references, 'reference')} needs rates down to {one_in(point.fmr)}, and their"
        f" pairs show {one_in(calibration.lowest_fmr)}"
        + (f"; about {round(needed, -2):,} would do." if needed else "; no number would do.")
        + " Make the cohort nevertheless?",
        yes,
        "nothing was changed",
    )


def _print(
    name: str,
    references: int,
    calibration: Calibration,
    point: OperatingPoint,
    made: MadeCohort | None,
) -> None:
    print(
        f"{plain(name)}: {several(references, 'reference')} evened out by cohort"
        f" {calibration.cohort_version}, calibrated on\n{calibration.measured_on}:\n"
        f"{calibration.pairs:,} pairs show rates down to {one_in(calibration.lowest_fmr)}."
    )
    if made is not None:
        print(f"The cohort averages {made.averaged} people; {made.compared} others were compared.")
        print(f"Pairs of them that look like one person under two names: {made.pairs_alike}.")
        for pair in made.alike:
            print(f"  {' and '.join(map(plain, pair.names))}, score {pair.score:.1f}")
    print(*search_in_words(calibration, point, references), sep="\n")
    if not point.calibrated:
        print(
            "Enrol more people and make the cohort again, or go back:"
            f"\nlikeness collections cohort --standard {plain(name)}"
        )


def _json(
    name: str,
    references: int,
    calibration: Calibration,
    point: OperatingPoint,
    made: MadeCohort | None,
) -> Json:
    return {
        "collection": name,
        "references": references,
        "calibration": {
            "cohort": calibration.cohort_version,
            "measured_on": calibration.measured_on,
            "pairs": calibration.pairs,
            "lowest_fmr": significant(calibration.lowest_fmr),
        },
        "operating_point": search_json(calibration, point, references),
        "made": None
        if made is None
        else {
            "averaged": made.averaged,
            "compared": made.compared,
            "pairs_alike": made.pairs_alike,
            "alike": [
                {"subjects": list(pair.names), "score": round(pair.score, 4)} for pair in made.alike
            ],
        },
    }
