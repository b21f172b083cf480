"""Cases, which wait for people: a search whose answer is withheld, and whom it found.

A case lives until it expires, or until its authorisation is overdue. From that moment nothing
here finds it any more, and the next sweep deletes it, with its key.
"""

import json
import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from likeness.errors import NotFound
from likeness.review.apart import pairs_told_apart, told_apart_among
from likeness.review.case import (
    Candidate,
    Case,
    Found,
    Outcome,
    Owed,
    Search,
    Standing,
    standing,
)
from likeness.review.contents import place_of, seal
from likeness.review.faces import (
    Identity,
    forget_unknown_faces,
    identities_of,
    remember_face,
)
from likeness.review.features import Verdict
from likeness.review.keys import ensure_key, find_key, new_key_under
from likeness.review.notes import forget_notes
from likeness.review.tables import (
    AUTHORISATIONS,
    CANDIDATES,
    CASES,
    CROPS,
    KEYS,
    NOTES,
    PROBES,
    TOLD_APART,
    VERDICTS,
)
from likeness.review.watches import delete_watches
from likeness.secrets import Digester, Key, Keyring
from likeness.storage import legible_rows
from likeness.terms import in_batches

_DIGEST_BYTES = 32
_AT_A_TIME = 900
_COLUMNS = [CASES.c[name] for name in Case.__dataclass_fields__ if name != "authorised_at"] + [
    AUTHORISATIONS.c.given_at.label("authorised_at")
]


_GIVEN = (VERDICTS.c.case_id, VERDICTS.c.number, VERDICTS.c.verdict)
_FOUND = [CANDIDATES.c.case_id] + [
    CANDIDATES.c[name] for name in Candidate.__dataclass_fields__ if name != "standing"
]


def open_case(
    connection: Connection,
    keyring: Keyring,
    search: Search,
    owed: Owed,
    found: Sequence[Found],
    *,
    use_id: UUID,
    crop_jpeg: bytes | None,
    now: datetime,
    expires_at: datetime,
    probe_id: UUID | None = None,
    watch_id: UUID | None = None,
    whole_id: UUID | None = None,
    statement: bytes | None = None,
) -> Case:
    """Open the case of a search, or give the one that it has already.

    Whom people have told apart from the same probe before is left out.

    Args:
        connection: of a writing act.
        keyring: the installation's keys.
        search: what was searched for.
        owed: what has to be done before the answer may be used.
        found: whom it found, the most alike first.
        use_id: the use that the case is of.
        crop_jpeg: the probe's face, for people to look at.
        now: the time.
        expires_at: when the case ends, whatever was decided.
        probe_id: the reference or subject searched for, where it is enrolled itself.
        watch_id: the standing search that it comes from.
        whole_id: the case of the ongoing search that it is a part of.
        statement: what was stated of an ongoing search, for whoever consents to it.
    """
    known = find_case(connection, keyring, search, now)
    if known is not None:
        return known
    key = ensure_key(connection, keyring, search.collection_id)
    identities = identities_of(connection, key, search.probe)
    search_digest = _search_digest(key, search, identities[0])
    # One that has lapsed is no search's any more, and stays for the sweep, which says so on record.
    lapsed = update(CASES).where(CASES.c.search_digest == search_digest)
    connection.execute(lapsed.values(search_digest=os.urandom(_DIGEST_BYTES)))
    case_id = uuid4()
    case_key, sealed_key = new_key_under(key, place_of(case_id, "key"))
    hours = owed.authorisation_hours
    case = Case(
        case_id,
        watch_id,
        use_id,
        search.principal_id,
        search.collection_id,
        search.operation,
        search.purpose,
        owed.reviews,
        owed.separately,
        now,
        expires_at,
        None if hours is None else now + timedelta(hours=hours),
        authorised_at=None,
        whole_id=whole_id,
    )
    remember_face(connection, key, search.collection_id, search.probe, identities[0])
    row = {field: getattr(case, field) for field in Case.__dataclass_fields__}
    del row["authorised_at"]
    connection.execute(
        insert(CASES),
        {
            **row,
            "probe_id": probe_id,
            "search_digest": search_digest,
            "probe_digest": identities[0].digest(key),
            "sealed_key": sealed_key,
            "sealed_crop": seal(case_key, crop_jpeg, place_of(case_id, "probe")),
            "sealed_statement": seal(case_key, statement, place_of(case_id, "statement")),
        },
    )
    digests = [one.digest(key) for one in identities]
    ids = {one_id for one in found for one_id in one.ids}
    apart = told_apart_among(connection, digests, ids, owed.reviews)
    asked = [(rank, one) for rank, one in enumerate(found, start=1) if not one.ids & apart]
    asked.sort(key=lambda ranked: ranked[1].id)
    if asked:
        connection.execute(
            insert(CANDIDATES),
            [
                {
                    "case_id": case_id,
                    "number": number,
                    "rank": rank,
                    "reference_id": one.reference_id,
                    "subject_id": one.subject_id,
                    "similarity": one.similarity,
                    "sighting_id": one.sighting_id,
                    "sealed_crop": seal(
                        case_key, one.crop_jpeg, place_of(case_id, "sighting", number)
                    ),
                }
                for number, (rank, one) in enumerate(asked, start=1)
            ],
        )
    return case


