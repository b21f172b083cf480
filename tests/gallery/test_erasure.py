"""Erasure: gone from rows, indexes, snapshots and files, with a certificate that can be checked."""

import json
import logging
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from likeness.errors import Conflict, Denied, InvalidRequest, NotFound
from likeness.gallery import (
    By,
    ErasureCertificate,
    Gallery,
    erasure,
    erasure_rows,
    subjects,
)
from likeness.gallery.erasing import Erasing
from likeness.gallery.seal import Seal
from likeness.gallery.tables import COLLECTIONS, ERASURES, REFERENCES, SUBJECTS
from likeness.index.snapshot import FORMAT
from likeness.service.uses import Ongoing
from likeness.storage import Scrubbing
from likeness.terms import Use
from tests.gallery import erase
from tests.gallery.galleries import Home, at, length, make, new, template, vector
from tests.service.unrecorded import UnrecordedDesk

# Down to the disk, on every database and index.
pytestmark = pytest.mark.slow


def fill(gallery: Gallery, people: int = 100, name: str = "staff") -> None:
    """Enrol people with two references each, and open both indexes."""
    for person in range(people):
        gallery.enrol(name, [new(2 * person + n, f"person {person}") for n in range(2)])
    for by in By:
        gallery.search(name, template(0), 1, by)


def subject_named(home: Home, gallery: Gallery, name: str) -> subjects.Subject:
    seal = gallery.open("staff")[1].seal
    return home.database.read(lambda c: at(c, seal).subjects.get(name))


def found(gallery: Gallery, seed: int) -> set[str]:
    """Everybody a search finds, in any way."""
    return {
        candidate.subject.name
        for by in By
        for candidate in gallery.search("staff", template(seed), 400, by)
        if candidate.subject
    }


@pytest.mark.parametrize("reopened", [False, True])
def test_erased_subject_is_found_nowhere_and_the_certificate_holds(
    home: Home, gallery: Gallery, reopened: bool
) -> None:
    fill(gallery)
    gallery.snapshot("staff")
    person = subject_named(home, gallery, "person 7")
    if reopened:  # indexes that no search has opened
        gallery.close()
        gallery = home.open()

    certificate = erase.subject(gallery, "staff", person.id)

    assert certificate.erased.subject_ids == (person.id,)
    assert (certificate.erased.subjects, certificate.erased.references) == (1, 2)
    assert gallery.erasing.verify(certificate).holds
    assert found(gallery, 14) == {f"person {n}" for n in range(100)} - {"person 7"}
    assert gallery.size("staff").references == 198
    gallery.close()
    with home.open() as again:
        assert again.erasing.verify(certificate).holds
        assert "person 7" not in found(again, 14)
        assert length(again.open("staff")[1].references) == 198
        assert length(again.open("staff")[1].subjects) == 99


def test_subject_or_collection_that_is_not_there_is_told_of(gallery: Gallery) -> None:
    with pytest.raises(NotFound):
        erase.subject(gallery, "staff", uuid4())
    with pytest.raises(NotFound):
        erase.some_references(gallery, "staff", [uuid4()])
    with pytest.raises(NotFound):
        erase.collection(gallery, "visitors")


def test_erased_references_leave_their_subject_with_the_others(
    home: Home, gallery: Gallery
) -> None:
    first, second = gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada")])
    for by in By:
        gallery.search("staff", template(1), 1, by)
    gallery.snapshot("staff")

    certificate = erase.some_references(gallery, "staff", [first.id])

    assert certificate.erased.subjects == 0
    assert gallery.erasing.verify(certificate).holds
    gallery.close()
    with home.open() as again:
        (best,) = again.search("staff", template(2), 1, By.SUBJECT)
        assert best.comparison.raw_score == pytest.approx(1.0, abs=1e-5)
        (best,) = again.search("staff", template(1), 1, By.REFERENCE)
        assert best.reference is not None and best.reference.id == second.id


