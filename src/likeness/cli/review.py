"""`likeness review`: cases that wait for people, also while a server runs."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.options import AsJson, Unblurred
from likeness.cli.terminal.output_file import private_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import (
    folded,
    minute,
    several,
    similarity_in_words,
)
from likeness.errors import NotFound
from likeness.review import Verdict
from likeness.service.live.manage import sweep_live
from likeness.service.review import cases as acts
from likeness.service.review.cases import CaseFacts, SeenCandidate, SeenCase
from likeness.service.review.upkeep import sweep_review
from likeness.service.uses import Caller, Rows
from likeness.v1.answers import CaseAnswer, SeenCaseAnswer

review = typer.Typer(
    help="Look at cases and decide what the machine only suggests.", add_completion=False
)

_Case = Annotated[UUID, typer.Argument(metavar="CASE", help="The case's id.")]


@review.command("list")
def list_cases(as_json: AsJson = False) -> None:
    """List the cases that have not ended, the oldest first."""
    with rows_for("ListCases") as (rows, caller):
        every = acts.list_cases(rows, caller)
    lines = [_in_words(one) for one in every] or ["There is no case."]
    print_answer(as_json, {"cases": [_json(one) for one in every]}, lines)


@review.command()
def show(
    case: _Case,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the faces there, side by side by name."),
    ] = None,
    unblurred: Unblurred = False,
    as_json: AsJson = False,
) -> None:
    """Show a case: whom a search found, and what was said of them."""
    with rows_for("ShowCase") as (rows, caller):
        seen = acts.show_case(rows, caller, case)
        written = (
            [] if pictures is None else _write_pictures(rows, seen, pictures, unblurred=unblurred)
        )
    document = {**_seen_json(seen), "pictures": [str(path) for path in written]}
    print_answer(as_json, document, [*_lines(seen), *(f"{path} written" for path in written)])


@review.command()
def decide(
    case: _Case,
    verdict: Annotated[Verdict, typer.Option(help="Whether both faces are of one person.")],
    reason: Annotated[str, typer.Option(metavar="R", help="What you saw.")],
    candidate: Annotated[
        int | None,
        typer.Option(metavar="N", help="Which candidate, where the case has several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give your verdict on a candidate, once."""
    with rows_for("DecideCase") as (rows, caller):
        seen = acts.decide_case(rows, caller, case, candidate, verdict, reason)
    print_answer(as_json, _seen_json(seen), _lines(seen))


@review.command()
def authorise(
    case: _Case,
    authority: Annotated[str, typer.Option(metavar="A", help="Who consents, such as a court.")],
    number: Annotated[str, typer.Option(metavar="N", help="Under which number.")],
    as_json: AsJson = False,
) -> None:
    """Record that an authority consents to a case, before its deadline."""
    with rows_for("AuthoriseCase") as (rows, caller):
        facts = acts.authorise_case(rows, caller, case, authority, number)
    print_answer(as_json, _json(facts), [f"Case {facts.case.id} is authorised."])


@review.command()
def sweep(as_json: AsJson = False) -> None:
    """Delete cases and watches that have ended, and live searches that nobody consented to in time.

    A running server does so by itself.
    """
    with rows_for("EndCase") as (rows, _):
        swept, searches = sweep_review(rows), sweep_live(rows)
    print_answer(
        as_json,
        {
            "cases": [str(one.id) for one in swept.cases],
            "unauthorised": [str(one.id) for one in swept.unauthorised],
            "watches": [str(one.id) for one in swept.watches],
            "live_searches": searches,
        },
        [
            *(
                f"Case {case.id} was never authorised: deleted, and its result is not to be used."
                for case in swept.unauthorised
            ),
            f"{several(len(swept.cases), 'case')} deleted; watches deleted: {len(swept.watches)};"
            f" live searches that nobody consented to: {searches}.",
        ],
    )


