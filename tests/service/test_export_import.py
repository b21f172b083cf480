"""What one installation exports, another imports: all of it or nothing, and as it was."""

import hashlib
import io
import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from likeness.errors import AlreadyExists, Conflict, Denied, InvalidRequest, LikenessError, NotFound
from likeness.gallery import By, Collection, Reference, Size, Subject, proofs
from likeness.gallery.tables import COHORTS, COLLECTIONS, REFERENCES, SUBJECTS
from likeness.secrets import SEALED_MAGIC, passphrase
from likeness.service.enrol.enrol import Outcome
from likeness.service.move.export import export_collection
from likeness.service.move.export_format import End, encoded
from likeness.service.move.import_ import import_collection, read_export
from likeness.service.uses import Home
from likeness.service.uses.caller import Caller
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.cohorts.standards import Standards
from tests.gallery import erase
from tests.gallery.galleries import at, enrol, names_as_they_came
from tests.service.importing import WORDS, import_file
from tests.service.people import (
    crowd,
    enroller,
    home_at,
    make,
    person,
    template_of,
)

KILLS = int(os.environ.get("LIKENESS_KILLS", "3"))
EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase costs nothing."""
    monkeypatch.setattr(passphrase, "_SCRYPT_COST", 2)


@contextmanager
def elsewhere(folder: Path, standards: Path, url: str = "") -> Iterator[Home]:
    """Open the home of another installation."""
    with home_at(folder / "elsewhere", url, standards) as home:
        yield home


def enrolled(home: Home, folder: Path, count: int = 5) -> None:
    pictures = [
        replace(one, external_id=f"badge {number}", expires_at=EXPIRES if number % 2 else None)
        for number, one in enumerate(crowd(folder / "pictures", count))
    ]
    assert {one.outcome for one in enroller(home).enrol(pictures)} == {Outcome.ENROLLED}


def export(home: Home, words: str | None = WORDS, collection: str = "staff") -> bytes:
    file = io.BytesIO()
    words_of = None if words is None else lambda: words
    caller = Caller(home.somebody, "export")
    export_collection(home, caller, collection, file, passphrase=words_of)
    return file.getvalue()


def import_(home: Home, content: bytes, words: str = WORDS, name: str | None = None) -> Collection:
    return import_collection(
        home,
        Caller(home.somebody, "import"),
        read_export(io.BytesIO(content), lambda: words),
        name,
    ).collection


def people(home: Home, collection: str = "staff") -> list[Subject]:
    listed = home.gallery.collection(collection).read(lambda rows: rows.subjects.page())
    return [replace(one, number=0) for one in listed]


def faces(home: Home, collection: str = "staff") -> list[tuple[Reference, list[float], str]]:
    """Give what is known of every reference, but for what is keyed or counted."""
    found = home.gallery.collection(collection)
    listed = found.read(lambda rows: rows.references.page())
    numbers = [one.number for one in listed]
    templates = found.read(lambda rows: rows.references.templates(numbers))
    names = found.read(lambda rows: rows.subjects.of(listed))
    return [
        (
            replace(one, number=0, subject_number=0, sample_id=one.id),
            templates[one.number].vector.tolist(),
            names[one.subject_number].name if one.subject_number in names else "",
        )
        for one in listed
    ]


def rows(home: Home) -> list[int]:
    tables = (COLLECTIONS, SUBJECTS, REFERENCES, COHORTS)
    return home.database.read(
        lambda connection: [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        ]
    )


def test_everything_of_a_collection_arrives_as_it_was(
    home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(home, tmp_path)
    content = export(home)
    before = home.gallery.collection("staff")
    known, seen = people(home), faces(home)
    with elsewhere(tmp_path, standards) as other:
        imported = import_(other, content)
        assert (imported.size.subjects, imported.size.references) == (5, 5)
        assert people(other) == known
        assert faces(other) == seen
        after = other.gallery.collection("staff")
        assert replace(after, id=before.id) == before
        assert imported == after
        probe = template_of(other, tmp_path / "pictures" / "person 03.png")
        (best,) = other.gallery.collection("staff").search(probe, 1, By.BEST)
        assert best.subject is not None
        assert best.subject.name == "person 03"
    assert {reference.details.external_id for reference, *_ in seen} == {
        f"badge {number}" for number in range(5)
    }
    assert {reference.expires_at for reference, *_ in seen} == {None, EXPIRES}


def test_what_was_declared_of_a_collection_moves_with_it_and_older_files_declare_nothing(
    home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(home, tmp_path, 1)
    declared = {"likeness:live": "true", "likeness:sector": "police", "colour": "red"}
    opened = home.gallery.in_use.open(home.gallery.collection("staff"))
    home.database.write(lambda connection: at(connection, opened.seal).tags.put(declared))
    *lines, _ = export(home, words=None).splitlines(keepends=True)
    header = json.loads(lines[0])
    assert header.pop("tags") == declared
    older = [json.dumps(header).encode() + b"\n", *lines[1:]]
    end = encoded(End(hashlib.sha256(b"".join(older)).hexdigest()))
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(home))
        assert tags_of(other) == declared
        erase.collection(other.gallery, "staff")
        import_(other, b"".join([*older, end]))
        assert tags_of(other) == {}


def tags_of(home: Home) -> dict[str, str]:
    opened = home.gallery.in_use.open(home.gallery.collection("staff"))
    return home.database.read(lambda connection: at(connection, opened.seal).tags.all())


def test_postgresql_takes_what_sqlite_gave(
    home: Home, tmp_path: Path, standards: Path, database_url: str
) -> None:
    with elsewhere(tmp_path, standards) as other:
        make(other)
        enrolled(other, tmp_path)
        content, seen = export(other), faces(other)
    import_(home, content, name="arrived")
    assert faces(home, "arrived") == seen


def test_pictures_that_were_enrolled_before_are_known_after(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(sqlite_home, tmp_path)
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(sqlite_home))
        results = list(enroller(other).enrol(crowd(tmp_path / "pictures", 6)))
        assert [one.outcome for one in results] == [Outcome.ALREADY] * 5 + [Outcome.ENROLLED]
        ids = [reference.id for reference, *_ in faces(sqlite_home)]
        assert [one.reference_id for one in results[:5]] == ids


def test_a_name_that_is_kept_in_two_spellings_travels_as_two_subjects(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    spellings = ["\u00dcnal", "U\u0308nal"]
    with names_as_they_came():
        spelt = [person(sqlite_home, seed, name) for seed, name in enumerate(spellings)]
        enrol(sqlite_home.gallery, "staff", spelt)
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(sqlite_home))
        assert [one.name for one in people(other)] == spellings
        enrol(other.gallery, "staff", [person(other, 7, spellings[1])])
        assert other.gallery.collection("staff").size == Size(2, 3)


def test_somebody_unnamed_and_an_empty_collection_travel_too(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(sqlite_home, tmp_path, 1)
    seal = sqlite_home.gallery.seal(sqlite_home.gallery.collection("staff"))
    everybody = REFERENCES.c.number > 0
    sqlite_home.database.write(lambda connection: proofs.assign(connection, seal, everybody, None))
    make(sqlite_home, "nobody")
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(sqlite_home))
        import_(other, export(sqlite_home, collection="nobody"))
        assert faces(other) == faces(sqlite_home)
        assert faces(other, "nobody") == []


def test_a_sealed_export_shows_nothing_and_one_in_the_clear_is_lines_of_json(
    sqlite_home: Home, tmp_path: Path
) -> None:
    enrolled(sqlite_home, tmp_path)
    sealed, clear = export(sqlite_home), export(sqlite_home, None)
    assert sealed.startswith(SEALED_MAGIC)
    assert b"badge" in clear
    assert not any(word in sealed for word in (b"badge", b"staff", b"subject", b"vector"))
    header, *lines = map(json.loads, clear.splitlines())
    assert header["likeness_export"] == 2
    assert not any("cohort_mean" in line or "cohort_deviation" in line for line in lines)
    assert [next(iter(line)) for line in lines] == [
        *["cohort"] * header["cohort_parts"],
        *["subject"] * header["subjects"],
        *["reference"] * header["references"],
        "sha256",
    ]


def test_what_is_taken_stays_and_nothing_arrives(sqlite_home: Home, tmp_path: Path) -> None:
    enrolled(sqlite_home, tmp_path)
    content, before = export(sqlite_home), rows(sqlite_home)
    with pytest.raises(AlreadyExists, match="'staff' exists"):
        import_(sqlite_home, content)
    with pytest.raises(Conflict, match="is taken here"):
        import_(sqlite_home, content, name="copy")
    assert rows(sqlite_home) == before
    with pytest.raises(InvalidRequest, match="control character"):
        import_(sqlite_home, content, name="a\nb")


def test_a_collection_comes_back_after_it_was_erased(sqlite_home: Home, tmp_path: Path) -> None:
    enrolled(sqlite_home, tmp_path)
    content, seen = export(sqlite_home), faces(sqlite_home)
    erase.collection(sqlite_home.gallery, "staff")
    import_(sqlite_home, content)
    assert faces(sqlite_home) == seen


def other_standards(folder: Path, standards: Path) -> Path:
    """Ship another cohort of the same model, with nothing known of its scores."""
    (path,) = standards.glob("*.npz")
    cohort = Cohort.load(path)
    Standards(folder).keep_cohort(
        Cohort.of(cohort.vectors[::-1][:200], cohort.model, "other people")
    )
    return folder / "standards"


def test_a_cohort_that_is_not_known_there_comes_along(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(sqlite_home, tmp_path)
    content = export(sqlite_home)
    version = sqlite_home.gallery.collection("staff").cohort_version
    with elsewhere(tmp_path, other_standards(tmp_path / "others", standards)) as other:
        import_(other, content)
        own = other.gallery.collection("staff").kept_cohort()
        assert own is not None
        assert own.cohort.version == own.calibration.cohort_version == version
        probe = template_of(other, tmp_path / "pictures" / "person 02.png")
        assert probe.cohort.version != version
        (best,) = other.gallery.collection("staff").search(probe, 1, By.BEST)
        assert best.subject is not None
        assert best.subject.name == "person 02"
        again = export(other)
        erase.collection(other.gallery, "staff")
        import_(other, again)
        assert other.gallery.collection("staff").kept_cohort() is not None


def test_a_cohort_that_is_known_is_not_kept_twice(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(sqlite_home))
        assert other.gallery.collection("staff").kept_cohort() is None


def test_scores_that_mean_nothing_to_anybody_are_a_conflict(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    with elsewhere(tmp_path, other_standards(tmp_path / "others", standards)) as other:
        make(other, "unmeasured")
        content = export(other, collection="unmeasured")
    with pytest.raises(Conflict, match="likeness models calibrate"):
        import_(sqlite_home, content)
    assert rows(sqlite_home) == [1, 0, 0, 0]


def test_rules_see_a_collection_as_it_is_once_the_passphrase_is_typed(
    sqlite_home: Home, tmp_path: Path
) -> None:
    enrolled(sqlite_home, tmp_path)
    staff = sqlite_home.gallery.collection("staff")

    def typed() -> str:
        # Of an older Likeness, which took any value: an unknown one refuses every use.
        unknown = {"likeness:footage": "satellite"}
        sqlite_home.database.write(lambda connection: staff.within(connection).tags.put(unknown))
        return WORDS

    caller = Caller(sqlite_home.somebody, "export")
    with pytest.raises(Denied, match="footage-unknown"):
        export_collection(sqlite_home, caller, "staff", io.BytesIO(), passphrase=typed)


def test_a_cohort_that_is_gone_is_missed_before_a_file_is_written(
    sqlite_home: Home, tmp_path: Path
) -> None:
    sqlite_home.standards._shipped = tmp_path
    with pytest.raises(NotFound, match="cohort"):
        export(sqlite_home)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Not an export of a collection"),
        (b"a picture", "Not an export of a collection"),
        (b"[]\n", "Not an export of a collection"),
        (b'{"likeness_export":', "Not an export of a collection"),
        (b'{"likeness_export":3}\n', "version 3"),
        (b'{"likeness_export":2}\n', "Line 1 of the export is damaged"),
        (b'{"likeness_export":1}\n', "Line 1 of the export is damaged"),
        (b'{"likeness_export":' + b"[" * 100_000, "Not an export of a collection"),
        (SEALED_MAGIC, "damaged or cut off"),
        (SEALED_MAGIC + b"\x07", "version 7"),
    ],
)
def test_what_is_no_export_is_named(sqlite_home: Home, content: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        import_(sqlite_home, content)


def test_another_passphrase_imports_nothing(sqlite_home: Home, tmp_path: Path) -> None:
    content = export(sqlite_home)
    with pytest.raises(InvalidRequest, match="Try the passphrase again"):
        import_(sqlite_home, content, words="another passphrase", name="copy")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, standards: Path) -> dict[str, bytes]:
    """One collection, sealed and in the clear."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch, home_at(folder, "", standards) as home:
        patch.setattr(passphrase, "_SCRYPT_COST", 2)
        make(home)
        enrolled(home, folder, 3)
        return {"sealed": export(home), "clear": export(home, None)}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["sealed", "clear"])
