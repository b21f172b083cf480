"""An installation: the objects that settings stand for, before any network is loaded.

The recogniser is the better one where this machine has it, else the one that anybody can fetch.
Nothing here calls anybody but `Installation.fetch_better`, and that only as far as its sources let
it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.artifacts import Address, Progress, Publisher, Sources, last_failure
from likeness.config import Settings
from likeness.errors import ArtifactUnavailable, InvalidRequest, required
from likeness.vision.cohorts.standards import Standards
from likeness.vision.decode import (
    DecodeLimits,
    Sample,
    inspect,
    read_sample,
    sample_of_array,
)
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.detections import FaceNetwork
from likeness.vision.embed import Chips, Embedder, Recogniser
from likeness.vision.every_face import Closeness, EveryFace
from likeness.vision.find import FaceFinder, FaceLocator
from likeness.vision.models.cards import DLIB_RESNET_V1, RETAIL_0095, ModelCard
from likeness.vision.models.model_store import ModelStore
from likeness.vision.models.template_model import TemplateModel, find_template_model
from likeness.vision.networks.forms import DETECTORS, RECOGNISERS, Task
from likeness.vision.networks.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Engine, Precision, Session

AUTO = "auto"
BETTER, FALLBACK = RETAIL_0095, DLIB_RESNET_V1


@dataclass(frozen=True, slots=True)
class RecogniserChoice:
    """The recogniser in use; `drawback` says why it is not the better one, None where it is.

    Nor is there a drawback to speak of in a recogniser that was chosen by name.
    """

    card: ModelCard
    drawback: str | None = None


Place = str | PathLike[str]
Picture = Place | bytes | NDArray[np.uint8] | Sample
"""A picture file by its path, its bytes, (h, w, 3) uint8 RGB, or a sample that is read already."""


class Workload(Enum):
    """What to make fast: `ONE` picture as soon as possible, or `MANY` pictures altogether."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class MissingPart:
    """What a model lacks to be loaded, in words, and the command that gets it."""

    what: str
    command: str


