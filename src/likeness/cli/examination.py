"""What `likeness doctor` looks at."""

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import starmap
from pathlib import Path

from likeness import __version__
from likeness.app import Installation, Workload
from likeness.cli.finding import Finding
from likeness.cli.home_examination import examine_home
from likeness.errors import LikenessError
from likeness.vision.models.cards import ModelCard
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Precision

# Each with its module, its package, and what is so with it and without it.
_EXTRAS = (
    ("heic", "pillow_heif", "pillow-heif", "HEIC pictures are read", "HEIC pictures are not read"),
    ("postgres", "psycopg", "psycopg[binary]", "PostgreSQL can be the database", "not needed"),
    ("milvus", "pymilvus", "pymilvus", "Milvus can be the index", "not needed"),
    ("onnxruntime", "onnxruntime", "onnxruntime", "that engine can be chosen", "not needed"),
)


def examine(settled: Installation) -> list[Finding]:
    """Look at everything that finding, comparing and keeping faces needs."""
    return [
        Finding(
            "Likeness",
            f"{__version__} on Python {platform.python_version()},"
            f" {platform.system()} {platform.machine()}",
        ),
        *_processor(),
        _engine(settled),
        *(_model(settled, card) for card in (settled.detector, settled.recogniser)),
        *_choice(settled),
        *_standards(settled),
        _folder("home folder", settled.settings.home, "LIKENESS_HOME"),
        *examine_home(settled),
        _folder("cache folder", settled.settings.cache, "LIKENESS_CACHE"),
        *starmap(_extra, _EXTRAS),
    ]


def _processor() -> Iterator[Finding]:
    try:
        engine = OpenVinoEngine(Precision.AUTO)
    except LikenessError as error:
        yield Finding("processor", str(error), well=False, mend="make install")
        return
    yield Finding("processor", f"{engine.processor}, {os.cpu_count()} threads")
    yield Finding("capabilities", " ".join(engine.capabilities))


def _engine(settled: Installation) -> Finding:
    chosen = settled.settings.precision
    try:
        engine = settled.engine(Workload.ONE)
    except LikenessError as error:
        return Finding(
            "engine", str(error), well=False, mend="unset LIKENESS_ENGINE LIKENESS_PRECISION"
        )
    return Finding(
        "engine", f"{engine.name}, computing in {engine.precision} ({chosen} was chosen)"
    )


def _model(settled: Installation, card: ModelCard) -> Finding:
    subject = f"{card.task} {card.name}"
    licence = f"weights {card.licences.weights} ({card.licences.weights_class})"
    try:
        here = settled.models.has_weights(card.name)
        accepted = not card.needs_acceptance or settled.models.acceptance(card.name)
    except LikenessError as error:
        return Finding(subject, str(error), well=False)
    if not accepted:
        return Finding(
            subject,
            f"{licence}, not accepted",
            well=False,
            mend=f"likeness models accept {card.name}",
        )
    if not here:
        return Finding(
            subject, f"{licence}, not fetched", well=False, mend=f"likeness models pull {card.name}"
        )
    return Finding(subject, f"fetched and verified, {licence}")


def _choice(settled: Installation) -> Iterator[Finding]:
    if settled.choice.drawback:
        yield Finding("better recogniser", settled.choice.drawback, mend="likeness models pull")
    if settled.sources.folder is not None:
        yield Finding("artifacts folder", f"{settled.sources.folder}, looked in first")


def _standards(settled: Installation) -> Iterator[Finding]:
    try:
        cohort = settled.standards.cohort(settled.model)
    except LikenessError as error:
        yield Finding("cohort", str(error), well=False, mend="likeness models cohort FOLDER")
        return
    yield Finding("cohort", cohort.version)
    try:
        calibration = settled.standards.calibration(settled.model, cohort.version)
    except LikenessError as error:
        yield Finding(
            "calibration", str(error), well=False, mend="likeness models calibrate FOLDER"
        )
        return
    yield Finding("calibration", f"measured on {calibration.measured_on}")


def _folder(subject: str, folder: Path, variable: str) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        return Finding(
            subject,
            f"{folder} cannot be written",
            well=False,
            mend=f"export {variable}=/a/folder/of/yours",
        )
    if existing != folder:
        return Finding(subject, f"{folder}, made when it is needed")
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Finding(subject, f"{folder}, {held / 1e6:.0f} MB")


def _extra(name: str, module: str, package: str, with_it: str, without: str) -> Finding:
    # Its own package is named: what registries call `likeness` is somebody else's.
    if find_spec(module):
        return Finding(f"extra {name}", f"installed: {with_it}")
    return Finding(
        f"extra {name}",
        f"not installed: {without}",
        mend=shlex.join([sys.executable, "-m", "pip", "install", package]),
    )
