"""Erase people with all that is enrolled of them, one or several: with one certificate.

Rows go with the ledger's entry, in one transaction; the rest follows as in `erase`.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import may
from likeness.gallery import (
    CollectionRows,
    Erasure,
    ErasureCertificate,
    mark_pictures,
    note_for_certificate,
)
from likeness.service.enrol.subjects import Named, everybody_named
from likeness.service.erase.erase import readable_among
from likeness.service.erase.watched import end_watches, left_watches, watches_of
from likeness.service.uses import Caller, Home, Outcome
from likeness.terms import Action


def erase_subject(
    home: Home,
    caller: Caller,
    name: str,
    subject: str,
    require_consent: Callable[[int, int], None],
    *,
    keep_watches: bool = False,
) -> ErasureCertificate:
    """Erase the subject of a name with all their references; raises what `Erasing.finish` does.

    References that have the name as their external id are erased, too: where it is a subject's
    name, those that are nobody's, else all of them, with subjects who have no other. Watches in the
    collection that look for somebody as alike end, unless they are to be kept, or the caller's role
    may not watch: else whoever may enrol and erase could end anybody's.

    Where an older Likeness kept the name in two spellings, both are erased: nobody can tell which
    of them somebody means who asks to be forgotten. Consent is asked for both, and certified: it is
    told how many subjects and references there are, and raises if not to go on.

    Raises:
        NoSuchCollection, NoSuchSubject: there is none of that name.
        InvalidRequest: nobody can have that name.
    """
    return _erase_everybody(
        home,
        caller,
        name,
        lambda its: [everybody_named(its, subject)],
        require_consent,
        keep_watches=keep_watches,
    )


def erase_subjects(
    home: Home,
    caller: Caller,
    name: str,
    subject_ids: Sequence[UUID],
    require_consent: Callable[[int, int], None],
    *,
    keep_watches: bool = False,
) -> ErasureCertificate:
    """Erase subjects, all or none, as `erase_subject` does each by their name; certify that once.

    Raises what `erase_subject` does, and:

    Raises:
        NotFound: the collection has one of them not.
    """

    def meant(its: CollectionRows) -> list[Named]:
        return [
            everybody_named(its, its.subjects.by_id(one).name) for one in dict.fromkeys(subject_ids)
        ]

    return _erase_everybody(home, caller, name, meant, require_consent, keep_watches=keep_watches)


def _erase_everybody(
    home: Home,
    caller: Caller,
    name: str,
    find: Callable[[CollectionRows], Sequence[Named]],
    require_consent: Callable[[int, int], None],
    *,
    keep_watches: bool,
) -> ErasureCertificate:
    keeps_watches = keep_watches or not may(caller.principal.role, Action.WATCH)
    of = home.collection(caller, Action.ERASE, name)
    with home.record(caller, Action.ERASE, of) as record:
        subject_ids = tuple(
            dict.fromkeys(one.id for found in of.read(find) for one in found.subjects)
        )

        def references(connection: Connection) -> tuple[UUID, ...]:
            its = of.within(connection)
            ids = [one.id for each in subject_ids for one in its.references.known_of_subject(each)]
            ids += [one.id for found in find(its) for one in found.references]
            return tuple(dict.fromkeys(ids))

        require_consent(len(subject_ids), len(home.database.read(references)))

        def erase(connection: Connection) -> tuple[Erasure, tuple[UUID, ...], int]:
            theirs, its = references(connection), of.within(connection)
            readable = readable_among(its, theirs)
            watches = watches_of(connection, home, of, readable)
            begun = its.begin_erasure(
                home.clock(), subject_ids=subject_ids, reference_ids=theirs, with_emptied=True
            )
            faces = (one.details for one in readable)
            mark_pictures(connection, home.keyring, begun.id, faces)
            ending = () if keeps_watches else watches.alike
            note_for_certificate(
                connection,
                begun.id,
                done=end_watches(connection, ending),
                remainders=left_watches(watches, ended=not keeps_watches),
            )
            return begun, theirs, len(ending)

        def outcome(result: tuple[Erasure, tuple[UUID, ...], int]) -> Outcome:
            begun, reference_ids, watches = result
            return Outcome(
                reference_ids=reference_ids,
                subject_ids=subject_ids,
                certificate_id=begun.id,
                details={"watches_ended": str(watches)} if watches else {},
                forgotten=(*begun.erased.subject_ids, *reference_ids),
            )

        begun, _, _ = record.write(erase, outcome)
        return home.gallery.erasing.finish([begun])[0]