class Installation:
    """The objects that settings stand for, before any network is loaded.

    `publisher` says whether a file may be fetched from its publisher later; making an installation
    calls nobody.
    """

    def __init__(self, settings: Settings, publisher: Publisher = Publisher.NEVER) -> None:
        self.settings = settings
        self.sources = _sources(settings, publisher)
        self.models = ModelStore(settings.home / "models", self.sources)
        self.standards = Standards(settings.home / "models")
        self.limits = DecodeLimits(
            settings.max_bytes, settings.max_pixels, settings.max_side, settings.decode_memory
        )
        self.detector = self._card(settings.detector, Task.DETECTOR)
        self.choice = self._choose()
        self.recogniser = self.choice.card
        self.chips = self._chips(self.recogniser)

    @property
    def model(self) -> str:
        """The name of the model that new collections take."""
        return self.template_model().name

    def fetch_better(self, say: Callable[[str], None], progress: Progress) -> None:
        """Fetch the better recogniser where it would be used and its publisher may be asked.

        `say` is told before anybody is called. What fails is no error: it is remembered, and
        installations made from now on say so, or use it.

        Raises:
            InvalidRequest: the folder of artifacts is none.
            ModelTampered: what is here already has other bytes.
        """
        if self.settings.recogniser not in (AUTO, BETTER.name):
            return
        if self.settings.recogniser == AUTO and not self._has_cohort(BETTER):
            return
        missing, publisher = self.models.missing(BETTER), self.sources.publisher
        if not missing or publisher is Publisher.NEVER:
            return
        if publisher is not Publisher.ALWAYS and last_failure(missing[0], self.sources):
            return
        megabytes = sum(file.size for file in missing) / 1e6
        hosts = {file.source.host for file in missing if isinstance(file.source, Address)}
        say(
            f"Fetching {BETTER.name} ({megabytes:.1f} MB) from its publisher,"
            f" {', '.join(sorted(hosts))} ..."
        )
        try:
            self.models.require(BETTER.name, progress)
        except ArtifactUnavailable as error:
            if not last_failure(missing[-1], self.sources):
                say(str(error))  # the publisher is not to blame, so nobody would hear of it

    def template_model(self, recogniser: str | None = None) -> TemplateModel:
        """Say what templates of a new collection depend on, with another recogniser if named.

        Raises:
            NotFound: no model has that name.
            InvalidRequest: the model is no recogniser.
        """
        card = self.recogniser if recogniser is None else self._card(recogniser, Task.RECOGNISER)
        return TemplateModel(card, self.detector, self._chips(card))

    def known_model(self, name: str) -> TemplateModel | None:
        """Find what a model's name stands for here, whatever the settings say; None where nothing.

        Raises:
            InvalidRequest: the card of an added model is damaged.
        """
        ours = self.template_model()
        return ours if ours.name == name else find_template_model(name, self.models.cards())

    def missing_part(self, model: TemplateModel) -> MissingPart | None:
        """Find what a model needs and this machine does not have; None where it has all.

        Raises:
            ModelTampered: weights are not those that their card names.
        """
        for card in (model.recogniser, model.detector):
            if card.needs_acceptance and self.models.acceptance(card.name) is None:
                return MissingPart(
                    f"the licence of {card.name} is not accepted",
                    f"likeness models accept {card.name}",
                )
            try:
                here = self.models.has_weights(card.name)
            except ArtifactUnavailable:  # of a model that was added; `pull` says where to put them
                here = False
            if not here:
                return MissingPart(
                    f"the weights of {card.name} are not here", f"likeness models pull {card.name}"
                )
        return None

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

    def face_network(
        self, engine: Engine, detector: ModelCard, progress: Progress | None = None
    ) -> FaceNetwork:
        """Load a detector's network; its weights are fetched where they are missing."""
        session = engine.load(self.models.require(detector.name, progress))
        return DETECTORS[detector.form].network(session)

    def template_network(
        self, engine: Engine, recogniser: ModelCard, progress: Progress | None = None
    ) -> Session:
        """Load a recogniser's network; its weights are fetched where they are missing."""
        return engine.load(self.models.require(recogniser.name, progress))

    def locator_with(self, network: FaceNetwork, model: TemplateModel) -> FaceLocator:
        """Make what finds faces for a model, with its detector's network."""
        settings = DetectorSettings(
            longer_side=self.settings.detector_side, threshold=self.settings.detector_threshold
        )
        return FaceLocator(
            Detector(network, settings),
            model.layout,
            DETECTORS[model.detector.form].likelihood,
        )

    def finder_with(
        self, face_network: FaceNetwork, template_network: Session, model: TemplateModel
    ) -> FaceFinder:
        """Make what finds and embeds faces for a model, scores evened out by its cohort.

        Raises:
            NotFound: the model has no cohort.
        """
        embedder = Embedder(template_network, model.layout, model.chips, model.name)
        cohort = self.standards.cohort(model.name)
        return FaceFinder(self.locator_with(face_network, model), Recogniser(embedder, cohort))

    def locator(self, engine: Engine, progress: Progress | None = None) -> FaceLocator:
        """Load what finds faces; its weights are fetched where they are missing."""
        network = self.face_network(engine, self.detector, progress)
        return self.locator_with(network, self.template_model())

    def every_face(
        self, engine: Engine, closeness: Closeness, progress: Progress | None = None
    ) -> EveryFace:
        """Load what finds whatever may be a face; `closeness` says how closely it looks."""
        network = self.face_network(engine, self.detector, progress)
        side = max(closeness.longer_side, self.settings.detector_side)
        return EveryFace(
            network,
            DETECTORS[self.detector.form].likelihood,
            replace(closeness, longer_side=side),
        )

    def embedder(self, engine: Engine, progress: Progress | None = None) -> Embedder:
        """Load what embeds faces; its weights are fetched where they are missing."""
        model = self.template_model()
        session = self.template_network(engine, model.recogniser, progress)
        return Embedder(session, model.layout, model.chips, model.name)

    def finder(self, engine: Engine, progress: Progress | None = None) -> FaceFinder:
        """Load what finds and embeds faces, for new collections and for loose pictures."""
        model = self.template_model()
        return self.finder_with(
            self.face_network(engine, model.detector, progress),
            self.template_network(engine, model.recogniser, progress),
            model,
        )

    def sample(self, picture: Picture) -> Sample:
        """Take what a picture is given as, and check its header against the limits.

        Raises:
            InvalidRequest: it is none of what a picture can be given as.
        """
        match picture:
            case Sample():
                return picture
            case bytes() | bytearray() | memoryview():
                return inspect(bytes(picture), self.limits)
            case np.ndarray():
                return sample_of_array(picture, self.limits)
            case str() | PathLike():
                return read_sample(path_of(picture, "a picture"), self.limits)
        raise InvalidRequest(
            f"Not a picture: {type(picture).__name__} was given. Give a path, bytes, or an array of"
            " uint8 of shape (height, width, 3)."
        )

    def _choose(self) -> RecogniserChoice:
        """Take the better recogniser if its files are here and a cohort evens its scores out.

        Raises:
            InvalidRequest: the folder of artifacts is none.
            ArtifactUnavailable: the folder of artifacts cannot be read.
        """
        if self.settings.recogniser != AUTO:
            return RecogniserChoice(self._card(self.settings.recogniser, Task.RECOGNISER))
        missing = self.models.missing(BETTER)
        if not self._has_cohort(BETTER):
            return _fallback(
                "is not used, for no cohort evens its scores out with these settings. `likeness"
                f" models cohort` makes one, with LIKENESS_RECOGNISER={BETTER.name}"
            )
        if not missing:
            return RecogniserChoice(BETTER)
        failed = last_failure(missing[0], self.sources)
        if len(missing) < len(BETTER.files) and not failed:
            names = " and ".join(file.name for file in missing)
            why = f"of its two files {names} is missing"
        else:
            why = str(failed) if failed else "it was not fetched yet"
        return _fallback(
            f"is not here ({why}). `likeness models pull` fetches it; or put its two files into a"
            " folder and set LIKENESS_ARTIFACTS to that"
        )

    def _has_cohort(self, recogniser: ModelCard) -> bool:
        model = TemplateModel(recogniser, self.detector, self._chips(recogniser))
        return self.standards.has_cohort(model.name)

    def _chips(self, recogniser: ModelCard) -> Chips:
        chosen = self.settings.chips
        return RECOGNISERS[recogniser.form].chips if chosen == "auto" else Chips[chosen.upper()]

    def _card(self, name: str, task: Task) -> ModelCard:
        card = self.models.card(name)
        if card.task is not task:
            raise InvalidRequest(
                f"{name} is a {card.task}, not a {task}. `likeness models list` shows"
                " which is which."
            )
        return card