@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_changed_byte_and_no_cut_is_imported(
    sqlite_home: Home, exports: dict[str, bytes], form: str, data: st.DataObject
) -> None:
    content = exports[form]
    # Half of them near an end, where the structure is.
    places = st.integers(0, len(content) - 1) | st.integers(0, 400)
    at = data.draw(places.map(lambda n: n if data.draw(st.booleans()) else len(content) - 1 - n))
    changed = {
        "cut": content[:at],
        "bit": content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :],
        "gone": content[:at] + content[at + 1 :],
        "more": content[:at] + b" " + content[at:],
        "after": content + content[at:],
    }[data.draw(st.sampled_from(["cut", "bit", "gone", "more", "after"]))]
    with pytest.raises(LikenessError) as caught:
        import_(sqlite_home, changed, name="copy")
    assert "\n" not in str(caught.value)
    assert rows(sqlite_home) == [1, 0, 0, 0]


def rewritten(clear: bytes, place: int, **changed: Any) -> bytes:
    """Change a line of an export in the clear, as somebody could who makes it whole again."""
    lines = clear.splitlines(keepends=True)[:-1]
    lines[place] = json.dumps({**json.loads(lines[place]), **changed}).encode() + b"\n"
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    return b"".join(lines) + b'{"sha256":"%s"}\n' % digest.encode()


