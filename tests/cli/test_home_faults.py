"""A home that cannot be used as asked: one line, the right exit code, nothing lost."""

import base64
import json
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from likeness.config import read_settings
from likeness.errors import DatabaseUnavailable
from likeness.storage import open_database, require_sound
from tests.gallery.galleries import create

from .conftest import RED, Outcome
from .staff import Command, Make, employ, home, make_home

EVERY = ["list", "show staff", "delete staff --yes", "create other"]


@pytest.fixture
def staff(likeness: Command, picture: Make) -> Iterator[Path]:
    """A home with people in it, who are there yet when the test is over; its database's path."""
    employ(likeness, picture)
    yield read_settings().home / "likeness.db"
    assert (
        likeness("collections", "list").out
        == "staff  dlib-resnet-v1  2 subjects, 3 references, kept for good\n"
    )
    assert likeness("identify", "--collection", "staff", picture("probe.png", RED)).code == 0


def line_of(outcome: Outcome, code: int) -> str:
    assert (outcome.code, outcome.out) == (code, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("likeness: ")
    return line


def of_all(likeness: Command, code: int) -> str:
    """What every command on collections says, which is the same."""
    (line,) = {line_of(likeness("collections", *each.split()), code) for each in EVERY}
    return line


@contextmanager
def replaced(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    yield
    path.write_bytes(before)


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        ("collections sweep", "or let the server do it: it sweeps every hour."),
        ("collections delete staff --yes", "or ask the server: DeleteCollection."),
        ("erase --collection staff Rosa --yes", "or ask the server: DeleteFaces, DeleteUser."),
        ("enrol --collection staff people", "or send the pictures to the server: IndexFaces."),
        ("identify --collection staff a.png", "or ask the server: SearchFacesByImage."),
        ("collections cohort staff", "End that first."),
    ],
)
def test_what_needs_a_home_alone_says_who_has_it_and_what_else_does_it(
    likeness: Command,
    staff: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: str,
    way_out: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with home():
        line = line_of(likeness(*arguments.split()), 2)
    assert f"Process {os.getpid()} (a server, or another command) has the gallery" in line
    assert line.endswith(way_out)


@pytest.mark.slow
def test_what_reads_and_writes_rows_alone_works_beside_a_server(
    likeness: Command, staff: Path, tmp_path: Path
) -> None:
    with home() as served:
        for arguments in (
            "collections list",
            "collections show staff",
            "collections subjects staff",
            "collections references staff --subject Rosa",
            "collections retention staff never",
            f"export --collection staff --out {tmp_path / 'staff.likeness'} --in-the-clear",
            "secrets list",
        ):
            outcome = likeness(*arguments.split())
            assert (outcome.code, outcome.err) == (0, "")
        assert likeness("collections", "create", "other").code == 0
        assert [one.name for one in served.gallery.collections()] == ["other", "staff"]
        assert likeness("collections", "delete", "other", "--yes").code == 2
        assert "collection staff: of dlib-resnet-v1, which is here" in likeness("doctor").out
    assert likeness("collections", "delete", "other", "--yes").code == 0


def test_a_server_goes_on_with_the_keys_that_were_rotated_beside_it(
    likeness: Command, picture: Make, staff: Path
) -> None:
    with home() as served:
        before = served.keyring.key_ids
        assert f"{before[0]} is destroyed" in likeness("secrets", "rotate").out
        # Nothing of it is open yet: its key is sealed by one that the server has to read first.
        assert served.gallery.collection("staff").kept_cohort() is None
        create(served.gallery, "more", model="m", dimensions=2, cohort_version="c")
        assert served.keyring.key_ids[0] not in before
        assert len(served.keyring.key_ids) == 1
    assert likeness("collections", "delete", "more", "--yes").code == 0


def test_a_database_that_is_damaged_asks_for_a_backup(likeness: Command, staff: Path) -> None:
    with replaced(staff, os.urandom(8192)):
        assert "Restore a backup" in of_all(likeness, 3)
        assert "! database: " in likeness("doctor").out


def test_a_database_of_a_newer_program_asks_for_that(likeness: Command, staff: Path) -> None:
    def set_schema(schema: str) -> None:
        with open_database(f"sqlite:///{staff}") as database:
            database.write(
                lambda c: c.execute(text(f"UPDATE alembic_version SET version_num={schema}"))
            )

    with open_database(f"sqlite:///{staff}") as database:
        ours = database.read(
            lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        )
    set_schema("'9999'")
    assert "Run that one" in of_all(likeness, 2)
    told = " ".join(likeness("doctor").out.split())  # wherever its lines are broken
    assert "of a newer Likeness" in told
    set_schema(f"'{ours}'")


def test_another_key_opens_nothing_and_is_told_of(
    likeness: Command, picture: Make, staff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("LIKENESS_KEYS", base64.b64encode(os.urandom(32)).decode())
        for arguments in (
            ["identify", "--collection", "staff", picture("probe.png", RED)],
            ["erase", "--collection", "staff", "Rosa", "--yes"],
        ):
            assert "Restore that key from a backup" in line_of(likeness(*arguments), 3)
        assert (
            "2 secrets, such as a collection's key, sealed by a key that is not here"
            in " ".join(likeness("doctor").out.split())
        )


@pytest.mark.parametrize("inside", ["", "home"])
def test_a_home_that_cannot_be_a_folder_is_told_of(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "file" / inside))
    assert "Not a directory" in of_all(likeness, 3)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://a:hidden@b/c", 2),
        ("nonsense:hidden", 2),
        ("postgresql://a:hidden@127.0.0.1:1/c", 3),
    ],
)
def test_a_database_that_cannot_be_reached_keeps_its_password_to_itself(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, url: str, code: int
) -> None:
    monkeypatch.setenv("LIKENESS_DATABASE", url)
    assert "hidden" not in of_all(likeness, code)
    outcome = likeness("doctor")
    assert "! database: " in outcome.out
    assert "hidden" not in outcome.out


