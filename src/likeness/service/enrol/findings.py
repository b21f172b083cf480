"""What a look through a collection found, by ids: it is read anew whenever somebody looks at it.

Whoever is erased since is not in it, and what was mended is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from likeness.gallery import CollectionRows, Subject
from likeness.service.enrol.check_subjects import AlikePair, Checked, Missed, Stray
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action, QualityReason, in_batches

_AT_A_TIME = 900


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check_subjects` found: its numbers, and whom it told of by their ids.

    `strays` are subjects and references of theirs, `pairs` two subjects with their similarity, its
    rate, and whether that is extrapolated, `missed` subjects and what speaks against all their
    pictures.
    """

    numbers: Checked
    strays: tuple[tuple[UUID, UUID], ...]
    pairs: tuple[tuple[UUID, UUID, float, float, bool], ...]
    missed: tuple[tuple[UUID, tuple[QualityReason, ...]], ...]

    @classmethod
    def of(cls, found: Checked) -> "Findings":
        """Keep what was found without any name."""
        return cls(
            replace(found, strays=(), pairs=(), missed=()),
            tuple((one.subject.id, one.reference.id) for one in found.strays),
            tuple(
                (one.one.id, one.other.id, one.similarity, one.fmr, one.extrapolated)
                for one in found.pairs
            ),
            tuple((one.subject.id, one.reasons) for one in found.missed),
        )


def show_findings(rows: Rows, caller: Caller, name: str, findings: Findings) -> Checked:
    """Show what was found and is so still.

    References that are another's by now, and pairs that were merged, are left out.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> Checked:
        ids = {one for one, _ in findings.strays}
        ids |= {each for one, other, *_ in findings.pairs for each in (one, other)}
        known = _subjects(its, ids | {one for one, _ in findings.missed})
        return replace(
            findings.numbers,
            strays=tuple(_strays(its, findings, known)),
            pairs=tuple(
                AlikePair(known[one], known[other], similarity, fmr, extrapolated)
                for one, other, similarity, fmr, extrapolated in findings.pairs
                if one in known and other in known
            ),
            missed=tuple(
                Missed(known[one], reasons) for one, reasons in findings.missed if one in known
            ),
        )

    with rows.record(caller, Action.READ, of) as record:
        shown = of.read(read)
        record.answered(Outcome())
    return shown


def _subjects(its: CollectionRows, ids: Iterable[UUID]) -> dict[UUID, Subject]:
    return {
        one.id: one for some in in_batches(ids, _AT_A_TIME) for one in its.subjects.by_ids(some)
    }


def _strays(its: CollectionRows, findings: Findings, known: dict[UUID, Subject]) -> list[Stray]:
    """Give those references that are still of whom they strayed from."""
    ids = [reference_id for _, reference_id in findings.strays]
    numbers = [
        one.number for some in in_batches(ids, _AT_A_TIME) for one in its.references.known(some)
    ]
    read = {one.id: one for one in its.references.by_numbers(numbers).values()}
    return [
        Stray(known[subject_id], read[reference_id])
        for subject_id, reference_id in findings.strays
        if subject_id in known
        and reference_id in read
        and read[reference_id].subject_number == known[subject_id].number
    ]
