"""Who registers, sees and removes sources, and what of an address leaves the database."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.errors import (
    AlreadyExists,
    Denied,
    InputError,
    InvalidRequest,
    LikenessError,
    NotFound,
)
from likeness.reachable import read_networks
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.secrets import list_secrets, rotate_secrets
from likeness.service.live import sources as acts
from likeness.service.live.opening import address_of
from likeness.service.live.sources import NewSource
from likeness.service.uses import Caller, Rows
from likeness.sources import SourceKind
from likeness.storage import migrate, open_database
from likeness.streams import Location
from likeness.terms import Principal, Role
from tests.service.accounting import Accounting
from tests.service.acts import rows_of
from tests.service.people import RED
from tests.video.discs import Disc, clip_of_discs

ADDRESS = "rtsp://viewer:hunter2@203.0.113.7/main?token=tide-table"
SECRETS = ("viewer", "hunter2", "tide-table")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Accounting]:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        migrate(database)
        yield Accounting(database, Keyring(KeyFiles(tmp_path / "keys")))


@pytest.fixture
def rows(home: Accounting) -> Rows:
    return rows_of(
        home.database,
        home.keyring,
        home.desk(),
        clock=lambda: home.now,
        source_networks=read_networks("10.2.0.0/16, 203.0.113.0/24"),
    )


def caller(role: Role = Role.ADMIN, id: str = "key:ada") -> Caller:
    return Caller(Principal(id, role), "AddSource")


def new(**changed: object) -> NewSource:
    given = {"name": "gate", "address": ADDRESS, "footage": "fixed-camera", "place": "North gate"}
    return NewSource(**{**given, **changed})  # type: ignore[arg-type]


def test_source_is_registered_shown_and_opened(rows: Rows) -> None:
    added = acts.add_source(rows, caller(), new())

    assert (added.name, added.kind, added.footage) == ("gate", SourceKind.STREAM, "fixed-camera")
    assert added.shown == "rtsp://203.0.113.7/main?token=..."
    assert (added.place, added.added_by) == ("North gate", "key:ada")
    operator = caller(Role.OPERATOR)
    assert acts.list_sources(rows, operator) == [acts.show_source(rows, operator, "gate")]
    assert acts.list_sources(rows, operator) == [added]
    location = address_of(rows, added.id)
    assert isinstance(location, Location)
    assert location.text == ADDRESS
    assert (location.user, location.password) == ("viewer", "hunter2")


def test_password_is_given_apart_from_the_address(rows: Rows) -> None:
    asked = new(address="rtsp://viewer@203.0.113.7/", password="p@ss/word")
    opened = address_of(rows, acts.add_source(rows, caller(), asked).id)
    assert isinstance(opened, Location)
    assert (opened.user, opened.password) == ("viewer", "p@ss/word")

    with pytest.raises(InvalidRequest, match="a password and no user"):
        acts.add_source(
            rows, caller(), new(name="b", address="rtsp://203.0.113.7/", password="p@ss/word")
        )


def test_file_is_registered_at_the_command_line_alone(rows: Rows, tmp_path: Path) -> None:
    clip = tmp_path / "gate.mp4"
    clip.write_bytes(b"a clip")

    with pytest.raises(Denied, match="on the server alone"):
        acts.add_source(rows, caller(), new(address=clip))
    added = acts.add_source(rows, caller(id="local:ada"), new(address=clip))

    assert (added.kind, added.shown) == (SourceKind.FILE, str(clip))
    assert address_of(rows, added.id) == clip


def test_only_a_regular_file_is_registered_by_its_whole_path(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none", Path("clip.mp4")):
        with pytest.raises(InvalidRequest, match="No file to watch"):
            acts.add_source(rows, caller(id="local:ada"), new(address=path))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "north gate"}, "1 to 128 letters, digits"),
        ({"footage": "fixed-cam"}, r"'fixed-cam' \(the nearest is 'fixed-camera'\)"),
        ({"place": "two\nlines"}, "control character"),
        ({"address": "ftp://viewer:hunter2@203.0.113.7/tide-table"}, "source's address"),
        ({"address": "rtsp://viewer:hunter2@10.0.0.9/tide-table"}, "LIKENESS_SOURCE_NETWORKS"),
        (
            {"address": "http://viewer:hunter2@169.254.169.254/tide-table"},
            "LIKENESS_SOURCE_NETWORKS",
        ),
        ({"address": "rtsp://viewer:hunter2@127.1/tide-table"}, "LIKENESS_SOURCE_NETWORKS"),
        ({"password": "hunter2\n"}, "printable"),
    ],
)
def test_what_is_no_source_is_refused_and_its_address_not_repeated(
    rows: Rows, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as raised:
        acts.add_source(rows, caller(), new(**changed))
    assert not any(secret in str(raised.value) for secret in SECRETS)
    assert acts.list_sources(rows, caller()) == []


def test_neither_log_nor_ledger_nor_repr_has_an_address_or_a_name(
    rows: Rows, home: Accounting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = new(password="hunter2")
    added = acts.add_source(rows, caller(), asked)
    with pytest.raises(AlreadyExists) as raised:
        acts.add_source(rows, caller(), asked)
    acts.show_source(rows, caller(), "gate")
    location = address_of(rows, added.id)
    acts.remove_source(rows, caller(), "gate")

    told = (caplog.text, repr(asked), repr(added), repr(location), str(raised.value))
    for text in (*told, str(home.entries())):
        assert not any(secret in text for secret in SECRETS)
    assert "gate" not in str(home.entries())
    done = [one.get("details") for one in home.entries() if one["kind"] == "done"]
    source_id = {"source_id": str(added.id)}
    about = {**source_id, "kind": "stream", "footage": "fixed-camera"}
    assert done == [about, None, source_id]


def test_what_a_source_sends_is_measured_on_record(
    rows: Rows, home: Accounting, tmp_path: Path
) -> None:
    clip = clip_of_discs(tmp_path / "gate.mp4", [Disc(RED, 0.0, 1.0, (60, 80), (240, 80))], 1.5)
    added = acts.add_source(rows, caller(id="local:ada"), new(address=clip))

    checked = acts.check_source(rows, caller(Role.OPERATOR), "gate", watched_s=5.0)

    assert (checked.source, checked.clip.codec) == (added, "h264")
    assert checked.clip.frame_rate is not None
    assert checked.frames_per_s == pytest.approx(checked.clip.frame_rate, rel=0.5)
    assert home.entries()[-1]["details"] == {"source_id": str(added.id)}
    with pytest.raises(Denied):
        acts.check_source(rows, caller(Role.CLIENT), "gate")


@pytest.mark.parametrize("content", [b"", b"a picture that is written half"])
def test_what_is_no_video_is_said_and_noted_as_failed(
    rows: Rows, home: Accounting, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "gate.mp4").write_bytes(content)
    acts.add_source(rows, caller(id="local:ada"), new(address=tmp_path / "gate.mp4"))
    with pytest.raises(InputError):
        acts.check_source(rows, caller(), "gate")
    assert home.kinds()[-1] == "failed"


def test_removed_source_is_gone(rows: Rows) -> None:
    added = acts.add_source(rows, caller(), new())
    assert acts.remove_source(rows, caller(), "gate") == added.id

    for act in (
        lambda: acts.show_source(rows, caller(), "gate"),
        lambda: acts.remove_source(rows, caller(), "gate"),
        lambda: address_of(rows, added.id),
    ):
        with pytest.raises(NotFound, match="likeness sources list"):
            act()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.AUDITOR, Role.CLIENT])
def test_admins_alone_register_and_remove(rows: Rows, role: Role, home: Accounting) -> None:
    acts.add_source(rows, caller(), new())
    for act in (
        lambda: acts.add_source(rows, caller(role), new(name="other")),
        lambda: acts.remove_source(rows, caller(role), "gate"),
        lambda: acts.remove_source(rows, caller(role), "unknown"),
    ):
        with pytest.raises(Denied):
            act()
        assert home.kinds()[-1] == "refused"
    assert [one.name for one in acts.list_sources(rows, caller())] == ["gate"]


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CLIENT, Role.AUDITOR])
def test_who_may_not_watch_learns_of_no_source(rows: Rows, role: Role) -> None:
    acts.add_source(rows, caller(), new())
    said = set[str]()
    for act in (
        lambda: acts.list_sources(rows, caller(role)),
        lambda: acts.show_source(rows, caller(role), "gate"),
        lambda: acts.show_source(rows, caller(role), "unknown"),
    ):
        with pytest.raises(LikenessError) as raised:
            act()
        assert isinstance(raised.value, Denied)
        said.add(str(raised.value))
    assert len(said) == 1


def test_rotation_seals_the_keys_of_sources_anew(rows: Rows, home: Accounting) -> None:
    added = acts.add_source(rows, caller(), new())
    (old,) = home.keyring.key_ids

    rotate_secrets(rows, caller())

    (only,) = list_secrets(rows, caller())
    assert only.id != old
    opened = address_of(rows, added.id)
    assert isinstance(opened, Location)
    assert opened.text == ADDRESS
