"""What a model is, where it comes from, and on what terms: one card for each."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from likeness.artifacts import PinnedFile, require_digest
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