def test_certificate_is_json_and_names_nobody(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada Lovelace", external_id="badge 7")])
    person = subject_named(home, gallery, "Ada Lovelace")

    certificate = erase.subject(gallery, "staff", person.id)

    text = json.dumps(certificate.as_json())
    assert ErasureCertificate.from_json(json.loads(text)) == certificate
    kept = home.database.read(lambda c: c.execute(select(ERASURES)).one())
    assert (kept.digest, json.loads(kept.certificate)) == (certificate.digest, json.loads(text))
    for secret in ("Lovelace", "badge", "staff"):
        assert secret not in text + kept.content
    assert any("backups" in place for place in certificate.out_of_reach)
    assert any("export" in place for place in certificate.out_of_reach)


def test_certificate_that_was_altered_or_never_issued_does_not_hold(gallery: Gallery) -> None:
    (enrolled,) = gallery.enrol("staff", [new(1)])
    certificate = erase.some_references(gallery, "staff", [enrolled.id])

    for forged in (
        replace(certificate, erased=replace(certificate.erased, reference_numbers=(99,))),
        replace(certificate, id=uuid4()),
    ):
        assert not gallery.erasing.verify(forged).issued
    with pytest.raises(InvalidRequest, match="certificate of version 1"):
        ErasureCertificate.from_json({"version": 1})
    for number in (2**63, 0, float("inf"), "x", None):
        value = certificate.as_json()
        value["erased"]["reference_numbers"] = [number]
        with pytest.raises(InvalidRequest, match="certificate of version 1"):
            ErasureCertificate.from_json(value)


def test_certificate_fails_where_something_came_back(home: Home, gallery: Gallery) -> None:
    (enrolled,) = gallery.enrol("staff", [new(1, "Ada")])
    gallery.search("staff", template(1), 1)
    row = home.database.read(lambda c: c.execute(select(REFERENCES)).one())._asdict()
    opened = gallery.open("staff")[1]
    certificate = erase.some_references(gallery, "staff", [enrolled.id])

    home.database.write(lambda c: c.execute(insert(REFERENCES), row))  # as from a backup
    opened.references._up_to_date = False
    gallery.search("staff", template(1), 1)

    verification = gallery.erasing.verify(certificate)
    assert (verification.issued, verification.rows, verification.vectors) == (True, 1, 1)
    assert not verification.holds


# A crash in between


class Crash(BaseException):
    """What a kill looks like from inside."""


@pytest.mark.slow
@pytest.mark.parametrize("at", ["forget", "scrub", "keep_certificate"])
@pytest.mark.parametrize("whole", [False, True])
def test_erasure_is_finished_at_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, at: str, whole: bool
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise Crash

    first = home.open()
    make(first)
    fill(first, 40)
    first.snapshot("staff")
    person = subject_named(home, first, "person 7")
    with monkeypatch.context() as patch, pytest.raises(Crash):
        if at == "forget":
            patch.setattr(Erasing, "_forget", crash)
        else:
            patch.setattr(erasure, at, crash)
        if whole:
            erase.collection(first, "staff")
        else:
            erase.subject(first, "staff", person.id)
    first._lock.release()
    assert len(home.database.read(erasure_rows.pending)) == 1

    with home.open() as again:
        assert home.database.read(erasure_rows.pending) == []
        text = home.database.read(lambda c: c.execute(select(ERASURES.c.certificate)).scalar_one())
        certificate = ErasureCertificate.from_json(json.loads(text))
        assert again.erasing.verify(certificate).holds
        if not whole:
            assert "person 7" not in found(again, 14)
            assert again.size("staff").references == 78


def test_reader_in_the_way_keeps_the_certificate_back(
    home: Home, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(gallery, 3)
    person = subject_named(home, gallery, "person 1")
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "scrub", lambda *_: Scrubbing("a program reads", ()))
        with pytest.raises(Conflict, match="a program reads"):
            erase.subject(gallery, "staff", person.id)

    assert "person 1" not in found(gallery, 2)
    (certificate,) = gallery.erasing.finish_pending()
    assert gallery.erasing.verify(certificate).holds
    assert gallery.erasing.finish_pending() == []


def test_sweep_finishes_what_something_stood_in_the_way_of(
    gallery: Gallery, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(gallery, 3)
    person = subject_named(home, gallery, "person 1")
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "scrub", lambda *_: Scrubbing("a program reads", ()))
        with pytest.raises(Conflict, match="the next sweep"):
            erase.subject(gallery, "staff", person.id)

    (certificate,) = erase.sweep(gallery).certificates

    assert certificate.erased.subject_ids == (person.id,)
    assert gallery.erasing.verify(certificate).holds


def test_start_goes_on_where_an_erasure_cannot_be_finished(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with home.open() as gallery:
        make(gallery)
        gallery.enrol("staff", [new(1, "Ada")])
        collection = gallery.collection("staff")
    home.database.write(lambda c: collection.begin_erasure(c, home.clock.now))
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "scrub", lambda *_: Scrubbing("a program reads", ()))
        with caplog.at_level(logging.WARNING):
            home.open().close()

    assert "erasures stay to be finished" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"not a manifest\n00"])
