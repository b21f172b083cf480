"""The installation's keys: made once, for the owner alone, rotated without losing anything."""

import base64
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.errors import Conflict, KeyUnusable, NotFound
from likeness.secrets import CommandKeys, KeyFiles, Keyring, KeySource, TextKeys, key_id_of

NEW, OLD = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


@pytest.fixture
def keyring(folder: Path) -> Keyring:
    return Keyring(KeyFiles(folder))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_first_start_makes_a_key_for_the_owner_alone(folder: Path, keyring: Keyring) -> None:
    (path,) = folder.iterdir()

    assert path.name == "installation-1.key"
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert Keyring(KeyFiles(folder)).key_ids == keyring.key_ids


def test_secret_opens_after_a_restart_in_its_context_alone(folder: Path, keyring: Keyring) -> None:
    sealed = keyring.seal(b"access key", b"key 7")

    again = Keyring(KeyFiles(folder))

    assert again.unseal(sealed, b"key 7") == b"access key"
    with pytest.raises(KeyUnusable, match="belongs elsewhere"):
        again.unseal(sealed, b"key 8")


def test_data_key_opens_what_it_sealed(folder: Path, keyring: Keyring) -> None:
    key, kept = keyring.new_data_key(b"collection 1")
    sealed = key.seal(b"template", b"reference 2")

    again = Keyring(KeyFiles(folder)).open_data_key(kept, b"collection 1")

    assert (again.id, again.unseal(sealed, b"reference 2")) == (key.id, b"template")
    with pytest.raises(KeyUnusable):
        keyring.open_data_key(kept, b"collection 3")


def test_every_data_key_is_another(keyring: Keyring) -> None:
    assert len({keyring.new_data_key(b"c")[0].id for _ in range(20)}) == 20


# Rotation


def test_rotation_loses_nothing_and_ends_with_one_key(folder: Path, keyring: Keyring) -> None:
    (old,) = keyring.key_ids
    kept = [keyring.seal(bytes([n]), b"%d" % n) for n in range(5)]

    new = keyring.rotate()
    assert keyring.key_ids == (new, old)
    renewed = [keyring.rewrap(sealed, b"%d" % n) for n, sealed in enumerate(kept)]
    assert [keyring.unseal(sealed, b"%d" % n)[0] for n, sealed in enumerate(kept)] == [*range(5)]
    keyring.retire(old)

    assert {key_id_of(sealed) for sealed in renewed} == {new}
    assert [keyring.unseal(sealed, b"%d" % n)[0] for n, sealed in enumerate(renewed)] == [*range(5)]
    assert files(folder) == ["installation-2.key"]
    with pytest.raises(KeyUnusable, match=f"Key {old} .* Restore that key .* only {new}"):
        keyring.unseal(kept[0], b"0")


def test_what_the_newest_key_sealed_is_not_sealed_again(keyring: Keyring) -> None:
    sealed = keyring.seal(b"x", b"")

    assert keyring.rewrap(sealed, b"") == sealed


def test_another_program_takes_note_of_a_rotation(folder: Path, keyring: Keyring) -> None:
    server = Keyring(KeyFiles(folder))

    new = keyring.rotate()

    assert server.unseal(keyring.seal(b"x", b""), b"") == b"x"
    assert key_id_of(server.seal(b"x", b"")) == new
    assert key_id_of(server.rewrap(server.seal(b"x", b""), b"")) == new


def test_two_rotations_at_once_are_one(folder: Path, keyring: Keyring) -> None:
    other = Keyring(KeyFiles(folder))

    assert keyring.rotate() == other.rotate()
    assert len(other.key_ids) == 2


def test_key_that_seals_is_not_retired(keyring: Keyring) -> None:
    with pytest.raises(Conflict, match="is the one that seals"):
        keyring.retire(keyring.key_ids[0])
    with pytest.raises(NotFound, match="No key 0123"):
        keyring.retire("0123")


def test_keys_that_vanish_are_not_replaced(folder: Path, keyring: Keyring) -> None:
    folder.rename(folder.parent / "unmounted")

    with pytest.raises(KeyUnusable, match="are gone"):
        keyring.seal(b"x", b"")
    assert not folder.exists()


def test_key_destroyed_by_half_is_destroyed_at_the_next_load(
    folder: Path, keyring: Keyring
) -> None:
    keyring.rotate()
    left = folder / ".destroyed-installation-1.key"
    (folder / "installation-1.key").rename(left)
    os.link(left, folder.parent / "witness")

    assert Keyring(KeyFiles(folder)).key_ids == keyring.key_ids[:1]
    assert files(folder) == ["installation-2.key"]
    assert not any((folder.parent / "witness").read_bytes())


