"""What a model's name stands for."""

from dataclasses import replace

import pytest

from likeness.vision.embed import Chips
from likeness.vision.models.cards import (
    BUILT_IN,
    CENTERFACE,
    DLIB_RESNET_V1,
    SFACE_2021DEC,
    YUNET_2023MAR,
    LocalFile,
)
from likeness.vision.models.template_model import TemplateModel, find_template_model, recogniser_of


@pytest.mark.parametrize("recogniser", [DLIB_RESNET_V1, SFACE_2021DEC])
@pytest.mark.parametrize("detector", [CENTERFACE, YUNET_2023MAR])
@pytest.mark.parametrize("chips", Chips)
def test_a_name_stands_for_the_model_that_it_was_made_of(
    recogniser: object, detector: object, chips: Chips
) -> None:
    model = TemplateModel(recogniser, detector, chips)  # type: ignore[arg-type]

    assert find_template_model(model.name, BUILT_IN) == model


def test_the_name_is_the_one_that_shipped_standards_have() -> None:
    model = TemplateModel(DLIB_RESNET_V1, CENTERFACE, Chips.SIX)

    assert model.name == (
        "dlib-resnet-v1@55533b28+centerface@09189dea+upright-mirrored-dlib-closer+six"
    )
    assert (model.dimensions, recogniser_of(model.name)) == (128, "dlib-resnet-v1")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "net@1",
        "dlib-resnet-v1@55533b28+centerface@09189dea+upright-mirrored-arcface+six",
        "dlib-resnet-v1@55533b28+centerface@09189dea+upright-mirrored-dlib-closer+seven",
        "centerface@09189dea+dlib-resnet-v1@55533b28+upright-mirrored-dlib-closer+six",
        "dlib-resnet-v1@00000000+centerface@09189dea+upright-mirrored-dlib-closer+six",
    ],
)
def test_a_name_that_nothing_here_has_stands_for_nothing(name: str) -> None:
    assert find_template_model(name, BUILT_IN) is None


def test_other_weights_under_the_same_name_are_another_model() -> None:
    name = TemplateModel(DLIB_RESNET_V1, CENTERFACE, Chips.ONE).name
    other = replace(DLIB_RESNET_V1, source=LocalFile("net.onnx", 1, "0" * 64))

    assert find_template_model(name, [other, CENTERFACE]) is None
