"""From options to what they stand for; weights that are missing are fetched with progress."""

from likeness.app import Installation, Likeness, Workload
from likeness.cli.progress import fetching
from likeness.config import read_settings
from likeness.vision.embed import Embedder
from likeness.vision.find import FaceFinder, FaceLocator


def installation(**chosen: object) -> Installation:
    """Read the settings and the models' cards; no network is loaded.

    Args:
        chosen: settings by name, which go before those around; None where nothing was said.
    """
    said = {name: value for name, value in chosen.items() if value is not None}
    return Installation(read_settings(**said))


def opened(settled: Installation, workload: Workload) -> Likeness:
    """Get ready to find and compare faces."""
    with fetching() as progress:
        return Likeness(settled, workload, progress)


def finder_opened(settled: Installation, workload: Workload) -> FaceFinder:
    """Get ready to find and embed faces; what their scores mean need not be known."""
    with fetching() as progress:
        return settled.finder(settled.engine(workload), progress)


def networks_opened(settled: Installation, workload: Workload) -> tuple[FaceLocator, Embedder]:
    """Get ready to find and embed faces, without a cohort."""
    with fetching() as progress:
        engine = settled.engine(workload)
        return settled.locator(engine, progress), settled.embedder(engine, progress)


def locator_opened(settled: Installation, workload: Workload) -> FaceLocator:
    """Get ready to find faces; no recogniser is loaded, nor needed."""
    with fetching() as progress:
        return settled.locator(settled.engine(workload), progress)
