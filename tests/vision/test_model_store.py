"""What holds for every network that the store hands out, and what it refuses."""

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest

from likeness.artifacts import Address, PinnedFile, Sources, cached_path
from likeness.errors import (
    AlreadyExists,
    ArtifactUnavailable,
    InvalidRequest,
    LicenceNotAccepted,
    ModelTampered,
    NotFound,
)
from likeness.vision.models import model_store
from likeness.vision.models.cards import (
    BUILT_IN,
    CENTERFACE,
    DLIB_RESNET_V1,
    LicenceClass,
    Licences,
    LocalFile,
    ModelCard,
)
from likeness.vision.models.model_store import ModelStore, describe
from likeness.vision.networks.forms import Form
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Preparation

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FREE = Licences("MIT", "MIT", LicenceClass.PERMISSIVE, "made by a test")
RESEARCH = Licences("MIT", "research only", LicenceClass.NON_COMMERCIAL, "made by a test")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), built_in=())


@pytest.fixture
def weights(tmp_path: Path, recogniser_graph: Callable[..., bytes]) -> Path:
    path = tmp_path / "their.onnx"
    path.write_bytes(recogniser_graph())
    return path


@pytest.fixture
def card(weights: Path) -> ModelCard:
    return describe(weights, "theirs", Form.ARCFACE, FREE)


def stored_weights(tmp_path: Path, card: ModelCard) -> Path:
    return tmp_path / "home" / "weights" / card.source.sha256


def test_described_file_has_the_card_of_its_form(weights: Path, card: ModelCard) -> None:
    content = weights.read_bytes()

    assert card.source == LocalFile("their.onnx", len(content), hashlib.sha256(content).hexdigest())
    assert (card.dimensions, card.preparation.scale, card.licences) == (3, 127.5, FREE)


def test_added_model_gives_a_network_that_loads(
    store: ModelStore, weights: Path, card: ModelCard, openvino: OpenVinoEngine
) -> None:
    store.add(card, weights)
    weights.unlink()

    network = openvino.load(store.require("theirs"))

    (features,) = network.run(np.full((2, 112, 112, 3), 255, np.uint8))
    assert features == pytest.approx(np.ones((2, 3)), abs=1e-5)


def test_added_model_outlives_the_store(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ()).add(card, weights)

    again = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ())

    assert again.cards() == [card]
    assert again.card("theirs") == card