def find_case(
    connection: Connection, keyring: Keyring, search: Search, now: datetime
) -> Case | None:
    """Find the case of a search that is done again; None where it has none."""
    key = find_key(connection, keyring, search.collection_id)
    if key is None:
        return None
    for identity in identities_of(connection, key, search.probe):
        digest = _search_digest(key, search, identity)
        for case in _read(connection, _lives(now), CASES.c.search_digest == digest):
            return case
    return None


def get_case(connection: Connection, case_id: UUID, now: datetime) -> Case:
    """Find a case by its id.

    Raises:
        NotFound: there is none, or it has ended.
    """
    for case in _read(connection, _lives(now), CASES.c.id == case_id):
        return case
    raise NotFound(
        f"No such case {case_id}, or it has ended. `likeness review list` shows what there is."
    )


def live_cases(connection: Connection, now: datetime) -> list[Case]:
    """List the cases that live, the oldest first."""
    return _read(connection, _lives(now))


def outcome_of(connection: Connection, case: Case) -> Outcome:
    """Say what people have made of a case so far.

    Whom people told apart in another case is not asked about any more; what was confirmed stays.
    """
    return outcomes_of(connection, [case])[case.id]


def outcomes_of(connection: Connection, cases: Sequence[Case]) -> dict[UUID, Outcome]:
    """Say what people have made of each of some cases so far, as `outcome_of` does."""
    outcomes: dict[UUID, Outcome] = {}
    for some in in_batches(cases, _AT_A_TIME):
        ids = [one.id for one in some]
        given: dict[tuple[UUID, int], list[Verdict]] = defaultdict(list)
        for row in connection.execute(select(*_GIVEN).where(VERDICTS.c.case_id.in_(ids))):
            given[row.case_id, row.number].append(Verdict(row.verdict))
        found: dict[UUID, list[Any]] = defaultdict(list)
        chosen = select(*_FOUND).where(CANDIDATES.c.case_id.in_(ids)).order_by("number")
        for row in connection.execute(chosen):
            found[row.case_id].append(row)
        probes = select(CASES.c.id, CASES.c.probe_digest).where(CASES.c.id.in_(ids))
        digests = {row.id: row.probe_digest for row in connection.execute(probes)}
        apart = pairs_told_apart(connection, set(digests.values()))
        for case in some:
            told = apart.get(digests[case.id], {})
            candidates = (
                _candidate(row, given[case.id, row.number], told, case.reviews)
                for row in found[case.id]
            )
            outcomes[case.id] = Outcome(tuple(candidates))
    return outcomes


def _candidate(
    row: Row[Any], given: Sequence[Verdict], told_apart: Mapping[UUID, int], owed: int
) -> Candidate:
    """Say where a candidate stands; `told_apart` is by how many people, of those who were."""
    here = standing(given, owed)
    if here is not Standing.CONFIRMED and any(told_apart.get(one, -1) >= owed for one in _ids(row)):
        here = Standing.REJECTED
    values = {name: value for name, value in row._mapping.items() if name != "case_id"}
    return Candidate(**values, standing=here)


def own_case_ids(connection: Connection, principal_id: str) -> set[UUID]:
    """Name the cases that somebody has searched for the probe of, as `is_own_case` says of one."""
    own = CASES.alias()
    same = select(CASES.c.id).join(
        own,
        and_(
            own.c.collection_id == CASES.c.collection_id,
            own.c.probe_digest == CASES.c.probe_digest,
        ),
    )
    theirs = same.where(own.c.principal_id == principal_id)
    return set(connection.execute(theirs).scalars())


def is_own_case(connection: Connection, case: Case, principal_id: str) -> bool:
    """Say whether somebody has searched for the probe of a case: its outcome would be theirs."""
    if case.principal_id == principal_id:
        return True
    probe = select(CASES.c.probe_digest).where(CASES.c.id == case.id).scalar_subquery()
    same = select(CASES.c.id).where(
        CASES.c.collection_id == case.collection_id,
        CASES.c.probe_digest == probe,
        CASES.c.principal_id == principal_id,
    )
    return connection.execute(same).first() is not None


