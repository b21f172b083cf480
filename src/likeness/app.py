"""The composition root: settings become objects, here and nowhere else."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import TextIO

from likeness.artifacts import Progress
from likeness.config import Settings, read_settings
from likeness.errors import InvalidRequest, LikenessError
from likeness.service.compare_pairs import (
    PairCounts,
    compare_pairs,
    pictures_of,
    read_pairs,
    write_scores,
)
from likeness.service.folder_gallery import FolderGallery, read_gallery
from likeness.service.identify import Identification, Identifier
from likeness.service.verify import Verification, verify
from likeness.terms.face import Face
from likeness.terms.template import Template
from likeness.vision.align import Chips
from likeness.vision.cards import LAYOUTS, Form, ModelCard, Task
from likeness.vision.centerface import CenterFace
from likeness.vision.decode import DecodeLimits, Sample, read_sample
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.detections import FaceNetwork
from likeness.vision.embed import Embedder, Recogniser
from likeness.vision.find import FaceFinder, FaceLocator
from likeness.vision.model_store import ModelStore
from likeness.vision.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.openvino_engine import OpenVinoEngine
from likeness.vision.scrfd import Scrfd
from likeness.vision.session import Engine, Precision, Session
from likeness.vision.standards import Standards
from likeness.vision.yunet import YuNet

Picture = str | PathLike[str]
Tell = Callable[[int, int], None]

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
    """What settings stand for, before any network is loaded."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models = ModelStore(settings.home / "models", settings.cache)
        self.standards = Standards(settings.home / "models")
        self.limits = DecodeLimits(settings.max_bytes, settings.max_pixels, settings.max_side)
        self.chips = Chips[settings.chips.upper()]
        self.detector = self._card(settings.detector, Task.DETECTOR)
        self.recogniser = self._card(settings.recogniser, Task.RECOGNISER)
        self.layout = LAYOUTS[self.recogniser.form]

    @property
    def model(self) -> str:
        """All that a template depends on, to the byte of the weights."""
        return "+".join(
            [
                f"{self.recogniser.name}@{self.recogniser.source.sha256[:8]}",
                f"{self.detector.name}@{self.detector.source.sha256[:8]}",
                # Landmarks are found again in upright pictures before chips are laid out.
                f"upright-{self.layout.name}",
                self.chips.name.lower(),
            ]
        )

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
        return FaceLocator(Detector(network, settings), self.layout)

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

    def _card(self, name: str, task: Task) -> ModelCard:
        card = self.models.card(name)
        if card.task is not task:
            raise InvalidRequest(
                f"a {task} was expected and {name} is a {card.task}: `likeness models list` says"
                " which is which"
            )
        return card


class Likeness:
    """Finds and compares faces in picture files; `open_likeness` makes one."""

    def __init__(
        self, installation: Installation, workload: Workload, progress: Progress | None
    ) -> None:
        self.finder = installation.finder(installation.engine(workload), progress)
        self.calibration = installation.standards.calibration(
            installation.model, self.finder.cohort_version
        )
        self.installation = installation
        self.workers = installation.workers(workload)

    def detect(self, picture: Picture) -> tuple[Face, ...]:
        """Find every face of a picture file, largest first."""
        with _naming(picture):
            return self.finder.locate(self.sample(picture)).faces

    def compare(self, reference: Picture, probe: Picture) -> Verification:
        """Compare the foremost faces of two picture files.

        Raises:
            NoFace: one of them has none.
        """
        point = self.calibration.point(self.installation.settings.fmr)
        return verify(self.foremost(reference), self.foremost(probe), self.calibration, point)

    def foremost(self, picture: Picture) -> tuple[Face, Template]:
        """Find the foremost face of a picture file and make its template.

        Raises:
            NoFace: there is none.
        """
        with _naming(picture):
            return self.finder.foremost(self.sample(picture))

    def compare_pairs(
        self,
        pairs_csv: Picture,
        root: Picture,
        scores: TextIO,
        tell: Tell = lambda done, total: None,
    ) -> PairCounts:
        """Compare the pairs that a CSV file names, pictures under `root`; write another of scores.

        `tell` is told how many of how many pictures are done.
        """
        pairs = read_pairs(Path(pairs_csv))
        compared = compare_pairs(
            pairs,
            Path(root),
            self.finder,
            self.calibration,
            limits=self.installation.limits,
            workers=self.workers,
            tell=tell,
        )
        return PairCounts(len(pairs), len(pictures_of(pairs)), write_scores(compared, scores))

    def gallery(self, folder: Picture, tell: Tell = lambda done, total: None) -> FolderGallery:
        """Make a gallery of a folder with one folder, or one picture, a person."""
        return read_gallery(
            Path(folder),
            self.finder,
            limits=self.installation.limits,
            workers=self.workers,
            tell=tell,
        )

    def identify(self, picture: Picture, gallery: FolderGallery) -> tuple[Identification, ...]:
        """Name the faces of a picture file, largest first."""
        with _naming(picture):
            return self.identifier(gallery).identify(self.sample(picture))

    def identifier(self, gallery: FolderGallery) -> Identifier:
        """Make what names faces from one gallery, at the error rate that its size allows."""
        point = self.calibration.point_for_gallery(
            len(gallery.subjects),
            self.installation.settings.fpir,
            at_most=self.installation.settings.fmr,
        )
        return Identifier(self.finder, self.calibration, gallery, point)

    def sample(self, picture: Picture) -> Sample:
        """Read a picture file and check its header against the limits."""
        return self.installation.sample(picture)


def open_likeness(
    settings: Settings | None = None,
    *,
    workload: Workload = Workload.ONE,
    progress: Progress | None = None,
) -> Likeness:
    """Get everything ready to find and compare faces.

    Args:
        settings: what was chosen; read from the environment without.
        workload: what to make fast.
        progress: is told how far the weights are fetched, where that has to be done first.

    Raises:
        ArtifactUnavailable: weights are not in the cache and cannot be fetched.
        LicenceNotAccepted: the weights' licence has to be accepted first.
    """
    return Likeness(Installation(settings or read_settings()), workload, progress)


@contextmanager
def _naming(picture: Picture) -> Iterator[None]:
    """Name the picture in every error that does not."""
    try:
        yield
    except LikenessError as error:
        name = repr(str(picture))  # a path may hold line breaks, a message may not
        if name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
