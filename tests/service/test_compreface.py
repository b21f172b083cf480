"""What CompreFace keeps is enrolled here, from its database and from a dump of it alike."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from likeness.errors import (
    DatabaseUnavailable,
    ImageTooLarge,
    InputError,
    InvalidImage,
    InvalidRequest,
)
from likeness.service.enrol.enrol import Outcome
from likeness.service.move.compreface import (
    CompreFace,
    CompreFaceDatabase,
    CompreFaceDump,
    CompreFacePictures,
    compreface_pictures,
)
from likeness.service.uses import Home
from tests.gallery.galleries import at
from tests.service import compreface
from tests.service.people import BLUE, GREEN, RED, draw, enroller

MOST_BYTES = 100_000
FROM = ["database", "dump"]


@dataclass
class Kept:
    """A CompreFace with people."""

    url: str
    folder: Path
    closing: ExitStack

    def add(self, subject: str, picture: bytes | None, service: str = "door") -> UUID:
        return compreface.add(self.url, subject, picture, service)

    def read(self, source: str) -> CompreFace:
        if source == "database":
            return self.closing.enter_context(closing(CompreFaceDatabase(self.url, MOST_BYTES)))
        return CompreFaceDump(compreface.dump(self.url, self.folder / "dump.sql"), MOST_BYTES)


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., bytes]:
    return lambda *colours: draw(tmp_path / "drawn.png", *colours).read_bytes()


@pytest.fixture
def kept(postgresql_url: str, tmp_path: Path) -> Iterator[Kept]:
    compreface.make(postgresql_url)
    with ExitStack() as closing:
        yield Kept(postgresql_url, tmp_path, closing)


def subjects_of(pictures: CompreFacePictures) -> set[tuple[str, str, str | None]]:
    return {(one.place, one.subject, one.external_id) for one in pictures}


@pytest.mark.services
@pytest.mark.parametrize("source", FROM)
def test_examples_are_enrolled_under_their_subjects_and_ids(
    sqlite_home: Home, kept: Kept, picture: Callable[..., bytes], source: str
) -> None:
    names = {
        kept.add("Anna Müller", picture(RED)): "Anna Müller",
        kept.add("back\\slash, 'quoted'", picture(GREEN)): "back\\slash, 'quoted'",
        kept.add("\\.", picture(BLUE)): "\\.",
    }
    kept.add("somebody", picture(RED, BLUE), "gate")
    pictures = compreface_pictures(kept.read(source), "door")
    assert len(pictures) == 3
    results = list(enroller(sqlite_home).enrol(pictures))
    assert {one.outcome for one in results} == {Outcome.ENROLLED}
    assert {(one.picture.external_id, one.picture.subject) for one in results} == {
        (str(image_id), name) for image_id, name in names.items()
    }
    again = list(enroller(sqlite_home).enrol(pictures))
    assert {one.outcome for one in again} == {Outcome.ALREADY}
    opened = sqlite_home.gallery.in_use.open(sqlite_home.gallery.collection("staff"))
    known = sqlite_home.database.read(
        lambda connection: at(connection, opened.seal).references.page()
    )
    assert {one.details.external_id for one in known} == set(map(str, names))


@pytest.mark.services
@pytest.mark.parametrize("source", FROM)
def test_every_example_that_cannot_be_enrolled_says_why(
    sqlite_home: Home, kept: Kept, picture: Callable[..., bytes], source: str
) -> None:
    errors = {
        kept.add("no picture", None): InvalidImage,
        kept.add("no picture that is one", b"GIF89a"): InvalidImage,
        kept.add("empty", b""): InvalidImage,
        kept.add("two\nlines", picture(RED)): InvalidRequest,
        kept.add("two faces", picture(RED, BLUE)): InputError,
        kept.add("large", picture(RED) + bytes(MOST_BYTES)): ImageTooLarge,
        kept.add("far too large", bytes(2 * MOST_BYTES + (1 << 20))): ImageTooLarge,
        kept.add("good", picture(GREEN)): None,
    }
    pictures = compreface_pictures(kept.read(source), None)
    results = {UUID(one.picture.external_id): one for one in enroller(sqlite_home).enrol(pictures)}
    assert len(pictures) == len(results) == len(errors)
    for image_id, kind in errors.items():
        error = results[image_id].error
        assert error is None if kind is None else isinstance(error, kind)
        assert results[image_id].picture.place == f"CompreFace image {image_id}"


@pytest.mark.services
@pytest.mark.parametrize("source", FROM)
def test_one_service_is_chosen(kept: Kept, source: str) -> None:
    with pytest.raises(InvalidRequest, match="those with subjects are none"):
        compreface_pictures(kept.read(source), None)
    at_the_door, at_the_gate = kept.add("a", b"1"), kept.add("b", b"2", "gate")
    with pytest.raises(
        InvalidRequest, match=r"'door', 'gate'\. Choose one with --service"
    ) as caught:
        compreface_pictures(kept.read(source), None)
    assert not any(key in str(caught.value) for key in compreface.KEYS.values())
    with pytest.raises(InvalidRequest, match="No services of CompreFace are meant"):
        compreface_pictures(kept.read(source), "window")
    for named in ("gate", compreface.KEYS["gate"]):
        chosen = compreface_pictures(kept.read(source), named)
        assert subjects_of(chosen) == {(f"CompreFace image {at_the_gate}", "b", str(at_the_gate))}
    assert at_the_door != at_the_gate


@pytest.mark.services
def test_the_database_is_only_read(kept: Kept) -> None:
    from sqlalchemy import text

    with (
        closing(CompreFaceDatabase(kept.url, MOST_BYTES)) as database,
        pytest.raises(DatabaseUnavailable, match="cannot be read and written"),
        database._connected() as connection,
    ):
        connection.execute(text("DELETE FROM model"))


@pytest.mark.services
def test_a_database_of_something_else_is_named(postgresql_url: str) -> None:
    with (
        closing(CompreFaceDatabase(postgresql_url, MOST_BYTES)) as database,
        pytest.raises(InvalidRequest, match=r"No table public\.model"),
    ):
        database.services()


@pytest.mark.services
def test_dumps_of_other_forms_name_the_way_out(kept: Kept) -> None:
    path = compreface.dump(kept.url, kept.folder / "custom", "--format=custom")
    with pytest.raises(InvalidRequest, match="pg_restore"):
        CompreFaceDump(path, MOST_BYTES)
    path = compreface.dump(kept.url, kept.folder / "inserts.sql", "--inserts")
    with pytest.raises(InvalidRequest, match="without --inserts"):
        CompreFaceDump(path, MOST_BYTES)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg, which is not installed")
    database = CompreFaceDatabase(f"postgresql://anna:secret@/none?host={tmp_path}", MOST_BYTES)
    with pytest.raises(DatabaseUnavailable, match="does not answer") as caught:
        database.services()
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidRequest, match="PostgreSQL"):
        CompreFaceDatabase("sqlite:////tmp/compreface.db", MOST_BYTES)


SUBJECT_ID, IMG_ID, EXAMPLE_ID = uuid4(), uuid4(), uuid4()


def written(**changed: str) -> str:
    """Write a dump by hand, a line of which can be another."""
    rows = {
        "model": "1\tdoor\tkey",
        "subject": f"{SUBJECT_ID}\tkey\tAnna",
        "img": f"{IMG_ID}\t\\\\x414243",
        "embedding": f"{EXAMPLE_ID}\t{SUBJECT_ID}\t{{0.5}}\t{IMG_ID}",
    } | changed
    return (
        f"COPY public.embedding (id, subject_id, embedding, img_id) FROM stdin;\n"
        f"{rows['embedding']}\n\\.\n"
        f"COPY public.img (id, content) FROM stdin;\n{rows['img']}\n\\.\n"
        f"COPY public.model (id, name, api_key) FROM stdin;\n{rows['model']}\n\\.\n"
        f"COPY public.subject (id, api_key, subject_name) FROM stdin;\n{rows['subject']}\n\\.\n"
    )


def enumerated(path: Path) -> list[tuple[str, bytes | None, int | None]]:
    dump = CompreFaceDump(path, MOST_BYTES)
    (service,) = dump.services()
    return [(one.subject, one.picture, one.size_bytes) for one in dump.examples(service)]


def test_a_dump_is_read_as_copy_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(written())
    assert enumerated(path) == [("Anna", b"ABC", 3)]
    path.write_text(written(subject=f"{SUBJECT_ID}\tkey\ta\\tb\\\\n\\x"))
    assert enumerated(path)[0][0] == "a\tb\\nx"
    path.write_text(written(subject=f"{SUBJECT_ID}\tkey\t\\N"))
    assert enumerated(path)[0][0] == ""
    path.write_text(written(embedding=f"{EXAMPLE_ID}\t{SUBJECT_ID}\t{{0.5}}\t\\N"))
    assert enumerated(path) == [("Anna", None, None)]
    path.write_text(written(img=f"{uuid4()}\t\\\\x414243"))
    assert enumerated(path) == [("Anna", None, None)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"subject": f"{SUBJECT_ID}\tkey"}, "a row that is none of CompreFace's"),
        ({"subject": "none\tkey\tAnna"}, "a row that is none of CompreFace's"),
        ({"embedding": "none\tnone\tnone\tnone"}, "a row that is none of CompreFace's"),
        ({"img": f"{IMG_ID}\tABC"}, "hexadecimal"),
        ({"img": f"{IMG_ID}\t\\\\x4"}, "a row that is none of CompreFace's"),
        ({"img": f"{IMG_ID}"}, "a row that is none of CompreFace's"),
    ],
)
def test_a_dump_with_a_damaged_row_is_refused(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    path = tmp_path / "dump.sql"
    path.write_text(written(**changed))
    with pytest.raises(InvalidRequest, match=message) as caught:
        enumerated(path)
    assert "\n" not in str(caught.value)
    assert "Anna" not in str(caught.value)


def test_a_row_of_separators_takes_no_more_memory_than_it_is_long(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql"
    row = b"\t" * (16 << 20)
    path.write_bytes(b"COPY public.model (name, api_key) FROM stdin;\n" + row + b"\n\\.\n")
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match="Dump its database anew"):
            CompreFaceDump(path, len(row))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(row)
    finally:
        tracemalloc.stop()


def test_a_dump_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path, whole = tmp_path / "dump.sql", written().encode()
    for length in range(len(whole) - len("\\.\n")):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidRequest):
            enumerated(path)


def test_a_file_that_is_not_there_or_no_dump_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        CompreFaceDump(tmp_path / "none.sql", MOST_BYTES)
    (tmp_path / "text.sql").write_text("SELECT 1;\n")
    with pytest.raises(InvalidRequest, match="No COPY of embedding"):
        CompreFaceDump(tmp_path / "text.sql", MOST_BYTES)