def test_built_in_models_are_listed_first(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    store = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"))
    store.add(replace(card, name="a-model"), weights)

    assert [each.name for each in store.cards()] == [*(c.name for c in BUILT_IN), "a-model"]


def test_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"))

    with pytest.raises(
        NotFound, match=r"'centreface'. Known are centerface, face-reidentification-"
    ):
        store.require("centreface")


def test_same_model_may_be_added_twice_and_another_of_its_name_not(
    store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(card, weights)
    store.add(card, weights)

    with pytest.raises(AlreadyExists, match="another model called theirs"):
        store.add(replace(card, description="another"), weights)
    assert store.cards() == [card]


def test_name_of_a_built_in_model_is_taken(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    store = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"))

    with pytest.raises(AlreadyExists):
        store.add(replace(card, name="centerface"), weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: replace(card, form=Form.SCRFD, dimensions=None), "a graph of the right form"),
        (lambda card: replace(card, dimensions=512), "promises templates of 512 numbers"),
        (
            lambda card: replace(card, source=replace(card.source, sha256="0" * 64)),
            "not the file of the card",
        ),
        (lambda card: replace(card, source=replace(card.source, size=7)), "not 7 with"),
    ],
)
def test_weights_that_are_not_the_cards_leave_nothing(
    tmp_path: Path,
    store: ModelStore,
    weights: Path,
    card: ModelCard,
    change: Callable[[ModelCard], ModelCard],
    message: str,
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        store.add(change(card), weights)

    assert store.cards() == []
    assert not (tmp_path / "home").exists()


def test_unreadable_weights_are_said_to_be_so(
    store: ModelStore, card: ModelCard, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "missing.onnx"):
        with pytest.raises(InvalidRequest, match="Give a file of weights"):
            store.add(card, path)
        with pytest.raises(InvalidRequest, match="Give a file of weights"):
            describe(path, "x", Form.ARCFACE, FREE)
    with pytest.raises(InvalidRequest, match="Say where they lie"):
        store.add(card)


def test_damaged_card_is_named(
    tmp_path: Path, store: ModelStore, card: ModelCard, weights: Path
) -> None:
    store.add(card, weights)
    path = tmp_path / "home" / "cards" / "theirs.json"

    for damage in (path.read_bytes()[:50], b"\xff\xfe"):
        path.write_bytes(damage)
        with pytest.raises(InvalidRequest, match=r"Not a model card: .*theirs\.json"):
            store.cards()


# Licences


@pytest.mark.parametrize(
    "weights_class", [LicenceClass.NON_COMMERCIAL, LicenceClass.UNKNOWN], ids=str
)
def test_weights_wait_for_their_acceptance(
    store: ModelStore, weights: Path, card: ModelCard, weights_class: LicenceClass
) -> None:
    store.add(replace(card, licences=replace(RESEARCH, weights_class=weights_class)), weights)

    with pytest.raises(LicenceNotAccepted, match=r"research only .*likeness models accept theirs"):
        store.require("theirs")
    store.accept("theirs", by="ada", at=NOON)

    assert store.require("theirs").exists()


def test_weights_that_wait_for_acceptance_are_not_even_fetched(tmp_path: Path) -> None:
    source = PinnedFile(
        "a.onnx", 9, "0" * 64, Address("https://localhost:1/a.onnx"), "research only", "nobody"
    )
    store = ModelStore(
        tmp_path / "home",
        Sources(tmp_path / "cache"),
        [replace(CENTERFACE, source=source, licences=RESEARCH)],
    )

    with pytest.raises(LicenceNotAccepted):
        store.require("centerface")
    assert not (tmp_path / "cache").exists()

    store.accept("centerface", by="ada", at=NOON)
    with pytest.raises(ArtifactUnavailable):
        store.require("centerface")


def test_acceptance_says_who_what_and_when(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(replace(card, licences=RESEARCH), weights)
    assert store.acceptance("theirs") is None

    accepted = store.accept("theirs", by="ada", at=NOON)

    assert store.acceptance("theirs") == accepted
    (record,) = (tmp_path / "home" / "accepted").iterdir()
    assert json.loads(record.read_bytes()) == {
        "model": "theirs",
        "sha256": card.source.sha256,
        "licence": "research only",
        "by": "ada",
        "at": "2026-01-02T12:00:00+00:00",
    }


def test_acceptance_covers_these_bytes_only(
    tmp_path: Path,
    store: ModelStore,
    weights: Path,
    card: ModelCard,
    recogniser_graph: Callable[..., bytes],
) -> None:
    store.add(replace(card, licences=RESEARCH), weights)
    store.accept("theirs", by="ada", at=NOON)
    other = tmp_path / "other.onnx"
    other.write_bytes(recogniser_graph(gain=2.0))
    store.add(describe(other, "others", Form.ARCFACE, RESEARCH), other)

    with pytest.raises(LicenceNotAccepted):
        store.require("others")


def test_acceptance_covers_these_words_only(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(replace(card, licences=RESEARCH), weights)
    store.accept("theirs", by="ada", at=NOON)
    stricter = replace(RESEARCH, weights="research only, in Europe")
    store.add(replace(card, name="again", licences=stricter), weights)

    with pytest.raises(LicenceNotAccepted):
        store.require("again")


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"at": 3}', '{"at": "2026-01-02"}'])
def test_damaged_acceptance_is_none(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard, damage: str
) -> None:
    store.add(replace(card, licences=RESEARCH), weights)
    store.accept("theirs", by="ada", at=NOON)
    (record,) = (tmp_path / "home" / "accepted").iterdir()
    record.write_text(damage)

    with pytest.raises(InvalidRequest, match=r"Delete it and run `likeness models accept theirs`"):
        store.require("theirs")


def test_what_is_not_known_cannot_be_accepted(store: ModelStore) -> None:
    with pytest.raises(NotFound):
        store.accept("theirs", by="ada", at=NOON)


# Bytes


def test_tampered_weights_are_refused_though_their_network_is_there(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(card, weights)
    store.require("theirs")
    stored = stored_weights(tmp_path, card)
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")

    with pytest.raises(ModelTampered, match=card.source.sha256):
        store.require("theirs")


def test_missing_weights_are_said_to_be_missing(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(card, weights)
    stored_weights(tmp_path, card).unlink()

    with pytest.raises(ArtifactUnavailable, match=r"not here\. Copy their\.onnx to "):
        store.require("theirs")


def test_fetched_weights_are_verified(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    content = weights.read_bytes()
    source = PinnedFile(
        "their.onnx",
        len(content),
        hashlib.sha256(content).hexdigest(),
        Address("https://localhost:1/their.onnx"),
        "MIT",
        "nobody",
    )
    store = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ())
    store.add(replace(card, source=source))
    path = cached_path(source, tmp_path / "cache")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert store.require("theirs").exists()

    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(ModelTampered):
        store.require("theirs")


# Networks


def test_network_is_made_once(store: ModelStore, weights: Path, card: ModelCard) -> None:
    store.add(card, weights)
    first = store.require("theirs")
    made_at = first.stat().st_mtime_ns

    assert store.require("theirs") == first
    assert first.stat().st_mtime_ns == made_at


@pytest.mark.parametrize("damage", [b"", b"half of a netw"], ids=["empty", "half"])
def test_damaged_network_is_made_again(
    store: ModelStore, weights: Path, card: ModelCard, damage: bytes
) -> None:
    store.add(card, weights)
    network = store.require("theirs")
    whole = network.read_bytes()
    network.write_bytes(damage)

    assert store.require("theirs").read_bytes() == whole


@pytest.mark.parametrize("folder", ["cache", "cache/networks"])
def test_a_network_that_everybody_could_have_put_there_is_refused(
    store: ModelStore, tmp_path: Path, weights: Path, card: ModelCard, folder: str
) -> None:
    store.add(card, weights)
    store.require("theirs")
    (tmp_path / folder).chmod(0o777)
    with pytest.raises(ModelTampered, match="LIKENESS_CACHE"):
        store.require("theirs")


def test_interrupted_conversion_leaves_nothing_that_is_used(
    store: ModelStore, weights: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(card, weights)

    def power_cut(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(os, "fsync", power_cut)
        store.require("theirs")

    onnx.checker.check_model(onnx.load_model(store.require("theirs")))


def test_file_left_by_a_killed_process_is_not_taken_for_a_network(
    tmp_path: Path, store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(card, weights)
    network = store.require("theirs")
    whole = network.read_bytes()
    network.unlink()
    (network.parent / ".writing-x1y2z3").write_bytes(whole[:100])
    (tmp_path / "home" / "cards" / ".writing-x1y2z3").write_bytes(b"{")

    assert store.require("theirs").read_bytes() == whole


def test_another_preparation_makes_another_network(
    store: ModelStore, weights: Path, card: ModelCard
) -> None:
    store.add(card, weights)
    store.add(replace(card, name="raw", preparation=Preparation()), weights)

    assert store.require("theirs").read_bytes() != store.require("raw").read_bytes()


def test_newer_converter_makes_the_network_again(
    store: ModelStore, weights: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(card, weights)
    old = store.require("theirs")

    monkeypatch.setattr(model_store, "CONVERTER_VERSION", "next")

    assert store.require("theirs") != old


def test_many_at_once_get_one_whole_network(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ()).add(card, weights)

    def require(_: int) -> tuple[Path, bytes]:
        path = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ()).require("theirs")
        return path, path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(require, range(24)))

    assert len(answers) == 1


def test_unwritable_cache_is_named(tmp_path: Path, weights: Path, card: ModelCard) -> None:
    (tmp_path / "cache").write_text("a file where a folder belongs")
    store = ModelStore(tmp_path / "home", Sources(tmp_path / "cache"), ())
    store.add(card, weights)

    with pytest.raises(
        ArtifactUnavailable, match=r"cache/networks cannot be read or written \(Not a directory\)"
    ):
        store.require("theirs")


@pytest.mark.models
@pytest.mark.parametrize(
    ("card", "side", "shapes"),
    [
        (CENTERFACE, 64, [(2, 1, 16, 16), (2, 2, 16, 16), (2, 2, 16, 16), (2, 10, 16, 16)]),
        (DLIB_RESNET_V1, 150, [(2, 128)]),
    ],
    ids=["centerface", "dlib-resnet-v1"],
)
def test_default_models_become_networks_that_load(
    tmp_path: Path,
    artifact: Callable[[PinnedFile], Path],
    openvino: OpenVinoEngine,
    card: ModelCard,
    side: int,
    shapes: list[tuple[int, ...]],
) -> None:
    assert isinstance(card.source, PinnedFile)
    cached = cached_path(card.source, tmp_path / "cache")
    cached.parent.mkdir(parents=True)
    cached.symlink_to(artifact(card.source))

    network = openvino.load(
        ModelStore(tmp_path / "home", Sources(tmp_path / "cache")).require(card.name)
    )

    outputs = network.run(np.zeros((2, side, side, 3), np.uint8))
    assert [output.shape for output in outputs] == shapes
