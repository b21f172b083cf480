"""What a model is, where it comes from, and on what terms: one card for each.

Likeness knows the models at the end: three that it uses, two more that it offers for download. The
terms of training data are what their makers say, and where they say nothing, that.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from likeness.artifacts import PinnedFile, catalogue, require_digest
from likeness.errors import InvalidRequest
from likeness.vision.networks.forms import Form, Task
from likeness.vision.networks.session import Preparation

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class LicenceClass(StrEnum):
    """What a licence of weights amounts to; `UNKNOWN` where nobody has said."""

    PERMISSIVE = "permissive"
    NON_COMMERCIAL = "non-commercial"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Licences:
    """The terms of a model's code, of its weights and of what they were trained on, in words."""

    code: str
    weights: str
    weights_class: LicenceClass
    training_data: str


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that a user brings; `size` in bytes, `sha256` in lower-case hexadecimal."""

    name: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        """Refuse what pins nothing, or a name that leads elsewhere."""
        if "/" in self.name or self.name in {"", ".", ".."}:
            raise InvalidRequest(
                f"Not the name of a file beside the card: {self.name!r}. Put the file there."
            )
        require_digest(self.name, self.size, self.sha256)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, told apart by `name` and, to the byte, by its `digest`.

    `source` holds the weights, and the network's layout too unless that lies in `graph`.
    `dimensions` is the length of a recogniser's templates, None for a detector. `lfw_fnmr` is the
    share of LFW's mated pairs that it misses at FMR 1e-3 (View 1, deep-funneled), None where that
    was not measured.
    """

    name: str
    form: Form
    source: PinnedFile | LocalFile
    licences: Licences
    preparation: Preparation
    dimensions: int | None
    description: str
    known_limits: tuple[str, ...]
    credits: str
    graph: PinnedFile | None = None
    lfw_fnmr: float | None = None

    def __post_init__(self) -> None:
        """Refuse a card that contradicts itself."""
        if not _NAME.fullmatch(self.name):
            raise InvalidRequest(
                f"Not a model's name: {self.name!r}. Give up to 64 lower-case letters, digits,"
                " dots, dashes and underscores."
            )
        if (self.task is Task.RECOGNISER) != (self.dimensions is not None):
            raise InvalidRequest(
                f"{self.name}, a {self.task}, has {self.dimensions} dimensions, but recognisers"
                " have some and detectors have none. Correct the card."
            )
        if self.form.has_graph_file != (self.graph is not None):
            raise InvalidRequest(two_files_refused(self.form))

    @property
    def files(self) -> tuple[PinnedFile | LocalFile, ...]:
        """All that the model is made from."""
        return (self.source,) if self.graph is None else (self.source, self.graph)

    @property
    def pinned(self) -> list[PinnedFile]:
        """Those of its files that can be fetched, or looked for among artifacts."""
        return [file for file in self.files if isinstance(file, PinnedFile)]

    @property
    def digest(self) -> str:
        """What the model is known by, 64 hexadecimal digits: SHA-256 of its file, or over both."""
        if self.graph is None:
            return self.source.sha256
        return hashlib.sha256((self.source.sha256 + self.graph.sha256).encode()).hexdigest()

    @property
    def task(self) -> Task:
        """What the model is for."""
        return self.form.task

    @property
    def needs_acceptance(self) -> bool:
        """Whether the operator has to accept the licence of the weights before they are used."""
        return self.licences.weights_class is not LicenceClass.PERMISSIVE


def two_files_refused(form: Form) -> str:
    """Word why a model of two files, or what is said to be one, cannot be added."""
    return (
        f"Models of the form {form} cannot be added: their weights and their graph are two files."
        " Convert the model to one ONNX file, and add that as arcface or sface."
    )


CENTERFACE = ModelCard(
    name="centerface",
    form=Form.CENTERFACE,
    source=catalogue.CENTERFACE,
    licences=Licences(
        code="MIT",
        weights=catalogue.CENTERFACE.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data="WIDER FACE, 32,203 pictures from the web, published for research",
    ),
    preparation=Form.CENTERFACE.preparation,
    dimensions=None,
    description="Finds faces and five landmarks of each; the default detector",
    known_limits=("Of the faces 16 to 32 pixels tall in the searched picture it finds about half",),
    credits="Yuanyuan Xu and others, CenterFace: Joint Face Detection and Alignment, 2019",
)