HEADER, COHORT, FIRST_SUBJECT, LAST_REFERENCE = 0, 1, 2, -1


@pytest.mark.parametrize(
    ("place", "changed"),
    [
        (HEADER, {"name": "a\x1b[2J"}),
        (HEADER, {"name": ""}),
        (HEADER, {"model": "a\nb"}),
        (HEADER, {"model": "another"}),
        (HEADER, {"dimensions": 64}),
        (HEADER, {"dimensions": 10**9}),
        (HEADER, {"cohort_version": "../../etc"}),
        (HEADER, {"cohort_parts": 10**9}),
        (HEADER, {"references": 2}),
        (HEADER, {"subjects": 10**18}),
        (HEADER, {"retention_days": -1}),
        (HEADER, {"created_at": "2026-01-01T00:00:00"}),
        (HEADER, {"created_at": "0001-01-01T00:00:00+14:00"}),
        (HEADER, {"calibration": {}}),
        (HEADER, {"unknown": 1}),
        (HEADER, {"tags": {"a\nb": "c"}}),
        (HEADER, {"tags": {"a": 1}}),
        (HEADER, {"tags": {"likeness:live": "perhaps"}}),
        (HEADER, {"tags": {str(number): "" for number in range(51)}}),
        (COHORT, {"cohort": ""}),
        (COHORT, {"cohort": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}),
        (FIRST_SUBJECT, {"name": "a\nb"}),
        (FIRST_SUBJECT, {"name": "person 01"}),
        (FIRST_SUBJECT, {"name": "x" * 300}),
        (FIRST_SUBJECT, {"name": "\ud800"}),
        (FIRST_SUBJECT, {"subject": "none"}),
        (FIRST_SUBJECT, {"subject": "00000000-0000-0000-0000-000000000000"}),
        (LAST_REFERENCE, {"subject": "00000000-0000-0000-0000-000000000000"}),
        (LAST_REFERENCE, {"vector": ""}),
        (LAST_REFERENCE, {"vector": "AAAA" * 170 + "AAA="}),
        (LAST_REFERENCE, {"cohort_mean": float("nan")}),
        (LAST_REFERENCE, {"sample_sha256": "AAAA"}),
        (LAST_REFERENCE, {"sample_size": [-1, 10]}),
        (LAST_REFERENCE, {"sample_size": [0, 10]}),
        (LAST_REFERENCE, {"sample_size": [10, 10**400]}),
        (LAST_REFERENCE, {"external_id": "a\nb"}),
        (LAST_REFERENCE, {"expires_at": "yesterday"}),
        (LAST_REFERENCE, {"expires_at": "9999-12-31T23:59:59-14:00"}),
        (LAST_REFERENCE, {"created_at": "0001-01-01T00:00:00+14:00"}),
        (LAST_REFERENCE, {"face": {}}),
    ],
)
def test_what_somebody_wrote_into_an_export_is_refused(
    sqlite_home: Home, exports: dict[str, bytes], place: int, changed: dict[str, Any]
) -> None:
    # Under its own name it would be refused whatever it held, for that is taken.
    name = None if place == HEADER and "name" in changed else "copy"
    with pytest.raises(LikenessError) as caught:
        import_(sqlite_home, rewritten(exports["clear"], place, **changed), name=name)
    assert "\n" not in str(caught.value)
    assert rows(sqlite_home) == [1, 0, 0, 0]


