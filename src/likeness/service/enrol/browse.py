"""Look through who is in a collection, page by page: by name, or one person and their pictures."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from unicodedata import normalize
from uuid import UUID

from likeness.errors import KeyUnusable, NotFound
from likeness.gallery import Collection, CollectionRows, KeptChange, Subject
from likeness.review import open_crop
from likeness.service.enrol.subjects import ListedReference, ListedSubject, Page
from likeness.service.uses import Caller, Outcome, Rows, facts_of, opens_blurred, still_of
from likeness.terms import Action

_LOOKED_THROUGH = 3_000
"""How many names are opened for one page of those that hold some words: a part of a second."""
_AT_A_TIME = 1_000
_MOST_SORTED, _MOST_OFFERED = 1_000, 300
"""Of so many people all names are opened, to sort them or to offer them where one is typed."""


@dataclass(frozen=True, slots=True)
class FoundSubjects:
    """Subjects whose names hold some words; `after` is where to look on, None at the end.

    `looked_through` are the names that were compared for it.
    """

    collection: Collection
    listed: Sequence[ListedSubject]
    looked_through: int
    after: int | None


@dataclass(frozen=True, slots=True)
class SubjectsInOrder:
    """A page of subjects, by name where names are few enough, else in the order they came."""

    page: Page[ListedSubject]
    is_by_name: bool


class SubjectsGone(NotFound):
    """Some subjects are not in the collection, or not any more."""

    def __init__(self, missing: UUID) -> None:
        super().__init__(
            f"No such subject {missing} in this collection, or it is erased. Nothing was done."
        )


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of a subject, whose name is now `name`.

    `others` are the name that they had, who was merged into them, or who was given their faces.
    """

    kept: KeptChange
    name: str
    others: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownSubject:
    """A subject, and a part of the list of their references.

    `last_change` is what can be undone of them, None where nothing can.
    """

    subject: Subject
    references: Page[ListedReference]
    last_change: LastChange | None


def list_in_order(
    rows: Rows, caller: Caller, name: str, *, after: int, limit: int
) -> SubjectsInOrder:
    """List subjects by name, or in the order they came where that would open too many names.

    Raises:
        NoSuchCollection: there is none of that name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> SubjectsInOrder:
        is_by_name = of.size.subjects <= _MOST_SORTED
        if is_by_name:
            every = its.subjects.page(limit=_MOST_SORTED)
            every.sort(key=lambda one: _folded(one.name))
            found = every[after : after + limit]
            end = after + limit if len(every) > after + limit else None
        else:
            found = its.subjects.page(after=after, limit=limit)
            end = found[-1].number if len(found) == limit else None
        return SubjectsInOrder(Page(of, _sized(its, found), of.size.subjects, end), is_by_name)

    with rows.record(caller, Action.READ, of) as record:
        listed = of.read(read)
        record.answered(Outcome())
    return listed


def names_to_offer(rows: Rows, caller: Caller, name: str) -> Sequence[str]:
    """Give everybody's name, to choose one from; nothing where there are too many.

    Raises:
        NoSuchCollection: there is none of that name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> Sequence[str]:
        if of.size.subjects > _MOST_OFFERED:
            return ()
        return sorted((one.name for one in its.subjects.page(limit=_MOST_OFFERED)), key=_folded)

    with rows.record(caller, Action.READ, of) as record:
        names = of.read(read)
        record.answered(Outcome())
    return names


def find_subjects(
    rows: Rows, caller: Caller, name: str, words: str, *, after: int, limit: int
) -> FoundSubjects:
    """Find the subjects whose names hold some words, in the order they came.

    Names are sealed, so each is opened and compared: of many people some are looked through at a
    time. Whose name is just these words comes first, however many there are.

    Raises:
        NoSuchCollection: there is none of that name.
        InvalidRequest: nobody can have such a name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> FoundSubjects:
        exact = its.subjects.of_any_spelling(words)
        wanted = _folded(words)
        found = [] if after else list(exact)
        known, behind, looked, is_end = {one.number for one in exact}, after, 0, False
        while not is_end and len(found) < limit and looked < _LOOKED_THROUGH:
            some = its.subjects.page(after=behind, limit=_AT_A_TIME)
            is_end = len(some) < _AT_A_TIME
            for one in some:
                behind, looked = one.number, looked + 1
                if wanted in _folded(one.name) and one.number not in known:
                    found.append(one)
                    if len(found) >= limit:
                        is_end = is_end and one is some[-1]
                        break
        return FoundSubjects(of, _sized(its, found), looked, None if is_end else behind)

    with rows.record(caller, Action.READ, of) as record:
        page = of.read(read)
        record.answered(Outcome(faces=len(page.listed)))
    return page


def show_subject(
    rows: Rows, caller: Caller, name: str, subject_id: UUID, *, after: int, limit: int
) -> ShownSubject:
    """Show a subject, and their references in the order they came.

    Raises:
        NoSuchCollection: there is none of that name.
        SubjectsGone: the collection has no such subject.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> ShownSubject:
        found_subjects = its.subjects.by_ids([subject_id])
        if not found_subjects:
            raise SubjectsGone(subject_id)
        subject = found_subjects[0]
        total = its.subjects.sizes([subject.number]).get(subject.number, 0)
        found = its.references.page(after=after, limit=limit + 1, subject_number=subject.number)
        listed = [ListedReference(one, subject) for one in found[:limit]]
        end = listed[-1].reference.number if len(found) > limit else None
        return ShownSubject(subject, Page(of, listed, total, end), _last_change(its, subject))

    with rows.record(caller, Action.READ, of) as record:
        shown = of.read(read)
        record.answered(Outcome(subject_ids=(subject_id,)))
    return shown


