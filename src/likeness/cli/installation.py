"""From options to what they stand for; weights that are missing are fetched with progress."""

import sys

from likeness.app import Installation, Workload
from likeness.artifacts import Publisher
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import fetching
from likeness.config import read_settings
from likeness.library import Likeness
from likeness.vision.embed import Embedder
from likeness.vision.every_face import Closeness, EveryFace
from likeness.vision.find import FaceFinder, FaceLocator


def installation_here(publisher: Publisher = Publisher.NEVER, **chosen: object) -> Installation:
    """Read the settings and the models' cards; no network is loaded, and nobody is called.

    Args:
        publisher: whether weights may be fetched from their publisher later.
        chosen: settings by name, which go before those around; None where nothing was said.
    """
    said = {name: value for name, value in chosen.items() if value is not None}
    return Installation(read_settings(**said), publisher)


def prepare(**chosen: object) -> Installation:
    """Do as `installation_here` does; at a terminal, fetch the better recogniser first.

    Who sits there is told, and told what the other one costs where it cannot be had.
    """
    if not sys.stderr.isatty():
        return installation_here(Publisher.NEVER, **chosen)
    installation = fetch_better(installation_here(Publisher.UNLESS_IT_FAILED, **chosen))
    if installation.choice.drawback:
        tell(installation.choice.drawback)
    return installation


def fetch_better(installation: Installation) -> Installation:
    """Fetch the better recogniser, as far as its publisher may be asked, and take it if it is here.

    Where it cannot be had, `choice.drawback` of what is given back says so.
    """
    with fetching() as progress:
        installation.fetch_better(tell, progress)
    return Installation(installation.settings, installation.sources.publisher)


def tell(line: str) -> None:
    """Say something beside the answer."""
    print(plain(line), file=sys.stderr, flush=True)


def open_likeness(installation: Installation, workload: Workload) -> Likeness:
    """Get ready to find and compare faces."""
    with fetching() as progress:
        return Likeness(installation, workload, progress)


def load_finder(installation: Installation, workload: Workload) -> FaceFinder:
    """Get ready to find and embed faces; what their scores mean need not be known."""
    with fetching() as progress:
        return installation.finder(installation.engine(workload), progress)


def load_networks(installation: Installation, workload: Workload) -> tuple[FaceLocator, Embedder]:
    """Get ready to find and embed faces, without a cohort."""
    with fetching() as progress:
        engine = installation.engine(workload)
        return installation.locator(engine, progress), installation.embedder(engine, progress)


def load_locator(installation: Installation, workload: Workload) -> FaceLocator:
    """Get ready to find faces; no recogniser is loaded, nor needed."""
    with fetching() as progress:
        return installation.locator(installation.engine(workload), progress)


def load_every_face(
    installation: Installation, workload: Workload, closeness: Closeness
) -> EveryFace:
    """Get ready to find whatever may be a face; no recogniser is loaded, nor needed."""
    with fetching() as progress:
        return installation.every_face(installation.engine(workload), closeness, progress)
