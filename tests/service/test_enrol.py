"""Enrolment: what is told is so, the rest has a reason, and all of it can come again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from likeness.app import Installation
from likeness.app.home import open_home
from likeness.artifacts import PinnedFile
from likeness.artifacts.catalogue import SAMPLES
from likeness.config import Settings
from likeness.errors import (
    AlreadyExists,
    DatabaseUnavailable,
    InvalidImage,
    InvalidRequest,
    LikenessError,
    ModelMismatch,
    NoFace,
    NotFound,
    QualityTooLow,
    SeveralFaces,
    TooBusy,
    UnsupportedImageFormat,
)
from likeness.gallery import By, Size
from likeness.service.enrol.enrol import Outcome, Result
from likeness.service.enrol.sources import NamedPicture, picture_file, read_source
from likeness.service.uses import Home
from likeness.terms import Image
from likeness.vision.decode import Sample
from tests.gallery.galleries import at, create
from tests.service.people import (
    BLUE,
    GREEN,
    RED,
    crowd,
    draw,
    enroller,
    make,
    template_of,
    with_bystander,
)

ENROLLED, ALREADY, REJECTED = Outcome


def outcomes(results: list[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


def test_what_is_enrolled_is_found(home: Home, tmp_path: Path) -> None:
    pictures = crowd(tmp_path / "pictures", 70)
    results = list(enroller(home).enrol(pictures))
    assert [result.picture for result in results] == pictures
    assert outcomes(results) == [ENROLLED] * 70
    assert home.gallery.collection("staff").size == Size(70, 70)
    for result in results[::7]:
        probe = template_of(home, Path(result.picture.place))
        candidates = home.gallery.collection("staff").search(probe, 70, By.REFERENCE)
        itself = max(candidates, key=lambda candidate: candidate.comparison.raw_score)
        assert itself.reference is not None and itself.subject is not None
        assert itself.reference.id == result.reference_id
        assert itself.subject.name == result.picture.subject


def test_a_result_is_committed_when_it_is_told(home: Home, tmp_path: Path) -> None:
    told = enroller(home).enrol(crowd(tmp_path / "pictures", 40))
    first = next(told)
    assert home.gallery.collection("staff").size.references >= 1
    told.close()
    assert first.reference_id is not None
    seal = home.gallery.seal(home.gallery.collection("staff"))
    assert home.database.read(lambda c: at(c, seal).references.by_ids([first.reference_id]))


def test_what_is_enrolled_already_is_not_decoded(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = crowd(tmp_path / "pictures", 3)
    first = list(enroller(home).enrol(pictures[:2]))
    decoded = []
    decode = Sample.decode

    def counted(self: Sample, longer_side: int | None = None) -> object:
        decoded.append(self)
        return decode(self, longer_side)

    monkeypatch.setattr(Sample, "decode", counted)
    again = list(enroller(home).enrol(pictures))
    assert outcomes(again) == [ALREADY, ALREADY, ENROLLED]
    assert [one.reference_id for one in again[:2]] == [one.reference_id for one in first]
    assert len(decoded) == 1
    assert home.gallery.collection("staff").size == Size(3, 3)


def test_the_same_picture_under_two_names_is_enrolled_once_and_said(
    home: Home, tmp_path: Path
) -> None:
    red = draw(tmp_path / "a.png", RED)
    copy = tmp_path / "b.png"
    copy.write_bytes(red.read_bytes())
    pictures = [picture_file(red, "Rosa"), picture_file(copy, "Rosa"), picture_file(copy, "Greta")]
    # In one batch, and again when it is enrolled already: the answer is the same.
    for expected in (ENROLLED, ALREADY):
        first, second, third = enroller(home).enrol(pictures)
        assert outcomes([first, second, third]) == [expected, ALREADY, REJECTED]
        assert second.reference_id == first.reference_id
        assert isinstance(third.error, AlreadyExists)
        assert str(first.reference_id) in str(third.error)
    assert home.gallery.collection("staff").size == Size(1, 1)


def test_what_cannot_be_enrolled_has_a_reason_and_stops_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    cut = draw(tmp_path / "cut.png", RED)
    cut.write_bytes(cut.read_bytes()[:1000])
    paths = {
        tmp_path / "missing.png": InvalidRequest,
        tmp_path: InvalidRequest,
        tmp_path / "text.png": UnsupportedImageFormat,
        cut: InvalidImage,
        draw(tmp_path / "nobody.png"): NoFace,
        draw(tmp_path / "two.png", RED, BLUE): SeveralFaces,
        draw(tmp_path / "blurred.png", RED, grain=0): QualityTooLow,
    }
    pictures = [picture_file(path, "Rosa") for path in [*paths, draw(tmp_path / "fit.png", GREEN)]]
    *rejected, last = enroller(home).enrol(pictures)
    assert outcomes(rejected) == [REJECTED] * len(paths)
    assert [type(result.error) for result in rejected] == list(paths.values())
    assert last.outcome is ENROLLED


def test_several_faces_or_any_quality_are_taken_where_that_is_asked_for(
    home: Home, tmp_path: Path
) -> None:
    two = picture_file(draw(tmp_path / "two.png", RED, BLUE), "Rosa")
    blurred = picture_file(draw(tmp_path / "blurred.png", GREEN, grain=0), "Greta")
    assert outcomes(list(enroller(home, foremost=True).enrol([two]))) == [ENROLLED]
    assert outcomes(list(enroller(home, any_quality=True).enrol([blurred]))) == [ENROLLED]
    assert home.gallery.collection("staff").size == Size(2, 2)


@pytest.mark.parametrize(
    ("radius_px", "foremost", "remark"),
    [(15, False, "largest of 2 faces"), (20, False, None), (20, True, "largest of 2 faces")],
    ids=["stands out", "does not", "asked for"],
)
def test_a_face_that_is_four_times_as_large_as_the_next_is_the_persons_with_a_remark(
    home: Home, tmp_path: Path, radius_px: int, foremost: bool, remark: str | None
) -> None:
    pictures = [
        picture_file(with_bystander(tmp_path / "two.png", radius_px), "Rosa"),
        picture_file(draw(tmp_path / "alone.png", GREEN), "Greta"),
    ]
    result, alone = enroller(home, foremost=foremost).enrol(pictures)
    assert (alone.outcome, alone.remarks) == (ENROLLED, ())
    if remark is None:
        assert isinstance(result.error, SeveralFaces)
    else:
        assert (result.outcome, result.remarks) == (ENROLLED, (remark,))
        again, _ = enroller(home).enrol(pictures)
        assert (again.outcome, again.reference_id) == (ALREADY, result.reference_id)


def test_a_reference_keeps_its_external_id_and_its_date(home: Home, tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(1)
    picture = picture_file(draw(tmp_path / "a.png", RED), "Rosa", "badge-7", tomorrow)
    (result,) = enroller(home).enrol([picture])
    seal = home.gallery.seal(home.gallery.collection("staff"))
    ids = [id for id in [result.reference_id] if id]
    (reference,) = home.database.read(lambda c: at(c, seal).references.page(ids=ids))
    assert (reference.details.external_id, reference.expires_at) == ("badge-7", tomorrow)


def test_what_would_have_expired_is_rejected(home: Home, tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(1)
    picture = picture_file(draw(tmp_path / "a.png", RED), "Rosa", expires_at=past)
    (result,) = enroller(home).enrol([picture])
    assert "has passed" in str(result.error)


def test_a_collection_of_another_model_takes_nothing(home: Home, tmp_path: Path) -> None:
    create(home.gallery, "other", model="m", dimensions=128, cohort_version="c")
    ours = replace(home, load_finder=lambda _: home.load_finder(None))
    with pytest.raises(ModelMismatch, match="Use that model"):
        list(enroller(ours, "other").enrol(crowd(tmp_path / "pictures", 2)))
    assert home.gallery.collection("other").size == Size(0, 0)


def test_a_collection_that_does_not_exist_is_said_at_once(home: Home) -> None:
    with pytest.raises(NotFound, match="collections list"):
        enroller(home, "nowhere")


def test_collections_know_nothing_of_each_other(home: Home, tmp_path: Path) -> None:
    make(home, "visitors")
    pictures = crowd(tmp_path / "pictures", 2)
    for collection in ("staff", "visitors"):
        assert outcomes(list(enroller(home, collection).enrol(pictures))) == [ENROLLED] * 2


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_nothing_that_was_told(
    sqlite_home: Home, tmp_path: Path
) -> None:
    home, pictures = sqlite_home, crowd(tmp_path / "pictures", 90)
    told: list[Result] = []
    may_grow(home, 25)
    with pytest.raises(DatabaseUnavailable, match="disk is full"):
        told.extend(enroller(home).enrol(pictures))
    stored = len(told)
    assert 0 < stored < 90
    assert home.gallery.collection("staff").size == Size(stored, stored)
    may_grow(home, 10_000)
    again = list(enroller(home).enrol(pictures))
    assert outcomes(again) == [ALREADY] * stored + [ENROLLED] * (90 - stored)


def may_grow(home: Home, pages: int) -> None:
    """Let the database take so many pages more than it has."""

    def limit(connection: Connection) -> None:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={used + pages}").all()

    home.database.write(limit)


def test_a_name_that_cannot_be_kept_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    picture = picture_file(tmp_path / "never read.png", "Rosa")
    for changed in ({"subject": ""}, {"subject": "a\nb"}, {"external_id": "\x1b"}):
        with pytest.raises(LikenessError, match=r"Choose another|Remove it"):
            replace(picture, **changed)  # type: ignore[arg-type]  # strings all
    assert isinstance(picture, NamedPicture)


@pytest.mark.models
def test_real_people_are_enrolled_once_and_found(
    tmp_path: Path, cache_dir: Path, artifact: Callable[[PinnedFile], Path]
) -> None:
    for n, sample in enumerate(SAMPLES):
        person = tmp_path / "people" / f"{n}{artifact(sample).suffix}"
        person.parent.mkdir(exist_ok=True)
        person.write_bytes(artifact(sample).read_bytes())
    with open_home(Installation(Settings(home=tmp_path / "home", cache=cache_dir))) as home:
        make(home)
        pictures = read_source(tmp_path / "people")
        results = list(enroller(home, foremost=True, any_quality=True).enrol(pictures))
        assert outcomes(results) == [ENROLLED] * len(SAMPLES)
        for result in results:
            probe = template_of(home, Path(result.picture.place))
            best = home.gallery.collection("staff").search(probe, 1)[0]
            assert best.reference is not None and best.reference.id == result.reference_id
        again = enroller(home, foremost=True, any_quality=True).enrol(pictures)
        assert outcomes(list(again)) == [ALREADY] * len(SAMPLES)


def test_a_picture_for_which_there_was_no_room_stops_nothing_and_may_come_again(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = crowd(tmp_path / "pictures", 3)
    decode = Sample.decode

    def busy(sample: Sample, longer_side: int | None = None) -> Image:
        if sample.name == repr(pictures[1].place):
            raise TooBusy("others hold the memory")
        return decode(sample, longer_side)

    with monkeypatch.context() as patch:
        patch.setattr(Sample, "decode", busy)
        results = list(enroller(home).enrol(pictures))
    assert outcomes(results) == [ENROLLED, REJECTED, ENROLLED]
    assert isinstance(results[1].error, TooBusy)
    assert outcomes(list(enroller(home).enrol(pictures))) == [ALREADY, ENROLLED, ALREADY]
