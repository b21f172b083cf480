import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from likeness.artifacts import Address, PinnedFile
from likeness.errors import InvalidRequest
from likeness.vision.align import ARCFACE_LAYOUT, DLIB_LAYOUT
from likeness.vision.models.built_in_cards import (
    BUILT_IN,
    CENTERFACE,
    DLIB_RESNET_V1,
    YUNET_2023MAR,
)
from likeness.vision.models.card_file import read_card, write_card
from likeness.vision.models.cards import LicenceClass, Licences, LocalFile, ModelCard
from likeness.vision.networks.forms import RECOGNISERS, Form, Task
from likeness.vision.networks.session import Preparation

Json = dict[str, object]
DIGEST = "0123456789abcdef" * 4


def card_json(**changes: object) -> Json:
    return {
        "name": "my-arcface",
        "form": "arcface",
        "dimensions": 512,
        "source": {"file": "model.onnx", "bytes": 1234, "sha256": DIGEST},
        "licences": {
            "code": "MIT",
            "weights": "research only",
            "weights_class": "non-commercial",
            "training_data": "MS1MV3, withdrawn by its makers",
        },
        "preparation": {"channels": "BGR", "mean": [127.5, 127, 0.5], "scale": 128},
        "description": "A recogniser",
        "known_limits": ["Weak in the dark"],
        "credits": "Somebody",
        **changes,
    }


def read(value: object) -> ModelCard:
    return read_card(json.dumps(value), "card.json")


def test_card_is_read_whole() -> None:
    assert read(card_json()) == ModelCard(
        name="my-arcface",
        form=Form.ARCFACE,
        source=LocalFile("model.onnx", 1234, DIGEST),
        licences=Licences(
            code="MIT",
            weights="research only",
            weights_class=LicenceClass.NON_COMMERCIAL,
            training_data="MS1MV3, withdrawn by its makers",
        ),
        preparation=Preparation((127.5, 127.0, 0.5), 128.0, "BGR"),
        dimensions=512,
        description="A recogniser",
        known_limits=("Weak in the dark",),
        credits="Somebody",
    )


def test_source_may_be_an_address() -> None:
    url = "https://example.org/models/v2/model.onnx?download=1"

    card = read(card_json(source={"url": url, "bytes": 9, "sha256": DIGEST}))

    assert isinstance(card.source, PinnedFile)
    assert card.source.source == Address(url)
    assert (card.source.name, card.source.size, card.source.licence) == (
        "model.onnx",
        9,
        "research only",
    )


def test_without_a_preparation_the_form_decides() -> None:
    value = card_json()
    del value["preparation"]

    assert read(value).preparation == Preparation((127.5, 127.5, 127.5), 127.5, "RGB")


@pytest.mark.parametrize(
    "card",
    [
        read(card_json()),
        read(card_json(source={"url": "https://example.org/a.onnx", "bytes": 9, "sha256": DIGEST})),
        replace(YUNET_2023MAR, name="my-yunet"),
    ],
)
def test_written_card_is_read_the_same(card: ModelCard) -> None:
    again = read_card(write_card(card), "card.json")

    # What a pinned file says of licence and makers is the card's, once read.
    assert replace(again, source=card.source) == card
    assert (again.source.name, again.source.size, again.source.sha256) == (
        card.source.name,
        card.source.size,
        card.source.sha256,
    )


def test_card_of_a_packaged_file_is_not_written() -> None:
    with pytest.raises(InvalidRequest, match="out of a package"):
        write_card(CENTERFACE)


def without(key: str) -> Json:
    value = card_json()
    del value[key]
    return value