def test_snapshot_that_cannot_be_read_does_not_keep_anybody(
    home: Home, gallery: Gallery, content: bytes
) -> None:
    fill(gallery, 10)
    gallery.snapshot("staff")
    person = subject_named(home, gallery, "person 7")
    for manifest in home.snapshots.rglob("manifest.json"):
        manifest.write_bytes(content)

    certificate = erase.subject(gallery, "staff", person.id)

    assert gallery.erasing.verify(certificate).holds
    assert list(home.snapshots.rglob("*.rows")) == []
    gallery.close()
    with home.open() as again:
        assert found(again, 14) == {f"person {n}" for n in range(10)} - {"person 7"}


# Collections


@pytest.mark.parametrize("opened", [True, False])
def test_erased_collection_leaves_nothing_and_others_alone(
    home: Home, gallery: Gallery, opened: bool
) -> None:
    fill(gallery)
    gallery.snapshot("staff")
    make(gallery, "visitors")
    gallery.enrol("visitors", [new(1, "Vera")])
    if not opened:
        gallery.close()
        gallery = home.open()

    certificate = erase.collection(gallery, "staff")

    assert certificate.erased.whole_collection
    assert (certificate.erased.subjects, certificate.erased.references) == (100, 200)
    assert gallery.erasing.verify(certificate).holds
    assert [each.name for each in gallery.collections()] == ["visitors"]
    for table, left in ((SUBJECTS, 1), (REFERENCES, 1), (COLLECTIONS, 1)):
        assert len(home.database.read(lambda c, t=table: c.execute(select(t)).all())) == left
    (best,) = gallery.search("visitors", template(1), 3)
    assert best.subject is not None and best.subject.name == "Vera"
    make(gallery)
    assert gallery.search("staff", template(1), 3) == []
    gallery.close()
    assert not (home.snapshots / certificate.collection_id.hex).exists()


def test_nothing_is_enrolled_into_a_collection_that_is_just_erased(
    home: Home, gallery: Gallery
) -> None:
    collection, opened = gallery.open("staff")
    erase.collection(gallery, "staff")

    with pytest.raises(NotFound, match="is erased"):
        home.database.write(
            lambda c: at(c, opened.seal, collection).references.enrol([new(1)], home.clock.now)
        )


# Bytes


@pytest.fixture
def bytes_home(tmp_path: Path) -> Any:
    home = Home(f"sqlite:///{tmp_path / 'likeness.db'}", tmp_path)
    with home.database:
        yield home


def test_nothing_personal_lies_on_the_disk_in_the_clear(bytes_home: Home) -> None:
    with bytes_home.open() as gallery:
        make(gallery)
        gallery.enrol("staff", [new(1, "Ada Lovelace", external_id="badge 7")])
        gallery.search("staff", template(1), 1)
        gallery.snapshot("staff")
        content = bytes_home.bytes_on_disk()

    for secret in (b"Ada Lovelace", b"badge 7", vector(1).tobytes(), vector(1)[:4].tobytes()):
        assert secret not in content
    assert b"staff" in content  # a collection's name is no secret, and the search above works


def test_sealed_bytes_of_the_erased_are_on_the_disk_no_more(bytes_home: Home) -> None:
    with bytes_home.open() as gallery:
        make(gallery)
        fill(gallery)
        gallery.snapshot("staff")
        erased, kept = (subject_named(bytes_home, gallery, f"person {n}") for n in (7, 8))

        def sealed(number: int) -> list[bytes]:
            rows = bytes_home.database.read(
                lambda c: (
                    c.execute(
                        select(SUBJECTS.c.sealed_name, SUBJECTS.c.name_digest).where(
                            SUBJECTS.c.number == number
                        )
                    ).all()
                    + c.execute(
                        select(REFERENCES.c.sealed_vector, REFERENCES.c.sealed_details).where(
                            REFERENCES.c.subject_number == number
                        )
                    ).all()
                )
            )
            return [bytes(value) for row in rows for value in row]

        gone, there = sealed(erased.number), sealed(kept.number)
        segments = {path: path.read_bytes() for path in bytes_home.snapshots.rglob("*.rows")}
        assert all(piece in bytes_home.bytes_on_disk() for piece in gone + there)

        erase.subject(gallery, "staff", erased.id)

        content = bytes_home.bytes_on_disk()
        assert not any(piece[-16:] in content for piece in gone if len(piece) != 32)
        assert all(piece in content for piece in there)
        assert {path for path in segments if not path.exists()}


