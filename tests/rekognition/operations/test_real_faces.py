"""Real faces over the wire: the same answers as the library's, and AWS's smallest face."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from likeness.app import Installation, Workload
from likeness.app.home import open_home
from likeness.artifacts import PinnedFile
from likeness.artifacts.catalogue import ASTRONAUT, BIDEN, OBAMA, OBAMA_2, OBAMA_3, SAMPLES
from likeness.config import Settings
from likeness.jobs import LocalRunner
from likeness.library import Likeness
from likeness.rekognition.backend import Backend
from likeness.service.video.run import ClipJobs
from likeness.terms import Face, Principal, Role
from tests.gallery.galleries import Clock
from tests.rekognition.operations.conftest import backend_of, serving
from tests.rekognition.operations.moving_discs import finished
from tests.video.clips import every, make_clip

pytestmark = pytest.mark.models

STAFF = {"CollectionId": "staff"}
Find = Callable[[PinnedFile], Path]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, artifact: Find) -> Likeness:
    """The library, with what the server has."""
    for sample in SAMPLES:
        artifact(sample)
    settings = Settings(home=tmp_path_factory.mktemp("real"), cache=cache_dir)
    return Likeness(Installation(settings), Workload.ONE, None)


@pytest.fixture(scope="module")
def backend(library: Likeness) -> Iterator[Backend]:
    """A home with real networks, whose buckets lie in `buckets`."""
    with open_home(library.installation) as home:
        yield backend_of(home, library.installation.settings.home / "buckets", Clock())


@pytest.fixture(scope="module")
def client(backend: Backend) -> Iterator[Any]:
    """A client of a home with the empty collection `staff`."""
    with serving(backend) as client:
        client.create_collection(**STAFF)
        yield client


def boxed(face: Face, path: Path) -> dict[str, float]:
    with Image.open(path) as picture:
        width, height = picture.size
    return {
        "Left": face.box.left / width,
        "Top": face.box.top / height,
        "Width": face.box.width / width,
        "Height": face.box.height / height,
    }


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_faces_are_where_the_library_finds_them(
    client: Any, library: Likeness, artifact: Find, sample: PinnedFile
) -> None:
    path = artifact(sample)
    found = client.detect_faces(Image={"Bytes": path.read_bytes()})["FaceDetails"]
    expected = library.detect(path)
    assert len(found) == len(expected)
    for said, face in zip(found, expected, strict=True):
        assert said["BoundingBox"] == pytest.approx(boxed(face, path))
        assert said["Confidence"] == pytest.approx(100 * face.confidence)
        pose = (face.pose.roll, face.pose.yaw, face.pose.pitch)
        assert tuple(said["Pose"].values()) == pytest.approx(pose)


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [(OBAMA, OBAMA_2, True), (OBAMA_2, OBAMA_3, True), (OBAMA, BIDEN, False)],
    ids=["one person", "one person again", "two people"],
)
def test_two_pictures_are_as_alike_as_the_library_says(
    client: Any,
    library: Likeness,
    artifact: Find,
    source: PinnedFile,
    target: PinnedFile,
    same: bool,
) -> None:
    paths = artifact(source), artifact(target)
    answer = client.compare_faces(
        SourceImage={"Bytes": paths[0].read_bytes()},
        TargetImage={"Bytes": paths[1].read_bytes()},
        SimilarityThreshold=0,
    )
    verified = library.compare(*paths)
    (match,) = (
        one
        for one in answer["FaceMatches"]
        if one["Face"]["BoundingBox"] == pytest.approx(boxed(verified.probe, paths[1]))
    )
    assert match["Similarity"] == pytest.approx(verified.similarity, abs=1e-4)
    assert (match["Similarity"] >= 80) is same


def test_people_are_named_as_the_library_names_them(
    client: Any, library: Likeness, artifact: Find, tmp_path: Path
) -> None:
    for name, sample in (("obama", OBAMA), ("biden", BIDEN), ("collins", ASTRONAUT)):
        path = artifact(sample)
        person = tmp_path / "people" / f"{name}{path.suffix}"
        person.parent.mkdir(exist_ok=True)
        person.write_bytes(path.read_bytes())
        enrolled = client.index_faces(
            **STAFF,
            Image={"Bytes": path.read_bytes()},
            ExternalImageId=name,
            MaxFaces=1,
            QualityFilter="NONE",
        )
        assert len(enrolled["FaceRecords"]) == 1
    gallery = library.gallery(tmp_path / "people")
    for sample in (OBAMA_2, OBAMA_3):
        (identified, *_) = library.identify(artifact(sample), gallery)
        answer = client.search_faces_by_image(
            **STAFF, Image={"Bytes": artifact(sample).read_bytes()}, FaceMatchThreshold=0
        )
        named = [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]
        assert named == [candidate.name for candidate in identified.candidates]
        assert named[0] == "obama"
        alike = [match["Similarity"] for match in answer["FaceMatches"]]
        expected = [candidate.similarity for candidate in identified.candidates]
        # It looks for the largest face at a glance, and the landmarks differ by parts of a pixel.
        assert alike == pytest.approx(expected, abs=1)


def test_who_is_seen_in_a_clip_is_named_and_strangers_are_not(
    backend: Backend, library: Likeness, artifact: Find
) -> None:
    bucket = library.installation.settings.home / "buckets" / "clips"
    bucket.mkdir(parents=True)
    two = [moving(artifact(sample)) for sample in (OBAMA_2, BIDEN)]
    make_clip(
        bucket / "two.mp4",
        times_s=every(0.1, 60),
        size=(640, 480),
        draw=lambda number: two[number // 30](number % 30),
    )
    acts = ClipJobs(backend, backend.buckets).acts
    with (
        LocalRunner(backend.database, backend.keyring, acts, backend.clock),
        serving(backend, Principal("local:somebody", Role.ADMIN)) as client,
    ):
        seen = {"CollectionId": "seen"}
        client.create_collection(**seen)
        for name, sample in (("obama", OBAMA), ("collins", ASTRONAUT)):
            picture = {"Image": {"Bytes": artifact(sample).read_bytes()}}
            client.index_faces(**seen, **picture, ExternalImageId=name, MaxFaces=1)
        place = {"Bucket": "clips", "Name": "two.mp4"}
        job_id = client.start_face_search(**seen, Video={"S3Object": place})["JobId"]
        page = finished(client.get_face_search, job_id)
    assert page["JobStatus"] == "SUCCEEDED", page
    named = {
        (one["Timestamp"] >= 3000, match["Face"]["ExternalImageId"])
        for one in page["Persons"]
        for match in one.get("FaceMatches", [])
    }
    assert named == {(False, "obama")}
    assert {one["Timestamp"] >= 3000 for one in page["Persons"]} == {False, True}


def moving(path: Path) -> Callable[[int], NDArray[np.uint8]]:
    """Draw a picture of 480 lines that moves to the right, on grey."""
    picture = cv2.imread(str(path))[..., ::-1]
    scale = 480 / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width, _ = small.shape

    def draw(number: int) -> NDArray[np.uint8]:
        pixels = np.full((480, 640, 3), 90, np.uint8)
        pixels[:height, 2 * number : 2 * number + width] = small
        return pixels

    return draw


def test_a_face_of_40_pixels_in_1920_by_1080_is_found(client: Any, artifact: Find) -> None:
    portrait = cv2.imread(str(artifact(ASTRONAUT)))
    (found, *_) = client.detect_faces(Image={"Bytes": png(portrait)})["FaceDetails"]
    scale = 40 / (found["BoundingBox"]["Width"] * portrait.shape[1])
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    large = np.full((1080, 1920, 3), 90, np.uint8)
    large[500 : 500 + small.shape[0], 1200 : 1200 + small.shape[1]] = small
    (face,) = client.detect_faces(Image={"Bytes": png(large)})["FaceDetails"]
    assert face["BoundingBox"]["Width"] * 1920 == pytest.approx(40, abs=4)
    assert 1200 < face["BoundingBox"]["Left"] * 1920 < 1200 + small.shape[1]


def png(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[..., ::-1])).save(buffer, "PNG")
    return buffer.getvalue()