DLIB_RESNET_V1 = ModelCard(
    name="dlib-resnet-v1",
    form=Form.DLIB_RESNET,
    source=catalogue.DLIB_RESNET,
    licences=Licences(
        code="Boost Software License 1.0",
        weights=catalogue.DLIB_RESNET.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "FaceScrub and VGG Face, both published for research, and pictures that dlib's author"
            " collected from the web; 3 million in all"
        ),
    ),
    preparation=Form.DLIB_RESNET.preparation,
    dimensions=128,
    description="Makes templates of 128 numbers; the recogniser where the better one is not here",
    known_limits=(
        "The weights are from 2017 and weak at strict thresholds, false match rates under 1e-4",
        "Pictures of faces under about 40 pixels match strangers 5 to 7 times as often as stated",
        "How it does as people age was not measured",
        "Users report more errors for East Asian faces and for children",
        "One raw threshold gives groups of people unequal error rates: scores are distances in"
        " units of how crowded a face's surroundings are",
        "The people of LFW were kept out of its training, so figures on LFW are not flattered",
    ),
    credits="Davis E. King, dlib, 2017",
    lfw_fnmr=0.042,
)

RETAIL_0095 = ModelCard(
    name="face-reidentification-retail-0095",
    form=Form.OPENVINO_REID,
    source=catalogue.RETAIL_0095_WEIGHTS,
    graph=catalogue.RETAIL_0095_GRAPH,
    licences=Licences(
        code="Apache-2.0",
        weights=catalogue.RETAIL_0095_WEIGHTS.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unknown: Intel does not say what it was trained on, nor whether people of LFW were"
            " among it"
        ),
    ),
    preparation=Form.OPENVINO_REID.preparation,
    dimensions=256,
    description="Makes templates of 256 numbers; the default recogniser",
    known_limits=(
        "Intel does not say what it was trained on, so figures on LFW may be flattered",
        "How it does as people age was not measured",
        "One raw threshold gives groups of people unequal error rates: scores are distances in"
        " units of how crowded a face's surroundings are",
    ),
    credits="Intel, Open Model Zoo, release 2023.0",
    lfw_fnmr=0.0088,
)

YUNET_2023MAR = ModelCard(
    name="yunet-2023mar",
    form=Form.YUNET,
    source=catalogue.YUNET,
    licences=Licences(
        code="MIT",
        weights=catalogue.YUNET.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unconfirmed: the file's publisher names none; its makers' training code is set up"
            " for WIDER FACE, published for research"
        ),
    ),
    preparation=Form.YUNET.preparation,
    dimensions=None,
    description="Finds faces and five landmarks of each; small and fast",
    known_limits=("Its makers trained it for faces between about 10 and 300 pixels",),
    credits="Wei Wu, Hanyang Peng, Shiqi Yu, YuNet, 2023; published by OpenCV Zoo",
)

SFACE_2021DEC = ModelCard(
    name="sface-2021dec",
    form=Form.SFACE,
    source=catalogue.SFACE,
    licences=Licences(
        code="Apache-2.0",
        weights=catalogue.SFACE.licence,
        weights_class=LicenceClass.PERMISSIVE,
        training_data=(
            "unconfirmed: neither publisher nor author say which of CASIA-WebFace, VGGFace2 and"
            " MS1MV2, all collected from the web, trained this file"
        ),
    ),
    preparation=Form.SFACE.preparation,
    dimensions=128,
    description="Makes templates of 128 numbers from ArcFace chips",
    known_limits=("Not measured by Likeness: calibrate it before relying on a threshold",),
    credits="Yaoyao Zhong, Weihong Deng and others, SFace, 2021; published by OpenCV Zoo",
)

BUILT_IN = (CENTERFACE, RETAIL_0095, DLIB_RESNET_V1, YUNET_2023MAR, SFACE_2021DEC)
