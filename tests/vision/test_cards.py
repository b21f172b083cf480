import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from likeness.artifacts import Address, PinnedFile
from likeness.errors import InvalidRequest
from likeness.vision.embed import ARCFACE_LAYOUT, DLIB_LAYOUT
from likeness.vision.models.card_file import read_card, write_card
from likeness.vision.models.cards import (
    BUILT_IN,
    CENTERFACE,
    DLIB_RESNET_V1,
    YUNET_2023MAR,
    LicenceClass,
    Licences,
    LocalFile,
    ModelCard,
)
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
    return read_card(json.dumps(value).encode(), "card.json")


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
    again = read_card(write_card(card).encode(), "card.json")

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
        ([], r"card\.json, JSON: Input should be an object"),
        (card_json(licence="MIT"), r"card\.json, licence: no such key is known"),
        (inner("licences", data="x"), r"licences\.data: no such key"),
        (inner("source", md5="x"), r"source\.md5: no such key"),
        (inner("preparation", std=1), r"preparation\.std: no such key"),
        (inner("source", url="https://example.org/a.onnx"), r"a file or a url, and not both"),
        (without("credits"), r"card\.json, credits: this key is missing"),
        (without("licences"), r"card\.json, licences: this key is missing"),
        (without("dimensions"), r"has None dimensions"),
        (card_json(name=""), r"name: not a line of text"),
        (card_json(name="../../etc"), "Not a model's name"),
        (card_json(name="Größe"), "Not a model's name"),
        (card_json(form="retinaface"), r"form: Input should be 'centerface', 'scrfd'"),
        (card_json(form=["scrfd"]), "form: Input should be"),
        (card_json(form="scrfd"), "has 512 dimensions"),
        (card_json(dimensions="512"), "dimensions: Input should be a valid integer"),
        (card_json(dimensions=0), "dimensions: Input should be greater than 0"),
        (card_json(dimensions=True), "dimensions: Input should be a valid integer"),
        (card_json(description="a\x1b[2Jb"), "description: not a line of text"),
        (card_json(description="a\nb"), "description: not a line of text"),
        (card_json(known_limits="dark"), "known_limits: Input should be a valid array"),
        (card_json(known_limits=[3]), r"known_limits\.0: Input should be a valid string"),
        (card_json(source="model.onnx"), "source: Input should be an object"),
        (inner("source", bytes=-1), r"source\.bytes: Input should be greater than 0"),
        (inner("source", sha256="abc"), "Not pinned"),
        (inner("source", file="../secret"), "Not the name of a file beside the card"),
        (
            inner("licences", weights_class="free"),
            "class: Input should be 'permissive', 'non-c",
        ),
        (inner("preparation", mean=[1, 2]), r"preparation\.mean\.2: this key is missing"),
        (
            inner("preparation", mean=[1, 2, float("nan")]),
            r"mean\.2: Input should be a finite number",
        ),
        (inner("preparation", scale=0), r"preparation\.scale: Input should be greater than 0"),
        (inner("preparation", scale=False), r"preparation\.scale: Input should be a valid number"),
        (
            inner("preparation", channels="rgb"),
            "channels: Input should be 'RGB' or 'BGR'",
        ),
        (
            card_json(source={"url": "http://example.org/a", "bytes": 1, "sha256": DIGEST}),
            "Not an https:// address",
        ),
        (
            card_json(source={"url": "https://example.org/", "bytes": 1, "sha256": DIGEST}),
            "Not a plain file name",
        ),
    ],
)
def test_first_mistake_is_named_in_one_line(value: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        read(value)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"name": }'])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Not a model card: card\.json, JSON: Invalid JSON"):
        read_card(text.encode(), "card.json")


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
    with pytest.raises(InvalidRequest, match="recognisers have some and detectors have none"):
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
