"""What settings stand for, before any network is loaded."""

import os
from collections.abc import Callable
from enum import Enum
from functools import partial
from os import PathLike
from pathlib import Path

from likeness.app.recogniser_choice import (
    AUTO,
    BETTER,
    RecogniserChoice,
    choose_recogniser,
    fetch_better,
)
from likeness.artifacts import Progress, Publisher, Sources
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.vision.align import Chips
from likeness.vision.cards import CHIPS, LAYOUTS, Form, ModelCard, Task
from likeness.vision.centerface import CenterFace
from likeness.vision.decode import DecodeLimits, Sample, read_sample
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.detections import FaceNetwork
from likeness.vision.embed import Embedder, Recogniser
from likeness.vision.find import FaceFinder, FaceLocator
from likeness.vision.likelihood import face_likelihood
from likeness.vision.model_store import ModelStore
from likeness.vision.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.openvino_engine import OpenVinoEngine
from likeness.vision.scrfd import Scrfd
from likeness.vision.session import Engine, Precision, Session
from likeness.vision.standards import Standards
from likeness.vision.yunet import YuNet

Picture = str | PathLike[str]

_FACE_NETWORKS: dict[Form, Callable[[Session], FaceNetwork]] = {
    Form.CENTERFACE: CenterFace,
    Form.SCRFD: Scrfd,
    Form.YUNET: YuNet,
}


class Workload(Enum):
    """What to make fast: `ONE` picture as soon as possible, or `MANY` pictures altogether."""

    ONE = "one"
    MANY = "many"


class Installation:
    """What settings stand for, before any network is loaded.

    `publisher` says whether a file may be fetched from its publisher later; making an installation
    calls nobody.
    """

    def __init__(self, settings: Settings, publisher: Publisher = Publisher.NEVER) -> None:
        self.settings = settings
        self.sources = _sources(settings, publisher)
        self.models = ModelStore(settings.home / "models", self.sources)
        self.standards = Standards(settings.home / "models")
        self.limits = DecodeLimits(settings.max_bytes, settings.max_pixels, settings.max_side)
        self.detector = self._card(settings.detector, Task.DETECTOR)
        self.choice = self._choose()
        self.recogniser = self.choice.card
        self.layout = LAYOUTS[self.recogniser.form]
        self.chips = self._chips(self.recogniser)

    @property
    def model(self) -> str:
        """All that a template depends on, to the byte of the weights."""
        return self._model(self.recogniser)

    def fetch_better(self, say: Callable[[str], None], progress: Progress) -> None:
        """Fetch the better recogniser where it would be used and its publisher may be asked.

        `say` is told before anybody is called. It is used by installations made from now on.
        """
        chosen = self.settings.recogniser
        if chosen == BETTER.name or (chosen == AUTO and self._has_cohort(BETTER)):
            fetch_better(self.models, self.sources, say, progress)

    def engine(self, workload: Workload) -> Engine:
        """Make what runs the networks."""
        settings = self.settings
        precision = Precision(settings.precision)
        if settings.engine == "onnxruntime":
            return OnnxRuntimeEngine(precision, threads=settings.threads)
        return OpenVinoEngine(
            precision,
            threads=settings.threads,
            streams=1 if workload is Workload.ONE else self._threads(),
            cache_dir=settings.cache / "compiled",
        )

    def workers(self, workload: Workload) -> int:
        """Say how many pictures to work on at a time: one is read while the others are computed."""
        return 1 if workload is Workload.ONE else self._threads() + 1

    def _threads(self) -> int:
        return self.settings.threads or _processors()

    def locator(self, engine: Engine, progress: Progress | None = None) -> FaceLocator:
        """Load what finds faces; its weights are fetched where they are missing."""
        session = engine.load(self.models.require(self.detector.name, progress))
        settings = DetectorSettings(
            longer_side=self.settings.detector_side, threshold=self.settings.detector_threshold
        )
        network = _FACE_NETWORKS[self.detector.form](session)
        return FaceLocator(
            Detector(network, settings),
            self.layout,
            partial(face_likelihood, detector=self.detector.form),
        )

    def embedder(self, engine: Engine, progress: Progress | None = None) -> Embedder:
        """Load what embeds faces; its weights are fetched where they are missing."""
        session = engine.load(self.models.require(self.recogniser.name, progress))
        return Embedder(session, self.layout, self.chips, self.model)

    def finder(self, engine: Engine, progress: Progress | None = None) -> FaceFinder:
        """Load what finds and embeds faces, scores evened out by the cohort of this model."""
        cohort = self.standards.cohort(self.model)
        return FaceFinder(
            self.locator(engine, progress), Recogniser(self.embedder(engine, progress), cohort)
        )

    def sample(self, picture: Picture) -> Sample:
        """Read a picture file and check its header against the limits."""
        return read_sample(Path(picture), self.limits)

    def _choose(self) -> RecogniserChoice:
        if self.settings.recogniser == AUTO:
            return choose_recogniser(self.models, self.sources, self._has_cohort)
        return RecogniserChoice(self._card(self.settings.recogniser, Task.RECOGNISER))

    def _has_cohort(self, recogniser: ModelCard) -> bool:
        return self.standards.has_cohort(self._model(recogniser))

    def _chips(self, recogniser: ModelCard) -> Chips:
        chosen = self.settings.chips
        return CHIPS[recogniser.form] if chosen == "auto" else Chips[chosen.upper()]

    def _model(self, recogniser: ModelCard) -> str:
        return "+".join(
            [
                f"{recogniser.name}@{recogniser.digest[:8]}",
                f"{self.detector.name}@{self.detector.digest[:8]}",
                # Landmarks are found again in upright pictures before chips are laid out.
                f"upright-mirrored-{LAYOUTS[recogniser.form].name}",
                self._chips(recogniser).name.lower(),
            ]
        )

    def _card(self, name: str, task: Task) -> ModelCard:
        card = self.models.card(name)
        if card.task is not task:
            raise InvalidRequest(
                f"a {task} was expected and {name} is a {card.task}: `likeness models list` says"
                " which is which"
            )
        return card


def _sources(settings: Settings, publisher: Publisher) -> Sources:
    allowed = Publisher.NEVER if settings.publisher == "never" else publisher
    folder = Path(settings.artifacts).expanduser() if settings.artifacts else None
    return Sources(settings.cache, folder, allowed)


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
