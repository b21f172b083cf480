"""`likeness review`: cases that wait for people, also while a server runs."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_opened
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.output_file import private_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded, several, similarity_in_words
from likeness.errors import NotFound
from likeness.review import Verdict
from likeness.service.review import cases as acts
from likeness.service.review.cases import CaseFacts, SeenCandidate, SeenCase
from likeness.service.review.review_sweep import sweep_review
from likeness.service.uses.caller import Caller
from likeness.service.uses.home import Rows
from likeness.v1.answers import CaseAnswer, SeenCaseAnswer

review = typer.Typer(help="Cases: what machines suggest, and people decide.")

_Case = Annotated[UUID, typer.Argument(metavar="CASE", help="The case's id.")]


@review.command("list")
def list_cases(as_json: AsJson = False) -> None:
    """List the cases that have not ended, the oldest first."""
    with rows_opened() as rows:
        every = acts.list_cases(rows, _caller(rows, "ListCases"))
    if as_json:
        print_json({"cases": [_json(one) for one in every]})
        return
    for one in every:
        print(plain(_in_words(one)))
    if not every:
        print("There is no case.")


@review.command()
def show(
    case: _Case,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the faces there, side by side by name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a case: whom a search found, and what was said of them."""
    with rows_opened() as rows:
        seen = acts.show_case(rows, _caller(rows, "ShowCase"), case)
        written = [] if pictures is None else _write_pictures(rows, seen, pictures)
    if as_json:
        print_json({**_seen_json(seen), "pictures": [str(path) for path in written]})
        return
    _print(seen)
    for path in written:
        print(f"{plain(path)} written")


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
    with rows_opened() as rows:
        caller = _caller(rows, "DecideCase")
        seen = acts.decide_case(rows, caller, case, candidate, verdict, reason)
    if as_json:
        print_json(_seen_json(seen))
        return
    _print(seen)


@review.command()
def authorise(
    case: _Case,
    authority: Annotated[str, typer.Option(metavar="A", help="Who consents, such as a court.")],
    number: Annotated[str, typer.Option(metavar="N", help="Under which number.")],
    as_json: AsJson = False,
) -> None:
    """Record that an authority consents to a case, before its deadline."""
    with rows_opened() as rows:
        caller = _caller(rows, "AuthoriseCase")
        facts = acts.authorise_case(rows, caller, case, authority, number)
    if as_json:
        print_json(_json(facts))
        return
    print(f"Case {facts.case.id} is authorised.")


@review.command()
def sweep(as_json: AsJson = False) -> None:
    """Delete cases and watches that have ended; a running server does so by itself."""
    with rows_opened() as rows:
        swept = sweep_review(rows)
    if as_json:
        print_json(
            {
                "cases": [str(one.id) for one in swept.cases],
                "unauthorised": [str(one.id) for one in swept.unauthorised],
                "watches": [str(one.id) for one in swept.watches],
            }
        )
        return
    for case in swept.unauthorised:
        print(f"Case {case.id} was never authorised: deleted, and its result is not to be used.")
    print(f"{several(len(swept.cases), 'case')} deleted; watches deleted: {len(swept.watches)}.")


def _caller(rows: Rows, operation: str) -> Caller:
    return Caller(rows.somebody, operation)


def _write_pictures(rows: Rows, seen: SeenCase, folder: Path) -> list[Path]:
    """Write the faces that were kept, for nobody else to read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    case_id = seen.facts.case.id
    caller = _caller(rows, "ShowFace")
    pictures: dict[str, Callable[[], bytes]] = {
        "probe": partial(acts.show_probe, rows, caller, case_id)
    }
    for one in seen.candidates:
        pictures[f"candidate-{one.number}"] = partial(
            acts.show_candidate, rows, caller, case_id, one.number
        )
    written = []
    for name, opened in pictures.items():
        path = folder / f"{case_id}-{name}.jpg"
        with suppress(NotFound), private_output(path) as file:
            file.write(opened())
            written.append(path)
    return written


def _json(facts: CaseFacts) -> Json:
    return CaseAnswer.of(facts).model_dump(mode="json")


def _seen_json(seen: SeenCase) -> Json:
    return SeenCaseAnswer.of_seen(seen).model_dump(mode="json")


def _in_words(facts: CaseFacts) -> str:
    case = facts.case
    if facts.empty:
        state = f"found nobody, ends {_minute(case.expires_at)}"
    else:
        waits = "yours to decide" if facts.yours else "waits for others"
        state = "decided" if facts.decided else waits
    if case.authorise_by is not None and case.authorised_at is None:
        state += f", to be authorised by {_minute(case.authorise_by)}"
    return f"{case.id}  {_minute(case.opened_at)}  {case.operation} for {case.purpose}: {state}"


def _print(seen: SeenCase) -> None:
    case = seen.facts.case
    print(plain(_in_words(seen.facts)))
    separately = ", separately" if case.separately else ""
    agreeing = " that agree" if case.reviews > 1 else ""
    print(
        f"  decided by {several(case.reviews, 'verdict')}{agreeing}{separately}; ends"
        f" {_minute(case.expires_at)}; by {plain(case.principal_id)}"
    )
    if seen.facts.empty:
        print("  it found nobody: there is nobody to decide about")
    elif not (seen.facts.decided or seen.facts.yours):
        print(
            "  another person decides, over /v1 with a key of `likeness keys create NAME --role"
            " reviewer`\n  (docs/review.md)"
        )
    for one in seen.candidates:
        unseen = "" if one.picture else ", no picture kept"
        print(f"  candidate {one.number}: {one.standing}{_alike(one)}{unseen}")
        for given in one.verdicts:
            print(
                folded(f"    {given.verdict} ({plain(given.reviewer_id)}): {plain(given.reason)}")
            )
    if seen.authorisation is not None:
        given_by = seen.authorisation
        print(f"  authorised by {plain(given_by.authority)}, {plain(given_by.number)}")


def _alike(one: SeenCandidate) -> str:
    found = f", reference {one.reference_id}" if one.reference_id else f", subject {one.subject_id}"
    return (
        found
        if one.similarity is None
        else f"{found}, similarity {similarity_in_words(one.similarity)}"
    )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