def test_snapshots_hold_no_vector_of_the_erased(bytes_home: Home) -> None:
    with bytes_home.open() as gallery:
        make(gallery)
        fill(gallery, 20)
        gallery.snapshot("staff")
        person = subject_named(bytes_home, gallery, "person 7")
        opened = gallery.open("staff")[1]
        erase.subject(gallery, "staff", person.id)

        plain = b"".join(_plain(path, opened.seal) for path in bytes_home.snapshots.rglob("*.rows"))

    assert vector(12).tobytes() in plain
    assert vector(14).tobytes() not in plain
    assert vector(15).tobytes() not in plain


def _plain(path: Path, seal: Seal) -> bytes:
    context = f"likeness index snapshot {FORMAT} {path.name} ".encode()
    return seal.of_snapshots(path.parent.name).unseal(path.read_bytes(), context)


# Retention


def test_sweep_erases_what_is_due_and_nothing_else(home: Home, gallery: Gallery) -> None:
    clock = home.clock
    make(gallery, "visitors", retention_days=30)
    gallery.enrol("visitors", [new(11, "Vera"), new(12, "Wim")])
    gallery.enrol("staff", [new(1, "Ada"), new(2, "Ada", expires_at=clock.now)])
    clock.pass_days(20)
    gallery.enrol("visitors", [new(13, "Wim")])

    first = erase.sweep(gallery)
    assert (first.subjects, first.references) == (0, 1)
    assert gallery.size("staff").references == 1

    clock.pass_days(10)
    second = erase.sweep(gallery)
    assert (second.subjects, second.references) == (1, 2)  # Vera goes, Wim stays with one
    size = gallery.size("visitors")
    assert (size.subjects, size.references) == (1, 1)
    assert all(gallery.erasing.verify(one).holds for one in second.certificates)

    assert erase.sweep(gallery).certificates == ()
    clock.pass_days(20)
    assert erase.sweep(gallery).subjects == 1
    assert gallery.size("staff").references == 1


def test_a_collection_that_a_rule_keeps_holds_up_no_other(home: Home, gallery: Gallery) -> None:
    make(gallery, "visitors", retention_days=1)
    for name in ("staff", "visitors"):
        gallery.enrol(name, [new(1, "Ada", expires_at=home.clock.now)])
    (kept, erased) = gallery.collections()

    class Keeping(UnrecordedDesk):
        def record(self, use: Use, ongoing: Ongoing | None = None) -> AbstractContextManager[Any]:
            if use.collection_id == kept.id:
                raise Denied("a rule forbids it")
            return super().record(use)

    with pytest.raises(Denied):
        erase.sweep(gallery, desk=Keeping(home.database))
    assert gallery.size(kept.name).references == 1
    assert gallery.size(erased.name).references == 0


def test_retention_may_be_changed(home: Home, gallery: Gallery) -> None:
    gallery.enrol("staff", [new(1, "Ada")])
    staff = gallery.collection("staff")
    home.clock.pass_days(3)
    assert erase.sweep(gallery).references == 0

    home.database.write(lambda c: staff.within(c).set_retention(3))

    assert erase.sweep(gallery).references == 1
    with pytest.raises(InvalidRequest, match="Not a number of days"):
        make(gallery, "never", retention_days=0)


def test_subject_without_references_stays_until_erased(home: Home, gallery: Gallery) -> None:
    (enrolled,) = gallery.enrol("staff", [new(1, "Ada")])
    erase.some_references(gallery, "staff", [enrolled.id])

    assert gallery.size("staff").subjects == 1
    person = subject_named(home, gallery, "Ada")
    assert gallery.erasing.verify(erase.subject(gallery, "staff", person.id)).holds
