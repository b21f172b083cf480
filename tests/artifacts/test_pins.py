from dataclasses import replace

import pytest

from likeness.artifacts import Address, catalogue
from likeness.errors import InvalidRequest
from likeness.vision.models.cards import BUILT_IN

WEIGHTS = (catalogue.CENTERFACE, catalogue.DLIB_RESNET)


@pytest.mark.parametrize("name", ["", ".", "..", "../w.onnx", "/w.onnx", "a/b", ".hidden", "a\n"])
def test_a_name_that_could_leave_the_cache_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="file name"):
        replace(catalogue.CENTERFACE, name=name)


@pytest.mark.parametrize(("size", "sha256"), [(0, "0" * 64), (1, ""), (1, "G" * 64), (1, "0" * 63)])
def test_a_pin_that_pins_nothing_is_refused(size: int, sha256: str) -> None:
    with pytest.raises(InvalidRequest, match="SHA-256"):
        replace(catalogue.CENTERFACE, size=size, sha256=sha256)


@pytest.mark.parametrize("url", ["http://a.example/w", "file:///etc/passwd", "https:///w", "w"])
def test_an_address_that_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="https"):
        Address(url)


def test_no_two_files_of_the_catalogue_share_a_name() -> None:
    files = [*catalogue.SAMPLES, *(file for card in BUILT_IN for file in card.files)]
    assert len({file.name for file in files}) == len(files)


@pytest.mark.models
@pytest.mark.parametrize("file", WEIGHTS + catalogue.SAMPLES, ids=lambda file: file.name)
def test_what_is_pinned_can_be_fetched(file, artifact) -> None:
    assert artifact(file).stat().st_size == file.size