def _write_pictures(rows: Rows, seen: SeenCase, folder: Path, *, unblurred: bool) -> list[Path]:
    """Write the faces that were kept, for nobody else to read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    case_id, caller = seen.facts.case.id, Caller(rows.somebody, "ShowFace")
    numbers = [None, *(one.number for one in seen.candidates)]
    written = []
    for number in numbers:
        name = "probe" if number is None else f"candidate-{number}"
        path = folder / f"{case_id}-{name}.jpg"
        with suppress(NotFound), private_output(path) as file:
            file.write(acts.show_face(rows, caller, case_id, number, unblurred=unblurred))
            written.append(path)
    return written


def _json(facts: CaseFacts) -> Json:
    return CaseAnswer.of(facts).model_dump(mode="json")


def _seen_json(seen: SeenCase) -> Json:
    return SeenCaseAnswer.of_seen(seen).model_dump(mode="json")


def _in_words(facts: CaseFacts) -> str:
    case = facts.case
    if case.is_of_whole:
        state = f"ends {minute(case.expires_at)}"
    elif facts.empty:
        state = f"found nobody, ends {minute(case.expires_at)}"
    else:
        waits = "yours to decide" if facts.yours else "waits for others"
        state = "decided" if facts.decided else waits
    if case.authorise_by is not None and case.authorised_at is None:
        state += f", to be authorised by {minute(case.authorise_by)}"
    return f"{case.id}  {minute(case.opened_at)}  {case.operation} for {case.purpose}: {state}"


def _lines(seen: SeenCase) -> Iterator[str]:
    case = seen.facts.case
    yield _in_words(seen.facts)
    yield from _of_whole(seen) if case.is_of_whole else _of_people(seen)
    for one in seen.candidates:
        unseen = "" if one.picture else ", no picture kept"
        yield f"  candidate {one.number}: {one.standing}{_alike(one)}{unseen}"
        for each in one.verdicts:
            said = f"    {each.verdict} ({plain(each.reviewer_id)}): {plain(each.reason)}"
            yield from folded(said).splitlines()
    if seen.group_warning is not None:
        yield from folded(seen.group_warning.in_words).splitlines()
    if (consent := seen.authorisation) is not None:
        yield f"  authorised by {consent.authority}, {consent.number}"


def _of_people(seen: SeenCase) -> Iterator[str]:
    """Say who decides a case, and how many."""
    case = seen.facts.case
    separately = ", separately" if case.separately else ""
    agreeing = " that agree" if case.reviews > 1 else ""
    yield (
        f"  decided by {several(case.reviews, 'verdict')}{agreeing}{separately}; ends"
        f" {minute(case.expires_at)}; by {case.principal_id}"
    )
    if seen.facts.empty:
        yield "  it found nobody: there is nobody to decide about"
    elif not (seen.facts.decided or seen.facts.yours):
        yield (
            "  another person decides, over /v1 with a key of `likeness keys create NAME --role"
            " reviewer`"
        )
        yield "  (docs/review.md)"


def _of_whole(seen: SeenCase) -> Iterator[str]:
    """Say to what search an authority is to consent."""
    yield f"  a live search as a whole, begun by {seen.facts.case.principal_id}; it shows nobody"
    stated = seen.stated
    if stated is None:
        return
    said = {
        "place": stated.place,
        "authority": stated.authority,
        "criteria": stated.criteria,
        "until": None if stated.ends_at is None else minute(stated.ends_at),
    }
    for what, text in said.items():
        yield from folded(f"  {what}: {plain(text or 'not stated')}").splitlines()


def _alike(one: SeenCandidate) -> str:
    kinds = {"reference": one.reference_id, "subject": one.subject_id, "seen": one.sighting_id}
    kind, found_id = next((kind, each) for kind, each in kinds.items() if each is not None)
    found = f", {kind} {found_id}"
    alike = one.similarity
    return found if alike is None else f"{found}, similarity {similarity_in_words(alike)}"