@pytest.mark.parametrize("changed", ["box", "confidence"])
def test_a_face_that_no_picture_has_is_refused(
    sqlite_home: Home, exports: dict[str, bytes], changed: str
) -> None:
    face = json.loads(exports["clear"].splitlines()[-2])["face"]
    far = 1e308
    face[changed] = far if changed == "confidence" else {**face["box"], "left": far}
    with pytest.raises(InvalidRequest, match="Line 8 of the export is damaged"):
        import_(sqlite_home, rewritten(exports["clear"], -1, face=face), name="copy")


def test_ids_that_come_twice_are_refused(sqlite_home: Home, exports: dict[str, bytes]) -> None:
    lines = exports["clear"].splitlines()
    for place, key in ((2, "subject"), (-1, "reference")):
        other = json.loads(lines[3 if place == 2 else -3])[key]
        with pytest.raises(InvalidRequest, match="twice"):
            import_(sqlite_home, rewritten(exports["clear"], place, **{key: other}), name="copy")
    assert rows(sqlite_home) == [1, 0, 0, 0]


def test_the_rewritten_export_itself_is_imported(
    sqlite_home: Home, exports: dict[str, bytes]
) -> None:
    """What the tests above refuse is refused for what was changed, not for being rewritten."""
    import_(sqlite_home, rewritten(exports["clear"], 0, name="copy"))
    assert sqlite_home.gallery.collection("copy").size.references == 3