def inner(key: str, **changes: object) -> Json:
    value = card_json()
    outer = value[key]
    assert isinstance(outer, dict)
    return {**value, key: {**outer, **changes}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"card\.json was expected to hold a JSON object"),
        (card_json(licence="MIT"), r"card\.json has a key that is not known here, 'licence'"),
        (inner("licences", data="x"), r"licences in card\.json has a key .*'data'"),
        (inner("source", md5="x"), r"source in card\.json has a key .*'md5'"),
        (inner("preparation", std=1), r"preparation in card\.json has a key .*'std'"),
        (inner("source", url="https://example.org/a.onnx"), r"source in .* key .*'file'"),
        (without("credits"), r"card\.json has no 'credits': add it"),
        (without("licences"), r"card\.json has no 'licences': add it"),
        (without("dimensions"), r"card\.json has no 'dimensions': add it"),
        (card_json(name=""), r"'name' in card\.json was expected to be a line of text"),
        (card_json(name="../../etc"), r"a model's name has up to 64"),
        (card_json(name="Größe"), r"a model's name has up to 64"),
        (card_json(form="retinaface"), r"'form' .* one of centerface, scrfd, .* \"retinaface\""),
        (card_json(form=["scrfd"]), r"'form' .* one of"),
        (card_json(form="scrfd"), r"key that is not known here, 'dimensions'"),
        (card_json(dimensions="512"), r"'dimensions' .* a whole number above 0"),
        (card_json(dimensions=0), r"'dimensions' .* a whole number above 0"),
        (card_json(dimensions=True), r"'dimensions' .* a whole number above 0"),
        (card_json(description="a\x1b[2Jb"), r"'description' .* a line of text"),
        (card_json(description="a\nb"), r"'description' .* a line of text"),
        (card_json(known_limits="dark"), r"'known_limits' .* a list of lines"),
        (card_json(known_limits=[3]), r"'known_limits' .* a list of lines"),
        (card_json(source="model.onnx"), r"source in card\.json was expected to hold a JSON obj"),
        (inner("source", bytes=-1), r"'bytes' in source in card\.json .* above 0, it is -1"),
        (inner("source", sha256="abc"), r"SHA-256 of 64"),
        (inner("source", file="../secret"), r"a file beside the card"),
        (inner("licences", weights_class="free"), r"'weights_class' .* one of permissive, non-c"),
        (inner("preparation", mean=[1, 2]), r"'mean' .* a list of three numbers"),
        (inner("preparation", mean=[1, 2, float("nan")]), r"'mean' .* a list of three numbers"),
        (inner("preparation", scale=0), r"'scale' .* a number above 0"),
        (inner("preparation", scale=False), r"'scale' .* a number above 0"),
        (inner("preparation", channels="rgb"), r"'channels' .* one of RGB, BGR"),
        (
            card_json(source={"url": "http://example.org/a", "bytes": 1, "sha256": DIGEST}),
            "https:// address",
        ),
        (
            card_json(source={"url": "https://example.org/", "bytes": 1, "sha256": DIGEST}),
            "a file name",
        ),
    ],
)
def test_first_mistake_is_named_in_one_line(value: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        read(value)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"name": }'])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"card\.json was expected to be a model card in JSON"):
        read_card(text, "card.json")


@pytest.mark.parametrize(
    ("weights_class", "needed"),
    [
        (LicenceClass.PERMISSIVE, False),
        (LicenceClass.NON_COMMERCIAL, True),
        (LicenceClass.UNKNOWN, True),
    ],
)
def test_weights_need_acceptance_unless_permissive(
    weights_class: LicenceClass, needed: bool
) -> None:
    licences = replace(CENTERFACE.licences, weights_class=weights_class)

    assert replace(CENTERFACE, licences=licences).needs_acceptance is needed


@pytest.mark.parametrize(
    "contradiction",
    [lambda: replace(CENTERFACE, dimensions=128), lambda: replace(DLIB_RESNET_V1, dimensions=None)],
)
def test_card_that_contradicts_itself_is_refused(contradiction: Callable[[], object]) -> None:
    with pytest.raises(InvalidRequest, match="recognisers have dimensions and detectors have none"):
        contradiction()


def test_forms_have_tasks_and_recognisers_layouts() -> None:
    tasks = {form: form.task for form in Form}

    assert [form for form, task in tasks.items() if task is Task.DETECTOR] == [
        Form.CENTERFACE,
        Form.SCRFD,
        Form.YUNET,
    ]
    assert (
        RECOGNISERS[Form.DLIB_RESNET].layout,
        RECOGNISERS[Form.SFACE].layout,
    ) == (DLIB_LAYOUT, ARCFACE_LAYOUT)


def test_built_in_cards_state_the_terms_of_their_training_data() -> None:
    terms = {card.name: card.licences.training_data for card in BUILT_IN}

    assert "WIDER FACE" in terms["centerface"]
    assert "FaceScrub and VGG" in terms["dlib-resnet-v1"]
    assert terms["yunet-2023mar"].startswith("unconfirmed")
    assert terms["sface-2021dec"].startswith("unconfirmed")
