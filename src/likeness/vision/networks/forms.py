"""Every form of model that is read, with all that is particular to it.

A new detector is one file beside this one with its `DetectorForm`, a name in `Form` and a line in
`DETECTORS`; a card in `models/cards`, or one that a user writes, then names the form. A
new recogniser whose file is an ONNX graph is a name in `Form` and a line in `RECOGNISERS`; other
files need their reader in `conversion`.
"""

from dataclasses import dataclass
from enum import StrEnum

from likeness.vision.embed import ARCFACE_LAYOUT, DLIB_LAYOUT, RETAIL_LAYOUT, ChipLayout, Chips
from likeness.vision.networks.centerface import CENTERFACE
from likeness.vision.networks.pyramid import SCRFD, YUNET
from likeness.vision.networks.session import UNPREPARED, Preparation


class Task(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    RECOGNISER = "recogniser"


class Form(StrEnum):
    """How a model's file is laid out, which says how it is converted and read."""

    CENTERFACE = "centerface"
    SCRFD = "scrfd"
    YUNET = "yunet"
    DLIB_RESNET = "dlib-resnet"
    ARCFACE = "arcface"
    SFACE = "sface"
    OPENVINO_REID = "openvino-reid"

    @property
    def task(self) -> Task:
        """What models of this form are for."""
        return Task.RECOGNISER if self in RECOGNISERS else Task.DETECTOR

    @property
    def preparation(self) -> Preparation:
        """How models of this form want their pixels, unless a card says otherwise."""
        return (RECOGNISERS.get(self) or DETECTORS[self]).preparation

    @property
    def has_graph_file(self) -> bool:
        """Whether the network's layout lies in a file of its own, beside the weights."""
        return self is Form.OPENVINO_REID


@dataclass(frozen=True, slots=True)
class RecogniserForm:
    """All that is particular to one form of recogniser.

    `layout` is how its chips are laid out, `chips` how many of a face it is given unless the
    settings say, `preparation` how it wants its pixels unless a card says otherwise.
    """

    layout: ChipLayout
    chips: Chips = Chips.SIX
    preparation: Preparation = UNPREPARED


DETECTORS = {Form.CENTERFACE: CENTERFACE, Form.SCRFD: SCRFD, Form.YUNET: YUNET}
RECOGNISERS = {
    Form.DLIB_RESNET: RecogniserForm(
        DLIB_LAYOUT, preparation=Preparation(mean=(122.782, 117.001, 104.298), scale=256.0)
    ),
    Form.ARCFACE: RecogniserForm(
        ARCFACE_LAYOUT, preparation=Preparation(mean=(127.5, 127.5, 127.5), scale=127.5)
    ),
    # Its graph subtracts and scales by itself.
    Form.SFACE: RecogniserForm(ARCFACE_LAYOUT),
    # Its graph scales by itself; four chips more gain nothing.
    Form.OPENVINO_REID: RecogniserForm(RETAIL_LAYOUT, Chips.MIRRORED, Preparation(channels="BGR")),
}