# What an older Likeness exported


OLDER_CALIBRATION = {
    "cohort_version": "0123456789ab",
    "scores": [-20.0, 0.0, 3.5],
    "fmrs": [1.0, 0.1, 1e-6],
    "pairs": 10**6,
    "measured_on": "scores of another kind",
}


def as_version_1(clear: bytes, **changed: Any) -> bytes:
    """Write an export in the clear as Likeness 0.1.0 did: its scores meant something else."""
    header, *lines = map(json.loads, clear.splitlines()[:-1])
    header |= {
        "likeness_export": 1,
        "cohort_version": "0123456789ab",
        "calibration": {"model": header["model"], **OLDER_CALIBRATION},
        "cohort_parts": 1,
        **changed,
    }
    older = [header, {"cohort": "Y29ob3J0"}]
    for line in lines:
        if "subject" in line and "reference" not in line:
            older.append(line)
        elif "reference" in line:
            older.append({**line, "cohort_mean": 0.07, "cohort_deviation": 0.03})
    content = b"".join(json.dumps(line).encode() + b"\n" for line in older)
    return content + b'{"sha256":"%s"}\n' % hashlib.sha256(content).hexdigest().encode()


@pytest.mark.slow
def test_what_an_older_likeness_exported_is_evened_out_by_the_cohort_known_here(
    sqlite_home: Home, tmp_path: Path, standards: Path
) -> None:
    enrolled(sqlite_home, tmp_path)
    content, before = as_version_1(export(sqlite_home, None)), faces(sqlite_home)
    with elsewhere(tmp_path, standards) as other:
        imported = import_(other, content)

        cohort = other.standards.cohort(imported.model)
        assert imported.cohort_version == cohort.version
        # Statistics of the file are not believed: they are those that were computed here before.
        assert faces(other) == before
        assert imported.kept_cohort() is None
        assert rows(other) == [1, 5, 5, 0]
        probe = template_of(other, tmp_path / "pictures" / "person 03.png")
        (best,) = other.gallery.collection("staff").search(probe, 1, By.BEST)
        assert best.subject is not None
        assert (best.subject.name, best.comparison.is_identical) == ("person 03", True)