def test_a_full_disk_loses_nothing(likeness: Command, staff: Path) -> None:
    def limited(arguments: list[str]) -> Outcome:
        """Run a command in a process whose files may hold a page and no more."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        usual = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        try:
            return likeness(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, usual)

    for arguments in (
        ["collections", "create", "other"],
        ["collections", "delete", "staff", "--yes"],
        ["erase", "--collection", "staff", "Rosa", "--yes"],
        ["secrets", "rotate"],
    ):
        assert "Make room" in line_of(limited(arguments), 3)
    outcome = likeness("secrets", "rotate")
    assert outcome.code == 0
    assert len(json.loads(likeness("secrets", "list", "--json").out)["keys"]) == 1


def test_doctor_looks_at_a_home_and_makes_none(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = " ".join(likeness("doctor").out.split())  # wherever its lines are broken
    for state in ("likeness.db, made when", "keys: none yet", "index: faiss, in this process"):
        assert state in said
    assert not (tmp_path / "home").exists()
    monkeypatch.setenv("LIKENESS_INDEX", "milvus")
    assert "vectors lie there in the clear" in " ".join(likeness("doctor").out.split())


def test_doctor_tells_of_a_home_that_is_gone_and_makes_none(
    likeness: Command, tmp_path: Path
) -> None:
    make_home()
    database = tmp_path / "home" / "likeness.db"
    kept = database.read_bytes()
    database.write_bytes(b"")
    for _ in range(2):
        outcome = likeness("doctor")
        assert outcome.code == 2
        assert "! database: The database of the home" in outcome.out
    assert "Restore it from a backup" in of_all(likeness, 3)
    database.write_bytes(kept)
    assert "! database" not in likeness("doctor").out
    shutil.rmtree(tmp_path / "home")
    assert "! database: The home" in likeness("doctor").out
    assert "Mount or restore it" in of_all(likeness, 3)
    assert not (tmp_path / "home").exists()


def test_doctor_tells_of_keys_that_others_may_read_or_that_are_left_over(
    likeness: Command, staff: Path
) -> None:
    keys = staff.parent / "keys"
    keys.chmod(0o755)
    assert "! keys: " in likeness("doctor").out
    keys.chmod(0o700)
    with home() as opened:
        opened.keyring.rotate()
    assert "to mend it: likeness secrets rotate" in likeness("doctor").out
    likeness("secrets", "rotate")
    assert "seals, kept private" in likeness("doctor").out


def test_doctor_tells_of_a_database_that_others_may_open(likeness: Command, staff: Path) -> None:
    assert "! database file: " not in likeness("doctor").out
    staff.chmod(0o644)
    said = " ".join(likeness("doctor").out.split())
    assert f"to mend it: chmod 600 {staff}*" in said


@pytest.mark.parametrize("damage", ["sealed_address = x'00ff'", "added_at = 'text'", "kind = 7"])
def test_a_damaged_source_is_named_and_the_others_are_listed(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setenv("LIKENESS_SOURCE_NETWORKS", "203.0.113.0/24")
    for name in ("gate", "door"):
        likeness("sources", "add", name, f"rtsp://203.0.113.7/{name}")
    with open_database(f"sqlite:///{read_settings().home / 'likeness.db'}") as database:
        change = f"UPDATE sources_sources SET {damage} WHERE name = 'gate'"
        database.write(lambda c: c.execute(text(change)))
    outcome = likeness("sources", "list")
    assert (outcome.code, outcome.out) == (0, "door  rtsp://203.0.113.7/door\n")
    assert "of sources_sources is damaged and was left out" in outcome.err
    told = likeness("doctor")
    assert told.code == 2
    assert "of sources_sources is damaged" in " ".join(told.out.split())


def test_doctor_has_the_database_look_at_itself(likeness: Command) -> None:
    likeness("keys", "create", "desk")
    path = read_settings().home / "likeness.db"
    assert "database's own check: nothing is damaged" in likeness("doctor").out
    with open_database(f"sqlite:///{path}") as database:
        (root,) = database.read(
            lambda c: c.execute(
                text("SELECT rootpage FROM sqlite_master WHERE name = 'ledger_entries'")
            ).one()
        )
        size = database.read(lambda c: c.execute(text("PRAGMA page_size")).scalar_one())
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : (root - 1) * size + 8] = bytes(8)
    path.write_bytes(content)
    told = likeness("doctor")
    assert told.code == 2
    assert "! database" in told.out
    with (
        open_database(f"sqlite:///{path}") as database,
        pytest.raises(DatabaseUnavailable, match="Restore a backup"),
    ):
        require_sound(database)
