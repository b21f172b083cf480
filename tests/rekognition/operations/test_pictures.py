"""Which pictures are taken: AWS's limits and texts, before a pixel is decoded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from likeness.rekognition.backend import Backend
from likeness.vision.decode import Sample
from tests.rekognition.operations.conftest import serving
from tests.rekognition.operations.discs import RED, disc, grey
from tests.rekognition.operations.refusals import refusal

INVALID = (
    "InvalidParameterException",
    "Request has invalid parameters: an image has either Bytes or an S3Object",
)
NO_FORMAT = "Request has invalid image format: "
UNREADABLE = (
    "InvalidS3ObjectException",
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
)


def no_format(refused: tuple[str, str]) -> bool:
    """Say whether AWS's words are told, and a cause behind them."""
    code, text = refused
    return (
        code == "InvalidImageFormatException" and text.startswith(NO_FORMAT) and text != NO_FORMAT
    )


@pytest.mark.parametrize(
    ("picture", "kind"), [(b"just text " * 20, "a text file"), (grey(90, 90, ".webp"), "a WebP")]
)
def test_what_is_taken_is_named(rekognition: Any, picture: bytes, kind: str) -> None:
    assert refusal(rekognition.detect_faces, Image={"Bytes": picture}) == (
        "InvalidImageFormatException",
        f"{NO_FORMAT}Not a supported picture: this is {kind}. Supported: JPEG, PNG.",
    )


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixel may be decoded."""

    def decode(*_: object) -> None:
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr(Sample, "decode", decode)


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("size", [(79, 200), (200, 79)])
def test_a_side_under_80_pixels_is_an_invalid_parameter(
    rekognition: Any, size: tuple[int, int]
) -> None:
    width, height = size
    assert refusal(rekognition.detect_faces, Image={"Bytes": grey(*size)}) == (
        "InvalidParameterException",
        "Request has invalid parameters: the minimum pixel resolution for height and width is 80"
        f" pixels, and the image has {width} x {height}",
    )


def test_sides_of_80_and_of_10000_pixels_are_taken(rekognition: Any) -> None:
    answer = rekognition.detect_faces(Image={"Bytes": grey(80, 10_000, ".jpg")})
    assert answer["FaceDetails"] == []


@pytest.mark.usefixtures("undecoded")
def test_a_side_over_10000_pixels_is_too_large(rekognition: Any) -> None:
    assert refusal(rekognition.detect_faces, Image={"Bytes": grey(10_001, 90)}) == (
        "ImageTooLargeException",
        "Input image dimensions 10001 x 90 exceed maximum dimension size of 10000 pixels",
    )


@pytest.mark.usefixtures("undecoded")
@pytest.mark.parametrize("kind", [".webp", ".bmp", ".tiff"])
def test_a_picture_that_is_neither_jpeg_nor_png_has_an_invalid_format(
    rekognition: Any, kind: str
) -> None:
    assert no_format(refusal(rekognition.detect_faces, Image={"Bytes": grey(100, 100, kind)}))


@pytest.mark.parametrize("data", [b"no picture", grey(100, 100)[:20], grey(100, 100, ".jpg")[:40]])
def test_bytes_that_are_no_whole_picture_have_an_invalid_format(
    rekognition: Any, data: bytes
) -> None:
    assert no_format(refusal(rekognition.detect_faces, Image={"Bytes": data}))


@pytest.mark.parametrize("kind", [".png", ".jpg"])
def test_a_picture_that_is_cut_off_has_an_invalid_format(rekognition: Any, kind: str) -> None:
    whole = disc(RED, kind=kind)
    cut = {"Bytes": whole[: len(whole) // 2]}
    assert no_format(refusal(rekognition.detect_faces, Image=cut))
    assert no_format(refusal(rekognition.compare_faces, SourceImage=cut, TargetImage=cut))


def test_bytes_are_between_one_and_5_mb(rekognition: Any) -> None:
    text = (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]' at"
        " 'image.bytes' failed to satisfy constraint: Member must have length less than or equal to"
        " 5242880"
    )
    over = 5_242_881
    assert refusal(rekognition.detect_faces, Image={"Bytes": bytes(over)}) == (
        "ValidationException",
        text.replace("{0}", str(over)),
    )
    padded = disc(RED, kind=".jpg")
    padded += bytes(5_242_880 - len(padded))
    assert len(rekognition.detect_faces(Image={"Bytes": padded})["FaceDetails"]) == 1


def test_a_request_has_one_picture(rekognition: Any) -> None:
    s3 = {"Bucket": "pictures", "Name": "one.png"}
    assert refusal(rekognition.detect_faces, Image={}) == INVALID
    both = {"Bytes": disc(RED), "S3Object": s3}
    assert refusal(rekognition.detect_faces, Image=both) == INVALID


def test_a_picture_may_come_from_a_bucket(rekognition: Any, folder: Path) -> None:
    (folder / "buckets" / "pictures" / "one.png").write_bytes(disc(RED))
    answer = rekognition.detect_faces(Image={"S3Object": {"Bucket": "pictures", "Name": "one.png"}})
    assert len(answer["FaceDetails"]) == 1


@pytest.mark.parametrize(
    "s3_object",
    [
        {"Bucket": "pictures", "Name": "nothing.png"},
        {"Bucket": "no-bucket", "Name": "one.png"},
        {"Bucket": "pictures", "Name": "../keys/key"},
        {"Bucket": "pictures", "Name": "/etc/passwd"},
        {"Bucket": "pictures"},
        {},
    ],
)
def test_an_object_that_cannot_be_read_is_an_invalid_object(
    rekognition: Any, s3_object: dict[str, str]
) -> None:
    assert refusal(rekognition.detect_faces, Image={"S3Object": s3_object}) == UNREADABLE


def test_an_object_has_15_mb_at_most(rekognition: Any, folder: Path) -> None:
    most, place = 15 << 20, folder / "buckets" / "pictures" / "large.jpg"
    picture = disc(RED, kind=".jpg")
    image = {"S3Object": {"Bucket": "pictures", "Name": place.name}}
    place.write_bytes(picture + bytes(most - len(picture)))
    assert len(rekognition.detect_faces(Image=image)["FaceDetails"]) == 1
    place.write_bytes(picture + bytes(most - len(picture) + 1))
    assert refusal(rekognition.detect_faces, Image=image)[0] == "ImageTooLargeException"


@pytest.mark.usefixtures("undecoded")
def test_an_operators_narrower_limits_hold_too(backend: Backend) -> None:
    narrower = replace(backend, limits=replace(backend.limits, max_pixels=9_000))
    with serving(narrower) as client:
        code, _ = refusal(client.detect_faces, Image={"Bytes": grey(100, 100)})
    assert code == "ImageTooLargeException"