def run_program(source: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", source, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )


START = """
import sys
from pathlib import Path
from likeness.secrets import KeyFiles, Keyring
print("ready", flush=True)
input()
print(*Keyring(KeyFiles(Path(sys.argv[1]))).key_ids)
"""


@pytest.mark.slow
def test_programs_that_start_at_once_agree_on_one_key(folder: Path) -> None:
    programs = [run_program(START, folder) for _ in range(4)]
    for program in programs:
        assert program.stdout is not None
        program.stdout.readline()
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    said = {program.communicate()[0] for program in programs}

    assert said == {f"{Keyring(KeyFiles(folder)).key_ids[0]}\n"}
    assert files(folder) == ["installation-1.key"]


ROTATE = """
import sys
from pathlib import Path
from likeness.secrets import KeyFiles, Keyring

folder = Path(sys.argv[1])
keyring = Keyring(KeyFiles(folder))
row = folder.parent / "row"
print("ready", flush=True)
while True:
    keyring.rotate()
    renewed = folder.parent / "renewed"
    renewed.write_bytes(keyring.rewrap(row.read_bytes(), b"row"))
    renewed.replace(row)
    for key_id in keyring.key_ids[1:]:
        keyring.retire(key_id)
"""


@pytest.mark.slow
def test_rotation_killed_at_any_moment_leaves_a_ring_that_opens_all(folder: Path) -> None:
    (folder.parent / "row").parent.mkdir()
    (folder.parent / "row").write_bytes(Keyring(KeyFiles(folder)).seal(b"secret", b"row"))
    moments = random.Random(7)
    for _ in range(5):
        program = run_program(ROTATE, folder)
        assert program.stdout is not None
        program.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        program.send_signal(signal.SIGKILL)
        program.communicate()

        keyring = Keyring(KeyFiles(folder))
        sealed = (folder.parent / "row").read_bytes()
        assert keyring.unseal(sealed, b"row") == b"secret"

    keyring.rotate()
    renewed = keyring.rewrap(sealed, b"row")
    for key_id in keyring.key_ids[1:]:
        keyring.retire(key_id)
    assert Keyring(KeyFiles(folder)).unseal(renewed, b"row") == b"secret"
    assert len(list(folder.glob("*.key"))) == 1


# Files that are not as they must be


def open_to_others(path: Path) -> None:
    path.chmod(0o640)


def damage(path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace(text[-10], "A" if text[-10] != "A" else "B"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_a_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (open_to_others, r"mode 0640, .*`chmod 600 .*installation-1\.key`, and rotate"),
        (damage, r"installation-1\.key is damaged. Restore"),
        (empty, "is damaged"),
        (replace_by_a_link, "cannot"),
        (replace_by_a_folder, "is not a file"),
    ],
)
def test_key_file_that_is_not_as_it_must_be_is_not_read(
    folder: Path, keyring: Keyring, harm: Callable[[Path], None], message: str
) -> None:
    harm(folder / "installation-1.key")

    with pytest.raises(KeyUnusable, match=message):
        Keyring(KeyFiles(folder))
    assert files(folder) == ["installation-1.key"]


def test_folder_that_others_may_enter_is_refused(folder: Path, keyring: Keyring) -> None:
    folder.chmod(0o755)

    with pytest.raises(KeyUnusable, match="mode 0755"):
        Keyring(KeyFiles(folder))


def test_folder_that_is_a_file_is_refused(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")

    with pytest.raises(KeyUnusable, match="a folder of its own"):
        Keyring(KeyFiles(folder))


def test_keys_of_another_user_are_refused(
    folder: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(KeyUnusable, match=r"12345 runs Likeness.*chown 12345"):
        Keyring(KeyFiles(folder))


# Keys from elsewhere


def given(*keys: str) -> KeySource:
    return TextKeys("\n".join(keys), "LIKENESS_KEYS")


def printed(*keys: str) -> KeySource:
    return CommandKeys([sys.executable, "-c", f"print({', '.join(keys)!r})"])


@pytest.mark.parametrize("source", [given, printed])
def test_first_of_the_keys_given_seals_and_all_unseal(source: Callable[..., KeySource]) -> None:
    before = Keyring(source(OLD)).seal(b"x", b"")

    keyring = Keyring(source(NEW, OLD))

    assert keyring.unseal(before, b"") == b"x"
    assert key_id_of(keyring.rewrap(before, b"")) == keyring.key_ids[0] != key_id_of(before)
    with pytest.raises(KeyUnusable, match="Restore that key"):
        Keyring(source(NEW)).unseal(before, b"")


@pytest.mark.parametrize("source", [given, printed])
def test_keys_given_are_rotated_where_they_come_from(source: Callable[..., KeySource]) -> None:
    keyring = Keyring(source(NEW, OLD))

    with pytest.raises(Conflict, match="Put a new one in front"):
        keyring.rotate()
    with pytest.raises(Conflict, match="Remove it there"):
        keyring.retire(keyring.key_ids[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no key in LIKENESS_KEYS"),
        ("hunter2", "Key 1 in LIKENESS_KEYS is not base64 of 32 bytes"),
        (f"{NEW} aHVudGVyMg==", "Key 2 in LIKENESS_KEYS"),
    ],
)
def test_key_given_wrongly_is_counted_and_not_quoted(text: str, message: str) -> None:
    with pytest.raises(KeyUnusable, match=message) as caught:
        Keyring(TextKeys(text, "LIKENESS_KEYS"))

    assert "hunter2" not in str(caught.value)
    assert "aHVudGVyMg" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert NEW not in repr(TextKeys(NEW, "LIKENESS_KEYS"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["likeness-no-such-command"], "cannot be run"),
        ([sys.executable, "-c", "print('hunter2'); raise SystemExit(3)"], "ended with 3"),
        ([sys.executable, "-c", "import time; print('hunter2'); time.sleep(60)"], "within 0.5 s"),
        ([sys.executable, "-c", "print('hunter2')"], "base64 of 32 bytes"),
    ],
)
def test_command_that_prints_no_key_is_named(argv: list[str], message: str) -> None:
    with pytest.raises(KeyUnusable, match=message) as caught:
        Keyring(CommandKeys(argv, timeout_s=0.5 if "time" in argv[-1] else 30))

    assert "hunter2" not in str(caught.value)