def _fallback(why: str) -> RecogniserChoice:
    return RecogniserChoice(
        FALLBACK,
        f"This uses {FALLBACK.name}, which misses {_percent(FALLBACK)} of pairs of one person at"
        f" FMR 1e-3; {BETTER.name} misses {_percent(BETTER)} and {why}.",
    )


def _percent(card: ModelCard) -> str:
    return f"{100 * required(card.lfw_fnmr, 'what a recogniser misses'):.2g}%"


def _sources(settings: Settings, publisher: Publisher) -> Sources:
    allowed = Publisher.NEVER if settings.publisher == "never" else publisher
    folder = Path(settings.artifacts).expanduser() if settings.artifacts else None
    return Sources(settings.cache, folder, allowed)


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def path_of(place: object, what: str) -> Path:
    """Give the path of what is meant, such as `a picture`.

    Raises:
        InvalidRequest: it is no path, or an empty one.
    """
    name = os.fspath(place) if isinstance(place, str | PathLike) else None
    if not isinstance(name, str):
        raise InvalidRequest(
            f"Not the path of {what}: {type(place).__name__} was given. Give a str or a Path."
        )
    if not name:
        raise InvalidRequest(f"The path of {what} is empty. Name one.")
    if "\0" in name:
        raise InvalidRequest(f"{name!r} is no path: it holds a NUL. Give another.")
    return Path(name)
