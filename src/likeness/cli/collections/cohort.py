"""`likeness collections cohort`: measure a collection's own strangers, and even its scores out."""

from typing import Annotated

import typer

from likeness.app.collections import calibration_of
from likeness.app.home import Home
from likeness.app.on_record import on_record
from likeness.app.strangers import strangers_of
from likeness.cli.opened import installation
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import folded, several
from likeness.service.models.measure_strangers import Upkeep
from likeness.service.search.naming import Naming
from likeness.service.uses.record import Outcome
from likeness.terms import FEWEST_SUBJECTS, Action


def cohort(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The collection's name.")],
    as_json: AsJson = False,
) -> None:
    """Measure how alike the people of a collection look to each other, and what that means.

    A running server does so by itself, and so does `identify` before it names anybody. With 30
    subjects or more, their first references join the cohort and their pairs say what scores mean
    here; with fewer, strangers of one sex, race and age stand for them.
    """
    settled = installation()
    settings = settled.settings
    with Home(settled) as home:
        known = home.gallery.collection(name)
        # Templates are compared with those of others, as enrolment does.
        with on_record(home, Action.ENROL, "collections cohort", known) as record:
            home.adopt_cohort(known)
            with counting("References") as tell:
                done = strangers_of(home).bring_up_to_date(name, again=True, tell=tell)
            record.answered(Outcome())
        naming = Naming.of(
            calibration_of(home, home.gallery.collection(name)),
            None if done.measured is None else done.measured.own,
            home.gallery.collection(name).size.references,
            fmr=settings.fmr,
            fpir=settings.fpir,
        )
    if as_json:
        print_json(_json(name, done, naming))
        return
    for paragraph in _in_words(name, done):
        print(folded(plain(paragraph)))
    print(*search_in_words(naming), sep="\n")


def _in_words(name: str, done: Upkeep) -> list[str]:
    lines = []
    if done.evened_out:
        lines.append(f"Evened out anew: {several(done.evened_out, 'reference')}.")
    if done.measured is None:
        lines.append(
            f"{name} has fewer than {FEWEST_SUBJECTS} named people, too few to measure how alike"
            " they look: strangers of one sex, race and age stand for them."
        )
    else:
        joined, pairs = len(done.measured.joining), done.measured.own.pairs
        lines.append(
            f"{joined} people of {name} joined its cohort; {pairs:,} pairs of them say what scores"
            " mean here."
        )
    return lines


def _json(name: str, done: Upkeep, naming: Naming) -> Json:
    measured = done.measured
    return {
        "collection": name,
        "evened_out": done.evened_out,
        "joined": None if measured is None else len(measured.joining),
        "operating_point": search_json(naming),
    }
