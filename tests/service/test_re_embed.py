"""Re-embedding: the pictures come again, and every reference gets a template of the new model."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from likeness.app import Installation
from likeness.app.home import open_home
from likeness.artifacts import PinnedFile
from likeness.artifacts.catalogue import SAMPLES
from likeness.buckets import Buckets, FolderBuckets
from likeness.config import Settings
from likeness.errors import Conflict, InvalidRequest, NoFace, NotFound
from likeness.gallery import By, Details, NewReference, Reference
from likeness.gallery.tables import CHANGES, REFERENCES, STAGED
from likeness.service.enrol.sources import read_source
from likeness.service.models import re_embed
from likeness.service.models.re_embed import PictureResult, ReEmbedder
from likeness.service.models.re_embed_source import PictureAgain, read_sources
from likeness.service.uses import Home
from likeness.service.uses.caller import Caller
from likeness.terms import Box, Principal, Role
from likeness.vision.decode import read_sample
from likeness.vision.find import FaceLocator
from tests.cli.conftest import InstallationWithDiscs
from tests.gallery.galleries import at, enrol, face
from tests.service.people import (
    BLUE,
    GREEN,
    RED,
    colour,
    draw,
    enroller,
    home_at,
    make,
    no_record,
    template_of,
)

pytestmark = pytest.mark.slow
CALLER = Caller(Principal("local:test", Role.ADMIN), "test")


@contextmanager
def with_new_model(folder: Path, url: str) -> Iterator[Home]:
    """Open the home in a folder with another model in force, and a cohort for it."""
    settings = Settings(
        home=folder / "home", cache=folder / "cache", database=SecretStr(url), chips="one"
    )
    installation = InstallationWithDiscs(settings)
    old = InstallationWithDiscs(settings.model_copy(update={"chips": "six"}))
    cohort = old.standards.cohort(old.model)
    installation.standards.keep_cohort(replace(cohort, model=installation.model))
    with open_home(installation) as home:
        yield home


@pytest.fixture
def enrolled(tmp_path: Path, database_url: str, standards: Path) -> Path:
    """A home of six people; gives the folder of their pictures."""
    with home_at(tmp_path, database_url, standards) as home:
        make(home)
        for number in range(6):
            draw(tmp_path / "people" / f"person {number}.png", colour(15 * number))
        results = enroller(home).enrol(read_source(tmp_path / "people"))
        assert all(result.error is None for result in results)
    return tmp_path / "people"


@pytest.fixture
def home(enrolled: Path, tmp_path: Path, database_url: str) -> Iterator[Home]:
    """That home, with another model in force."""
    with with_new_model(tmp_path, database_url) as home:
        yield home


def re_embedder(home: Home) -> ReEmbedder:
    finder = home.load_finder(None)
    staff = home.gallery.collection("staff")
    re_embed._require_another_model(staff, finder.model)
    return ReEmbedder(
        home,
        staff,
        no_record(home),
        finder,
        home.templates_of(None).dimensions,
        workers=2,
    )


def again(*sources: Path) -> list[PictureAgain]:
    return read_sources([str(source) for source in sources], no_buckets)


def no_buckets() -> Buckets:
    raise AssertionError("no bucket was named")


def made_anew(home: Home, *sources: Path) -> list[PictureResult]:
    return list(re_embedder(home).make_anew(again(*sources)))


def best(home: Home, picture: Path) -> str:
    (found, *_) = home.gallery.collection("staff").search(
        template_of(home, picture), 1, By.REFERENCE
    )
    assert found.subject is not None and found.reference is not None
    return found.subject.name


def ids(home: Home) -> list[object]:
    columns = select(REFERENCES.c.number, REFERENCES.c.id, REFERENCES.c.subject_number)
    return home.database.read(lambda c: list(c.execute(columns.order_by("number")).all()))


def test_everybody_is_found_with_the_new_model(home: Home, enrolled: Path) -> None:
    before = ids(home)
    work = re_embedder(home)

    results = list(work.make_anew(again(enrolled)))

    assert [(one.references, one.made_anew, one.error) for one in results] == [(1, 1, None)] * 6
    assert list(work.missing()) == []
    assert work.switch() == []
    assert home.gallery.collection("staff").model == home.templates_of(None).model
    assert ids(home) == before
    for picture in enrolled.iterdir():
        assert best(home, picture) == picture.stem
    with pytest.raises(InvalidRequest, match=r"already\. Choose another"):
        re_embedder(home)


def test_old_templates_serve_until_everybody_has_a_new_one(
    tmp_path: Path, database_url: str, standards: Path, enrolled: Path
) -> None:
    first, *others = sorted(enrolled.iterdir())
    with with_new_model(tmp_path, database_url) as home:
        work = re_embedder(home)
        assert sum(one.made_anew for one in work.make_anew(again(*others))) == 5
        (missing,) = work.missing()
        assert (missing.subject, missing.reason) == (first.stem, "its picture did not come")
        with pytest.raises(Conflict, match="1 references of collection"):
            work.switch()
    with home_at(tmp_path, database_url, standards) as home:
        for picture in (first, *others):
            assert best(home, picture) == picture.stem
        draw(tmp_path / "late" / "late.png", (150, 60, 200))
        (late,) = enroller(home).enrol(read_source(tmp_path / "late"))
        assert late.error is None
    with with_new_model(tmp_path, database_url) as home:
        assert sum(one.made_anew for one in made_anew(home, enrolled, tmp_path / "late")) == 2
        re_embedder(home).switch()
        assert best(home, tmp_path / "late" / "late.png") == "late"


def test_what_was_made_anew_is_not_decoded_again(
    home: Home, enrolled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = sorted(enrolled.iterdir())
    made_anew(home, first)
    located: list[object] = []
    locate = FaceLocator.locate

    def count(self: FaceLocator, sample: object, **more: Any) -> object:
        located.append(sample)
        return locate(self, sample, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(FaceLocator, "locate", count)
    stranger = draw(enrolled / "stranger.png", (150, 60, 200))
    results = {one.place: one for one in made_anew(home, enrolled)}

    assert len(located) == 5
    assert (results[str(first)].references, results[str(first)].made_anew) == (1, 0)
    assert (results[str(stranger)].references, results[str(stranger)].error) == (0, None)


def test_references_left_out_are_erased_with_a_certificate(home: Home, enrolled: Path) -> None:
    others = sorted(enrolled.iterdir())[1:]
    work = re_embedder(home)
    list(work.make_anew(again(*others)))

    (certificate,) = work.switch([one.id for one in work.missing()])

    assert certificate.erased.references == 1
    assert home.gallery.erasing.verify(certificate).holds
    assert len(ids(home)) == 5
    assert best(home, others[0]) == others[0].stem


def test_faces_of_one_picture_keep_their_names(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    picture = draw(tmp_path / "three.png", RED, GREEN, BLUE)
    alone = [draw(tmp_path / f"{n}.png", c) for n, c in enumerate((RED, GREEN, BLUE))]
    sample = read_sample(picture)
    with home_at(tmp_path, database_url, standards) as home:
        make(home)
        finder = home.load_finder(None)
        located = finder.locate(sample)
        new = [
            NewReference(
                template,
                one,
                hashlib.sha256(sample.data).digest(),
                (sample.width, sample.height),
                f"from {one.box.left:.0f}",
            )
            for one, template in zip(located.faces, finder.templates(located), strict=True)
        ]
        enrol(home.gallery, "staff", new[::-1])
        before = [best(home, one) for one in alone]
    assert len(set(before)) == 3
    with with_new_model(tmp_path, database_url) as home:
        (result,) = made_anew(home, picture)
        assert (result.references, result.made_anew) == (3, 3)
        re_embedder(home).switch()
        assert [best(home, one) for one in alone] == before


def test_picture_without_the_face_any_more_is_told_of(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    picture = draw(tmp_path / "red.png", RED)
    data = picture.read_bytes()
    with home_at(tmp_path, database_url, standards) as home:
        make(home)
        template = template_of(home, picture)
        elsewhere = NewReference(
            template, face(left=400.0), hashlib.sha256(data).digest(), (640, 480), "Rosa", "badge 7"
        )
        (reference,) = enrol(home.gallery, "staff", [elsewhere])
    with with_new_model(tmp_path, database_url) as home:
        work = re_embedder(home)
        (result,) = work.make_anew(again(picture))
        assert (result.references, result.made_anew) == (1, 0)
        assert result.error is not None and f"where reference {reference.id} has" in str(
            result.error
        )
        (missing,) = work.missing()
        assert (missing.id, missing.subject, missing.external_id) == (
            reference.id,
            "Rosa",
            "badge 7",
        )
        assert missing.reason == str(result.error)


def test_file_that_is_no_picture_stops_nothing(home: Home, enrolled: Path) -> None:
    (enrolled / "notes.txt").write_text("no picture")

    results = made_anew(home, enrolled)

    assert [one.place for one in results if one.error] == [str(enrolled / "notes.txt")]
    assert sum(one.made_anew for one in results) == 6


def test_what_is_staged_can_be_dropped(home: Home, enrolled: Path) -> None:
    made_anew(home, enrolled)

    assert re_embed.discard_change(home, CALLER, "staff") == 6

    for table in (STAGED, CHANGES):
        assert home.database.read(lambda c, t=table: c.execute(select(t)).all()) == []
    with pytest.raises(Conflict, match=r"No change of .* has begun"):
        re_embed.discard_change(home, CALLER, "staff")


@pytest.mark.parametrize(
    ("box", "found"),
    [((10, 10, 50, 60), True), ((0, 0, 60, 70), True), ((45, 10, 85, 60), False)],
)
def test_face_is_the_references_where_it_has_the_same_place(
    box: tuple[float, float, float, float], found: bool
) -> None:
    details = Details(face(), (640, 480), b"", None)
    reference = Reference(7, None, None, None, details, None, None, None)  # type: ignore[arg-type]
    seen = replace(face(), box=Box(*box))

    assert re_embed._found_again([reference], [seen]) == ({7: 0} if found else {})


@pytest.mark.models
def test_real_people_are_found_with_the_new_model(
    tmp_path: Path, cache_dir: Path, artifact: Callable[[PinnedFile], Path]
) -> None:
    pictures = tmp_path / "people"
    pictures.mkdir()
    for n, sample in enumerate(SAMPLES):
        (pictures / f"{n}{artifact(sample).suffix}").write_bytes(artifact(sample).read_bytes())
    settings = Settings(home=tmp_path / "home", cache=cache_dir)
    with open_home(Installation(settings)) as home:
        make(home)
        enrolling = enroller(home, foremost=True, any_quality=True)
        references = {
            Path(one.picture.place): one.reference_id
            for one in enrolling.enrol(read_source(pictures))
        }
    # A lower resolution for the detector, too: faces are found at slightly other places.
    new = settings.model_copy(update={"chips": "mirrored", "detector_side": 640})
    installation = Installation(new)
    cohort = home.standards.cohort(home.templates_of(None).model)
    installation.standards.keep_cohort(replace(cohort, model=installation.model))
    with open_home(installation) as home:
        results = made_anew(home, pictures)
        assert [(one.made_anew, one.error) for one in results] == [(1, None)] * len(SAMPLES)
        re_embedder(home).switch()
        for picture, reference_id in references.items():
            (best,) = home.gallery.collection("staff").search(template_of(home, picture), 1)
            assert best.reference is not None and best.reference.id == reference_id
            assert best.comparison.raw_score == pytest.approx(1.0, abs=1e-3)


# Crops


def with_crops(tmp_path: Path, database_url: str, standards: Path, *others: str) -> Path:
    """Enrol six people while crops are kept, and some others while they are not."""
    people = tmp_path / "people"
    for number in range(6):
        draw(people / f"person {number}.png", colour(15 * number), side=200)
    with home_at(tmp_path, database_url, standards, crops="on") as home:
        make(home)
        assert all(one.error is None for one in enroller(home).enrol(read_source(people)))
    with home_at(tmp_path, database_url, standards) as home:
        for name in others:
            draw(tmp_path / "others" / f"{name}.png", (150, 60, 200))
        if others:
            assert all(
                one.error is None for one in enroller(home).enrol(read_source(tmp_path / "others"))
            )
    return people


def test_kept_crops_do_where_no_picture_comes(
    tmp_path: Path, database_url: str, standards: Path
) -> None:
    people = with_crops(tmp_path, database_url, standards, "late")
    first, *_ = sorted(people.iterdir())
    with with_new_model(tmp_path, database_url) as home:
        before = ids(home)
        places = places_of(home)
        work = re_embedder(home)
        assert sum(one.made_anew for one in work.make_anew(again(first))) == 1

        results = list(work.make_anew(work.crops()))

        assert [(one.references, one.made_anew, one.error) for one in results] == [(1, 1, None)] * 5
        assert work.crops() == []
        (missing,) = work.missing()
        assert (missing.subject, missing.reason) == (
            "late",
            "its picture did not come, and no crop of it is kept",
        )
        work.switch([missing.id])
        assert ids(home) == before[:-1]
        assert places_of(home)[1:] == places[1:-1]  # in their samples, which did not come
        for picture in people.iterdir():
            assert best(home, picture) == picture.stem


def test_a_crop_that_shows_no_face_holds_the_switch_back(
    tmp_path: Path, database_url: str, standards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_crops(tmp_path, database_url, standards)
    grey = draw(tmp_path / "grey.png").read_bytes()
    monkeypatch.setattr("likeness.service.models.re_embed.open_crop", lambda *_: grey)
    with with_new_model(tmp_path, database_url) as home:
        work = re_embedder(home)
        results = list(work.make_anew(work.crops()))
        assert {type(one.error) for one in results} == {NoFace}
        assert len(list(work.missing())) == 6
        assert "None of the 0 faces" in next(work.missing()).reason


def places_of(home: Home) -> list[Box]:
    seal = home.gallery.seal(home.gallery.collection("staff"))
    return home.database.read(
        lambda c: [one.details.face.box for one in at(c, seal).references.page(after=0, limit=100)]
    )


# Sources


def test_sources_are_pictures_folders_and_manifests(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/.hidden.png", "a.png", "c.png", "d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,subject\nc.png,Rosa\n")

    files = again(tmp_path / "b", manifest, tmp_path / "a.png")

    assert {str(Path(one.place).relative_to(tmp_path)) for one in files} == {
        "b/2.png",
        "c.png",
        "a.png",
    }
    assert again() == []
    manifest.write_text("path\n../c.png\n")
    with pytest.raises(InvalidRequest, match=r"line 2: .* leads out"):
        again(manifest)
    manifest.write_text("path\n")
    with pytest.raises(InvalidRequest):
        again(manifest)


@pytest.mark.parametrize("source", ["s3://pictures/of/", "bucket:pictures/of/"])
def test_a_bucket_is_a_source(home: Home, enrolled: Path, tmp_path: Path, source: str) -> None:
    folder = tmp_path / "buckets" / "pictures" / "of" / "people"
    shutil.copytree(enrolled, folder)
    elsewhere = tmp_path / "buckets" / "pictures" / "elsewhere.png"
    for path in (folder / ".hidden.png", folder / "notes.txt", folder / "no-suffix", elsewhere):
        path.write_bytes(b"no picture")

    pictures = read_sources([source, source], lambda: FolderBuckets(tmp_path / "buckets"))

    results = list(re_embedder(home).make_anew(pictures))
    assert sum(one.made_anew for one in results) == 6
    assert [one.place for one in results if one.error] == ["s3://pictures/of/people/no-suffix"]


def test_a_bucket_without_pictures_is_said(tmp_path: Path) -> None:
    (tmp_path / "buckets" / "pictures").mkdir(parents=True)

    def buckets() -> Buckets:
        return FolderBuckets(tmp_path / "buckets")

    with pytest.raises(InvalidRequest, match="No pictures in 's3://pictures/a'"):
        read_sources(["s3://pictures/a"], buckets)
    with pytest.raises(NotFound):
        read_sources(["s3://nowhere/a"], buckets)
    with pytest.raises(InvalidRequest, match="a bucket's name"):
        read_sources(["bucket:"], buckets)


def test_an_object_that_is_gone_stops_nothing(home: Home, enrolled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "buckets" / "pictures"
    shutil.copytree(enrolled, folder)
    pictures = read_sources(["s3://pictures"], lambda: FolderBuckets(tmp_path / "buckets"))
    first, *_ = sorted(folder.iterdir())
    first.unlink()

    results = list(re_embedder(home).make_anew(pictures))

    assert [one.place for one in results if one.error] == [f"s3://pictures/{first.name}"]
    assert sum(one.made_anew for one in results) == 5