def name_subjects(
    rows: Rows, caller: Caller, name: str, subject_ids: Sequence[UUID]
) -> list[ListedSubject]:
    """Give some subjects, and how many references each has, in the order they came.

    Raises:
        NoSuchCollection: there is none of that name.
        SubjectsGone: it has one of them not.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> list[ListedSubject]:
        found = _sized(its, its.subjects.by_ids(subject_ids))
        if missing := set(subject_ids) - {one.subject.id for one in found}:
            raise SubjectsGone(min(missing))
        return found

    with rows.record(caller, Action.READ, of) as record:
        listed = of.read(read)
        record.answered(Outcome(subject_ids=tuple(one.subject.id for one in listed)))
    return listed


def list_first_references(
    rows: Rows, caller: Caller, name: str, subject_ids: Sequence[UUID], *, each: int
) -> Mapping[UUID, Sequence[UUID]]:
    """Give the first references of some subjects, by the subjects' ids, to look at.

    Raises:
        NoSuchCollection: there is none of that name.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> Mapping[UUID, Sequence[UUID]]:
        return {
            one.id: [
                reference.id
                for reference in its.references.page(subject_number=one.number, limit=each)
            ]
            for one in its.subjects.by_ids(subject_ids)
        }

    with rows.record(caller, Action.READ, of) as record:
        found = of.read(read)
        record.answered(Outcome(faces=sum(map(len, found.values()))))
    return found


def show_faces(
    rows: Rows,
    caller: Caller,
    name: str,
    reference_ids: Sequence[UUID],
    *,
    unblurred: bool = False,
) -> Mapping[UUID, bytes]:
    """Give the pictures of some references' faces, JPEGs, where they were kept for review.

    They open blurred where the purpose, or the collection's, asks for that; whether they did is on
    record.

    Raises:
        NoSuchCollection: there is none of that name.
        KeyUnusable: a key is gone.
    """
    of = rows.collection(caller, Action.REVIEW, name)

    def read(its: CollectionRows) -> Mapping[UUID, bytes]:
        known = [one.id for one in its.references.known(reference_ids)]
        opened = {one: open_crop(its.connection, rows.keyring, of.id, one) for one in known}
        return {one: crop_jpeg for one, crop_jpeg in opened.items() if crop_jpeg is not None}

    with rows.record(caller, Action.REVIEW, of) as record:
        use = record.use
        crops_jpeg = of.read(read)
        asked = {"unblurred": "yes" if unblurred else "no"}
        record.answered(
            Outcome(
                faces=len(crops_jpeg),
                reference_ids=tuple(crops_jpeg),
                details=asked if faces_open_blurred(of, use.purpose) else {},
            )
        )
    purpose = use.purpose if opens_blurred(use.purpose) else use.collection.purpose
    return {
        one: still_of(crop_jpeg, purpose, unblurred=unblurred)
        for one, crop_jpeg in crops_jpeg.items()
    }


def faces_open_blurred(of: Collection, purpose: str) -> bool:
    """Say whether faces of a collection open blurred: for what it is used, or declared to be."""
    return opens_blurred(purpose) or opens_blurred(facts_of(of.tags).purpose)


def _last_change(its: CollectionRows, subject: Subject) -> LastChange | None:
    # Whoever undoes one that is damaged is told so.
    with suppress(NotFound, KeyUnusable):
        kept = its.subject_changes.last_of(subject)
        others = kept.names_before
        if kept.other_id is not None:
            others = (its.subjects.by_id(kept.other_id).name,)
        return LastChange(kept, its.subjects.by_id(kept.subject_id).name, others)
    return None


def _sized(its: CollectionRows, found: Sequence[Subject]) -> list[ListedSubject]:
    sizes = its.subjects.sizes([one.number for one in found])
    return [ListedSubject(one, sizes.get(one.number, 0)) for one in found]


def _folded(name: str) -> str:
    return normalize("NFKC", name).casefold()
