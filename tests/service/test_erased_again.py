"""Who was erased stays away: what an import may bring, and where a certificate is looked into."""

import io
from functools import partial
from hashlib import sha256

import pytest
from sqlalchemy import delete, select, text, update

from likeness.errors import KeyUnusable
from likeness.gallery import ErasureCertificate, Return, Size
from likeness.gallery.tables import ERASURES, MARKS, REFERENCES
from likeness.jobs import NewJob, add_job
from likeness.jobs.tables import JOBS
from likeness.service.erase.certificates import (
    list_certificates,
    show_certificate,
    verify_certificate,
)
from likeness.service.erase.erase import (
    dissolve_subject,
    erase_collection_certified,
    erase_unnamed_references,
)
from likeness.service.erase.subjects import erase_subject
from likeness.service.govern.secrets import list_secrets, rotate_secrets
from likeness.service.move.export import export_collection
from likeness.service.move.import_ import Imported, import_collection, read_export
from likeness.service.uses import Caller, Home, Once
from tests.gallery.galleries import enrol
from tests.service.people import make, person


class Acts:
    """What is done to a home whose collection `staff` has Ada, Ben and somebody unnamed."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.caller = Caller(home.somebody, "test")
        people = [person(home, 1, "Ada"), person(home, 2, "Ada"), person(home, 3, "Ben")]
        self.unnamed = enrol(home.gallery, "staff", [*people, person(home, 4)])[3].id
        self.exported = self.export()

    def export(self) -> bytes:
        file = io.BytesIO()
        export_collection(self.home, self.caller, "staff", file, passphrase=None)
        return file.getvalue()

    def erase(self, name: str) -> ErasureCertificate:
        return erase_subject(self.home, self.caller, "staff", name, lambda *counts: None)

    def delete(self) -> ErasureCertificate:
        return erase_collection_certified(self.home, self.caller, "staff", lambda of: None)

    def import_(self, content: bytes | None = None, *, bring_back: bool = False) -> Imported:
        lines = read_export(io.BytesIO(content or self.exported), lambda: "")
        return import_collection(self.home, self.caller, lines, bring_back=bring_back)

    def names(self) -> dict[str | None, int]:
        """The names in `staff`, each with how many references they have."""

        def read(rows: object) -> dict[str | None, int]:
            found: dict[str | None, int] = {}
            references = rows.references.page()  # type: ignore[attr-defined]
            whose = rows.subjects.of(references)  # type: ignore[attr-defined]
            for one in references:
                name = whose[one.subject_number].name if one.subject_number else None
                found[name] = found.get(name, 0) + 1
            return found

        return self.home.gallery.collection("staff").read(read)

    def verified(self, certificate: ErasureCertificate) -> tuple[bool, tuple[Return, ...]]:
        found = verify_certificate(self.home, self.caller, certificate)
        return found.holds, found.returns


@pytest.fixture
def acts(sqlite_home: Home) -> Acts:
    return Acts(sqlite_home)


def test_an_older_export_brings_everybody_but_who_was_erased(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    erase_unnamed_references(acts.home, acts.caller, "staff", [acts.unnamed])
    acts.delete()
    done = acts.import_()
    assert acts.names() == {"Ben": 1}
    assert (done.left_out, done.brought_back) == (Size(1, 3), Size(0, 0))
    assert done.with_collection == Size(1, 0)
    assert done.collection.size == Size(1, 1)
    assert acts.verified(certificate) == (True, ())


def test_who_is_brought_back_ends_the_proof_and_stays_until_erased_again(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    acts.delete()
    done = acts.import_(bring_back=True)
    assert acts.names() == {"Ada": 2, "Ben": 1, None: 1}
    assert (done.left_out, done.brought_back) == (Size(0, 0), Size(1, 2))
    assert acts.verified(certificate) == (False, (Return("staff", 1, 2, 0),))
    moved = acts.export()
    acts.delete()
    assert acts.import_(moved).left_out == Size(0, 0)  # they were brought back on purpose
    acts.erase("Ada")
    acts.delete()
    assert acts.import_(moved).left_out == Size(1, 2)
    assert acts.verified(certificate) == (True, ())


def test_a_subject_who_lost_a_name_alone_comes_as_nobody(acts: Acts) -> None:
    once = Once(tokens=None, token=None, asked={})  # type: ignore[arg-type]
    dissolve_subject(acts.home, acts.caller, "staff", "Ada", once)
    acts.delete()
    assert acts.import_().left_out == Size(1, 0)
    assert acts.names() == {"Ben": 1, None: 3}


def test_whom_an_older_likeness_erased_without_a_mark_is_left_out_too(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    acts.home.database.write(lambda c: c.execute(delete(MARKS)))
    acts.delete()
    assert acts.import_().left_out == Size(1, 2)
    acts.delete()
    assert acts.import_(bring_back=True).brought_back == Size(1, 2)
    assert acts.verified(certificate) == (False, (Return("staff", 1, 0, 0),))
    moved = acts.export()
    acts.delete()
    assert acts.import_(moved).left_out == Size(0, 0)


def test_the_same_picture_under_another_name_anywhere_is_told_of(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    make(acts.home, "visitors")
    enrol(acts.home.gallery, "visitors", [person(acts.home, 1, "A. L."), person(acts.home, 5)])
    assert acts.verified(certificate) == (False, (Return("visitors", 0, 0, 1),))


def test_what_cannot_be_looked_at_is_counted(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    of_ben = REFERENCES.c.id != acts.unnamed
    broken = update(REFERENCES).where(of_ben).values(sealed_details=b"broken")
    acts.home.database.write(lambda c: c.execute(broken))
    found = verify_certificate(acts.home, acts.caller, certificate)
    assert (found.holds, found.unreadable) == (True, 1)


def test_a_deleted_collection_that_came_back_is_told_of(acts: Acts) -> None:
    certificate = acts.delete()
    assert acts.verified(certificate) == (True, ())
    assert acts.import_().with_collection == Size(2, 1)
    assert acts.verified(certificate) == (False, (Return("staff", 2, 1, 0),))


def test_an_erasure_whose_row_was_changed_is_named_and_hinders_no_other(acts: Acts) -> None:
    acts.erase("Ada")
    certificate = acts.erase("Ben")
    (first,) = acts.home.database.read(
        lambda c: c.execute(select(ERASURES.c.id).where(ERASURES.c.id != certificate.id)).scalars()
    )
    broken = update(ERASURES).where(ERASURES.c.id == first).values(content="{", certificate=None)
    acts.home.database.write(lambda c: c.execute(broken))
    listed = list_certificates(acts.home, acts.caller, limit=10).listed
    assert [(one.erasure.id == first, one.erasure.damaged) for one in listed] == [
        (False, False),
        (True, True),
    ]
    page = list_certificates(acts.home, acts.caller, collection="staff", limit=1)
    rest = list_certificates(acts.home, acts.caller, after=page.after, limit=1)
    assert ([one.erasure.id for one in rest.listed], rest.after) == ([first], None)
    with pytest.raises(KeyUnusable, match=str(first)):
        show_certificate(acts.home, acts.caller, first)
    assert acts.home.gallery.erasing.finish_pending() == []
    acts.delete()
    assert acts.import_().left_out == Size(2, 3)  # it was marked, which is enough
    acts.home.database.write(lambda c: c.execute(delete(MARKS)))
    acts.delete()
    with pytest.raises(KeyUnusable, match=f"{first}.*--bring-back"):
        acts.import_()
    assert acts.import_(bring_back=True).collection.size == Size(2, 4)


def test_what_jobs_hold_is_named_only_while_they_do(acts: Acts) -> None:
    def of_jobs(name: str) -> list[tuple[str, bool]]:
        left = acts.erase(name).remainders
        return [(one.what, one.until is not None) for one in left if "clip" in one.what]

    assert of_jobs("Ada") == []
    now, collection_id = acts.home.clock(), acts.home.gallery.collection("staff").id
    for ended_at in (now, None):
        new = NewJob("Search", "key:x", collection_id, b"{}")
        job = acts.home.database.write(
            partial(add_job, keyring=acts.home.keyring, new=new, now=now)
        )
        state = "waiting" if ended_at is None else "succeeded"
        ends = update(JOBS).where(JOBS.c.id == job.id).values(ended_at=ended_at, state=state)
        acts.home.database.write(lambda c, ends=ends: c.execute(ends))
    (finished, is_dated), (running, _) = of_jobs("Ben")
    assert ("finished jobs" in finished, is_dated, "being searched" in running) == (True,) * 3


def test_marks_tell_nothing_and_outlive_a_rotation(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    marks = acts.home.database.read(lambda c: c.execute(select(MARKS.c.mark)).scalars().all())
    known = {one.bytes for one in certificate.erased.subject_ids}
    known |= {sha256(b"%d" % seed).digest()[:16] for seed in (1, 2)}
    assert len(marks) == 5 and known.isdisjoint(marks)  # an id, and ids and pictures of two
    rotate_secrets(acts.home, acts.caller)
    (only,) = list_secrets(acts.home, acts.caller)
    assert only.collections == 1
    acts.delete()
    assert acts.import_().left_out == Size(1, 2)


@pytest.mark.parametrize("damage", ["begun_at = 'text'", "collection_id = 7", "id = x'00'"])
def test_an_erasure_of_which_nothing_can_be_read_hinders_no_other(acts: Acts, damage: str) -> None:
    acts.erase("Ada")
    certificate = acts.erase("Ben")
    change = text(f"UPDATE gallery_erasures SET {damage}, certificate = NULL WHERE id != :id")
    acts.home.database.write(lambda c: c.execute(change, {"id": certificate.id.bytes}))
    for limit in (1, 10):
        listed = list_certificates(acts.home, acts.caller, limit=limit).listed
        assert [one.erasure.id for one in listed] == [certificate.id]
    assert "gallery_erasures" in {one.table for one in acts.home.database.damage.rows}
    assert acts.home.gallery.erasing.finish_pending() == []


def test_pages_of_certificates_leave_out_none_of_the_same_moment(acts: Acts) -> None:
    issued = {acts.erase("Ada").id, acts.erase("Ben").id, acts.delete().id}
    now = acts.home.clock()
    acts.home.database.write(lambda c: c.execute(update(ERASURES).values(begun_at=now)))
    seen, after = set(), None
    for _ in issued:
        page = list_certificates(acts.home, acts.caller, after=after, limit=1)
        seen |= {one.erasure.id for one in page.listed}
        after = page.after
    assert (seen, after) == (issued, None)


def test_a_mark_of_no_kind_is_refused_and_named(acts: Acts) -> None:
    certificate = acts.erase("Ada")
    acts.home.database.write(lambda c: c.execute(update(MARKS).values(kind="odd")))
    with pytest.raises(KeyUnusable, match="gallery_marks"):
        acts.verified(certificate)
    acts.delete()
    with pytest.raises(KeyUnusable, match="gallery_marks"):
        acts.import_()