def forget_people(connection: Connection, ids: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Forget erased references and subjects, by their ids.

    They leave every case; cases that searched for one of them end. Of others the picture that was
    searched for goes too, since it may show them, unless somebody else may still be who it shows:
    whoever people have not told apart from it. Gives, of each case with such a picture, until when
    it stays at the latest, None where it is gone.
    """
    _delete(connection, CASES.c.probe_id.in_(ids))
    theirs = or_(CANDIDATES.c.reference_id.in_(ids), CANDIDATES.c.subject_id.in_(ids))
    found_them = CASES.c.id.in_(select(CANDIDATES.c.case_id).where(theirs))
    asked = [
        case
        for case in _read(connection, found_them, CASES.c.sealed_crop.is_not(None))
        if not _told_apart_from_all(connection, case, ids)
    ]
    on_them = tuple_(VERDICTS.c.case_id, VERDICTS.c.number).in_(
        select(CANDIDATES.c.case_id, CANDIDATES.c.number).where(theirs)
    )
    connection.execute(delete(VERDICTS).where(on_them))
    connection.execute(delete(CANDIDATES).where(theirs))
    kept = [one for one in asked if not _told_apart_from_all(connection, one)]
    stripped = {one.id for one in asked} - {one.id for one in kept}
    for some in in_batches(stripped, _AT_A_TIME):
        connection.execute(update(CASES).where(CASES.c.id.in_(some)).values(sealed_crop=None))
        forget_notes(connection, some)
    connection.execute(delete(TOLD_APART).where(TOLD_APART.c.candidate_id.in_(ids)))
    connection.execute(delete(CROPS).where(CROPS.c.reference_id.in_(ids)))
    forget_unknown_faces(connection)
    return dict.fromkeys(stripped) | {one.id: one.expires_at for one in kept}


def _told_apart_from_all(
    connection: Connection, case: Case, ids: Collection[UUID] | None = None
) -> bool:
    """Whether a case's picture is of none of its candidates, or of none of those of some ids."""
    candidates = outcome_of(connection, case).candidates
    return all(
        one.standing is Standing.REJECTED
        for one in candidates
        if ids is None or not one.ids.isdisjoint(ids)
    )


def forget_collection(connection: Connection, collection_id: UUID) -> None:
    """Forget an erased collection: cases, pairs, pictures, watches, and the key that opens them."""
    _delete(connection, CASES.c.collection_id == collection_id)
    delete_watches(connection, collection_id)
    for table in (TOLD_APART, PROBES, CROPS, KEYS):
        connection.execute(delete(table).where(table.c.collection_id == collection_id))


def ended_cases(connection: Connection, now: datetime) -> list[Case]:
    """List cases that have ended and were not swept yet."""
    return _read(connection, ~_lives(now))


def delete_cases_of_watch(connection: Connection, watch_id: UUID) -> int:
    """Delete the cases that a watch opened, with the pictures in them; say how many there were."""
    of_watch = CASES.c.watch_id == watch_id
    count = len(connection.execute(select(CASES.c.id).where(of_watch)).all())
    _delete(connection, of_watch)
    forget_unknown_faces(connection)
    return count


def delete_case(connection: Connection, case: Case) -> None:
    """Delete a case with all that it holds, its key too."""
    _delete(connection, CASES.c.id == case.id)
    forget_unknown_faces(connection)


def _lives(now: datetime) -> ColumnElement[bool]:
    wholes, consents = CASES.alias(), AUTHORISATIONS.alias()
    whole = (
        exists()
        .select_from(wholes.outerjoin(consents, consents.c.case_id == wholes.c.id))
        .where(wholes.c.id == CASES.c.whole_id, _lives_by_itself(wholes, consents, now))
        .correlate(CASES)
    )
    by_itself = _lives_by_itself(CASES, AUTHORISATIONS, now)
    return and_(by_itself, or_(CASES.c.whole_id.is_(None), whole))


def _lives_by_itself(
    cases: FromClause, authorisations: FromClause, now: datetime
) -> ColumnElement[bool]:
    authorised = authorisations.c.given_at.is_not(None)
    in_time = or_(cases.c.authorise_by.is_(None), cases.c.authorise_by > now, authorised)
    return and_(cases.c.expires_at > now, in_time)


def _read(connection: Connection, *chosen: ColumnElement[bool]) -> list[Case]:
    rows = legible_rows(
        connection,
        CASES.c.id,
        select(*_COLUMNS)
        .outerjoin_from(CASES, AUTHORISATIONS)
        .where(*chosen)
        .order_by(CASES.c.opened_at, CASES.c.id),
    )
    return [Case(**row._mapping) for row in rows]


def _delete(connection: Connection, chosen: ColumnElement[bool]) -> None:
    case_ids = select(CASES.c.id).where(chosen)
    for table in (VERDICTS, NOTES, CANDIDATES, AUTHORISATIONS):
        connection.execute(delete(table).where(table.c.case_id.in_(case_ids)))
    connection.execute(delete(CASES).where(chosen))


def _search_digest(key: Key, search: Search, identity: Identity) -> bytes:
    place = (("face", identity.place),) if identity.place else ()
    content = [
        search.principal_id,
        search.operation,
        search.purpose,
        sorted((*search.parameters, *place)),
        identity.probe.hex(),
    ]
    return Digester(key, "search").digest(json.dumps(content).encode())


def _ids(row: Row[Any]) -> set[UUID]:
    ids = (row.reference_id, row.subject_id, row.sighting_id)
    return {one for one in ids if one is not None}
