"""Faces that are discs of one colour, and networks that find and tell them apart.

All of Likeness is real here but the two networks: `DiscDetector` finds discs where a detector finds
faces, and `MeanColour` gives a chip's mean colour where a recogniser gives features. Two discs of a
colour are one person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.app import Installation
from likeness.app.installation import MissingPart
from likeness.artifacts import Progress, Publisher
from likeness.cli import installation as cli_installation
from likeness.cli.terminal import command
from likeness.config import Settings
from likeness.terms import Calibration
from likeness.vision.cohorts.cohort import Cohort
from likeness.vision.cohorts.standards import Standards
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.detections import Detections, FaceNetwork
from likeness.vision.find import FaceLocator
from likeness.vision.models.cards import BUILT_IN, ModelCard
from likeness.vision.models.model_store import ModelStore
from likeness.vision.models.template_model import TemplateModel
from likeness.vision.networks.session import Engine, Precision, Session

RED, GREEN, BLUE = (220, 40, 40), (40, 200, 60), (50, 70, 230)


class DiscDetector(FaceNetwork):
    """Finds discs of strong colour on grey."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        strong = (np.ptp(canvas.astype(int), axis=2) > 80).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(strong)
        boxes = [(x, y, x + w, y + h) for x, y, w, h, area in found[1:] if area > 100]
        boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        corner, size = boxes_xyxy[:, None, :2], boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2]
        places = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75)])
        landmarks_xy = (corner + size * places).astype(np.float32)
        return Detections(boxes_xyxy, landmarks_xy, np.full(len(boxes), 0.9, np.float32))


class MeanColour:
    """Gives 128 features that follow a chip's mean colour."""

    precision = Precision.F32
    _SPREAD = np.random.default_rng(1).normal(size=(3, 128)).astype(np.float32)

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        side = pictures.shape[1]
        middle = pictures[:, side // 3 : -side // 3, side // 3 : -side // 3]
        colours = middle.mean(axis=(1, 2)).astype(np.float32) - 110
        return (colours @ self._SPREAD,)


# SFace's card as if somebody had measured that it is the better one: its templates are as long.
MEASURED = [
    replace(card, lfw_fnmr=0.001) if card.name == "sface-2021dec" else card for card in BUILT_IN
]


class InstallationWithDiscs(Installation):
    """An installation whose networks see discs, and whose shipped standards are of discs."""

    shipped: Path
    missing_parts: ClassVar[dict[str, MissingPart]] = {}
    """What recognisers lack, by their names."""

    def __init__(self, settings: Settings, publisher: Publisher = Publisher.NEVER) -> None:
        super().__init__(settings, publisher)
        self.models = ModelStore(settings.home / "models", self.sources, MEASURED)
        self.recogniser = self.models.card(self.recogniser.name)
        self.standards = Standards(settings.home / "models", self.shipped)

    def face_network(
        self, engine: Engine, detector: ModelCard, progress: Progress | None = None
    ) -> FaceNetwork:
        return DiscDetector()

    def template_network(
        self, engine: Engine, recogniser: ModelCard, progress: Progress | None = None
    ) -> Session:
        return MeanColour()

    def locator_with(self, network: FaceNetwork, model: TemplateModel) -> FaceLocator:
        settings = DetectorSettings(longer_side=self.settings.detector_side, threshold=0.5)
        return FaceLocator(Detector(network, settings), model.layout, lambda score: score)

    def missing_part(self, model: TemplateModel) -> MissingPart | None:
        return self.missing_parts.get(model.recogniser.name)


def ship_standards(folder: Path) -> Path:
    """Write a cohort of 300 colours, and a calibration in which a score of -0.35 is FMR 1e-3."""
    colours = np.random.default_rng(2).integers(0, 256, (300, 1, 1, 3)).astype(np.uint8)
    (features,) = MeanColour().run(np.broadcast_to(colours, (300, 9, 9, 3)))
    vectors = features / np.linalg.norm(features, axis=1, keepdims=True)
    cohort = Cohort.of(
        vectors, Installation(Settings(recogniser="dlib-resnet-v1")).model, "300 colours"
    )
    scores = (-40.0, -1.0, -0.35, -0.2)
    calibration = Calibration(
        cohort.model, cohort.version, scores, (1.0, 0.1, 1e-3, 1e-6), 10**8, "discs"
    )
    standards = Standards(folder)
    standards.keep_cohort(cohort)
    return standards.keep_calibration(calibration).parent


def ship_standards_of(folder: Path, recogniser: str) -> None:
    """Write the same standards for the model of another recogniser, beside those of discs."""
    old, new = Installation(Settings()), Installation(Settings(recogniser=recogniser))
    standards = Standards(folder.parent)
    cohort = standards.cohort(old.model)
    ours = replace(cohort, model=new.model)
    standards.keep_cohort(ours)
    calibration = standards.calibration(old.model, cohort.version)
    standards.keep_calibration(replace(calibration, model=new.model, cohort_version=ours.version))


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the standards of discs lie."""
    return ship_standards(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def likeness(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    standards: Path,
) -> Iterator[Callable[..., Outcome]]:
    """The command itself, with networks that see discs."""
    monkeypatch.setattr(cli_installation, "Installation", InstallationWithDiscs)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", standards, raising=False)
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = command.run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield run


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Make a picture file with a disc of each colour, side by side."""

    def make(name: str, *colours: tuple[int, int, int], side: int = 160) -> Path:
        pixels = np.full((side, side * max(1, len(colours)), 3), 128, np.uint8)
        for place, colour in enumerate(colours):
            centre = (side // 2 + side * place, side // 2)
            cv2.circle(pixels, centre, side // 3, colour, -1)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels[..., ::-1])
        return path

    return make
