"""`likeness subjects check`: who may be two people under one name, one under two, or missed."""

import shlex
from collections.abc import Iterator
from typing import Annotated

import typer

from likeness.cli.acts import home_for
from likeness.cli.installation import prepare
from likeness.cli.subjects.change import Of
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several, similarity_in_words
from likeness.service.enrol.check_subjects import AlikePair, Checked, Missed, check_subjects
from likeness.service.search.documents import point_json, significant


def check(
    collection: Of,
    fmr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Rate of strangers at which two subjects look like one person. Default: the rate"
            " at which a search names somebody.",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="How many of each to list.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """List pictures unlike the rest of their person, people with two names, and who may be missed.

    Nobody is changed: `likeness subjects split` and `merge` do that, once somebody has looked.
    """
    installation = prepare(fmr=fmr)
    with home_for("subjects check", installation) as (home, caller), counting("Subjects") as tell:
        found = check_subjects(home, caller, collection, fmr=fmr, limit=limit, tell=tell)
    print_answer(as_json, _json(found), _in_words(found))


def _in_words(found: Checked) -> Iterator[str]:
    of = f"--collection {shlex.quote(found.collection.name)}"
    yield (
        f"{several(found.subjects, 'subject')}, {several(found.references, 'reference')}."
        f" {several(found.all_strays, 'reference')} like none of the person's others,"
        f" {several(found.all_pairs, 'pair')} of names that look like one person"
        f" ({found.expected_false:.2g} by chance)."
        f" {found.found} of {several(found.tried, 'reference')} would find another of the person's;"
        f" {several(found.all_missed, 'subject')} may be missed."
    )
    if found.strays:
        yield f"To split one off: likeness subjects split SUBJECT NEW {of} --reference ID"
    for stray in found.strays:
        yield f"  {stray.reference.id}  {stray.subject.name}"
    if found.missed:
        yield "Searches may miss these people; enrol better pictures of them:"
    for one in found.missed:
        yield f"  {one.subject.name}: {_why_missed(one)}"
    if found.pairs:
        yield f"To merge two: likeness subjects merge SUBJECT INTO {of}"
    for pair in found.pairs:
        similarity = similarity_in_words(pair.similarity)
        yield f"  {similarity:>5}  {shlex.quote(pair.other.name)} {shlex.quote(pair.one.name)}"


def _why_missed(one: Missed) -> str:
    if not one.reasons:
        return "no two of their pictures are alike enough to find one another"
    return "every picture is too poor (" + ", ".join(one.reasons) + ")"


def _json(found: Checked) -> Json:
    return {
        "collection": found.collection.name,
        "subjects": found.subjects,
        "references": found.references,
        "unlike": [
            {
                "subject": one.subject.name,
                "subject_id": str(one.subject.id),
                "reference_id": str(one.reference.id),
                "external_id": one.reference.details.external_id,
            }
            for one in found.strays
        ],
        "unlike_total": found.all_strays,
        "alike": [_pair_json(one) for one in found.pairs],
        "alike_total": found.all_pairs,
        "operating_point": {
            **point_json(found.point),
            "expected_false_pairs": significant(found.expected_false),
        },
        "missed": [
            {
                "subject": one.subject.name,
                "subject_id": str(one.subject.id),
                "reasons": [reason.value for reason in one.reasons],
            }
            for one in found.missed
        ],
        "missed_total": found.all_missed,
        "references_compared": found.tried,
        "references_found": found.found,
        "expected_false_candidates": [
            {
                "similarity": similarity,
                "any": significant(one.by_any),
                "at_hand": None
                if one.by_those_at_hand is None
                else significant(one.by_those_at_hand),
                "strangers": one.whose.value,
            }
            for similarity, one in found.expected
        ],
    }


def _pair_json(pair: AlikePair) -> Json:
    return {
        "subjects": [pair.one.name, pair.other.name],
        "subject_ids": [str(pair.one.id), str(pair.other.id)],
        "similarity": round(pair.similarity, 2),
        "fmr": significant(pair.fmr),
    }