def test_what_an_older_likeness_exported_of_a_model_without_a_cohort_is_a_conflict(
    sqlite_home: Home, exports: dict[str, bytes]
) -> None:
    content = as_version_1(exports["clear"], model="another")
    with pytest.raises(Conflict, match="older Likeness"):
        import_(sqlite_home, content, name="copy")
    assert rows(sqlite_home) == [1, 0, 0, 0]


@pytest.mark.parametrize("changed", [{"dimensions": 64}, {"references": 2}, {"cohort_parts": 2}])
def test_what_somebody_wrote_into_an_older_export_is_refused(
    sqlite_home: Home, exports: dict[str, bytes], changed: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        import_(sqlite_home, as_version_1(exports["clear"], **changed), name="copy")
    assert rows(sqlite_home) == [1, 0, 0, 0]


def test_an_older_export_itself_is_imported(sqlite_home: Home, exports: dict[str, bytes]) -> None:
    import_(sqlite_home, as_version_1(exports["clear"]), name="copy")
    assert rows(sqlite_home) == [2, 3, 3, 0]


def test_an_import_that_is_stopped_leaves_nothing(home: Home, exports: dict[str, bytes]) -> None:
    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_collection(
            home,
            Caller(home.somebody, "import"),
            read_export(io.BytesIO(exports["sealed"]), lambda: WORDS),
            "copy",
            tell=stop,
        )
    assert rows(home) == [1, 0, 0, 0]
    import_(home, exports["sealed"], name="copy")
    assert rows(home) == [2, 3, 3, 0]


def kill_one(folder: Path, url: str, standards: Path, path: Path, name: str, seed: int) -> bool:
    """Let a program import, kill it at some moment; say whether it had told that all is there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.service.importing"])
    hears, says = context.Pipe(duplex=False)
    program = context.Process(target=import_file, args=(folder, url, standards, path, name, says))
    program.start()
    says.close()
    assert hears.recv() == "begins"
    time.sleep(random.Random(seed).random() * 0.5)
    program.kill()
    program.join()
    assert program.exitcode in (0, -signal.SIGKILL)
    try:
        return hears.recv() == "done"
    except EOFError:
        return False
    finally:
        hears.close()


@pytest.mark.slow
def test_kill_9_leaves_all_or_nothing(tmp_path: Path, database_url: str, standards: Path) -> None:
    path = tmp_path / "staff.likeness"
    with elsewhere(tmp_path, standards) as other:
        make(other)
        enrolled(other, tmp_path, 60)
        path.write_bytes(export(other))
    cut_off = 0
    for seed in range(KILLS):
        name = f"killed {seed}"
        told = kill_one(tmp_path, database_url, standards, path, name, seed)
        with home_at(tmp_path, database_url, standards) as home:
            there = [one.name for one in home.gallery.collections()]
            assert name in there or not told
            assert rows(home) == ([1, 60, 60, 0] if there else [0, 0, 0, 0])
            if there:
                erase.collection(home.gallery, name)
            cut_off += not told
    assert cut_off


def test_order_and_batches_do_not_matter(
    sqlite_home: Home, tmp_path: Path, standards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(sqlite_home, tmp_path, 7)
    for module in ("export", "import_"):
        monkeypatch.setattr(f"likeness.service.move.{module}._AT_ONCE", 2)
    monkeypatch.setattr("likeness.service.move.export.COHORT_PART_BYTES", 1000)
    with elsewhere(tmp_path, standards) as other:
        import_(other, export(sqlite_home))
        assert faces(other) == faces(sqlite_home)
        assert np.isfinite(faces(other)[0][1]).all()
