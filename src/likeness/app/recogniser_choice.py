"""Choose the recogniser: the better one where this machine has it, else the one anybody can fetch.

Nothing here calls anybody but `fetch_better`, and that only as far as its sources let it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from likeness.artifacts import Address, Progress, Publisher, Sources, last_failure
from likeness.errors import ArtifactUnavailable, required
from likeness.vision.models.cards import DLIB_RESNET_V1, RETAIL_0095, ModelCard
from likeness.vision.models.model_store import ModelStore

AUTO = "auto"
BETTER, FALLBACK = RETAIL_0095, DLIB_RESNET_V1


@dataclass(frozen=True, slots=True)
class RecogniserChoice:
    """The recogniser in use; `drawback` says why it is not the better one, None where it is.

    Nor is there a drawback to speak of in a recogniser that was chosen by name.
    """

    card: ModelCard
    drawback: str | None = None


def choose_recogniser(
    models: ModelStore, sources: Sources, has_cohort: Callable[[ModelCard], bool]
) -> RecogniserChoice:
    """Take the better recogniser if its files are here and a cohort evens its scores out.

    Raises:
        InvalidRequest: the folder of artifacts is none.
        ArtifactUnavailable: the folder of artifacts cannot be read.
    """
    missing = models.missing(BETTER)
    if not has_cohort(BETTER):
        return _fallback(
            "is not used, for no cohort evens its scores out with these settings. `likeness models"
            f" cohort` makes one, with LIKENESS_RECOGNISER={BETTER.name}"
        )
    if not missing:
        return RecogniserChoice(BETTER)
    names = " and ".join(file.name for file in missing)
    failed = last_failure(missing[0], sources)
    if len(missing) < len(BETTER.files) and not failed:
        why = f"of its two files {names} is missing"
    else:
        why = str(failed) if failed else "it was not fetched yet"
    return _fallback(
        f"is not here ({why}). `likeness models pull` fetches it; or put its two files into a"
        " folder and set LIKENESS_ARTIFACTS to that"
    )


def fetch_better(
    models: ModelStore, sources: Sources, say: Callable[[str], None], progress: Progress
) -> None:
    """Fetch the better recogniser where it is not here and its publisher may be asked.

    `say` is told before anybody is called. What fails is no error: it is remembered, and
    `choose_recogniser` says so.

    Raises:
        InvalidRequest: the folder of artifacts is none.
        ModelTampered: what is here already has other bytes.
    """
    missing = models.missing(BETTER)
    if not missing or sources.publisher is Publisher.NEVER:
        return
    if sources.publisher is not Publisher.ALWAYS and last_failure(missing[0], sources):
        return
    megabytes = sum(file.size for file in missing) / 1e6
    hosts = {file.source.host for file in missing if isinstance(file.source, Address)}
    say(
        f"Fetching {BETTER.name} ({megabytes:.1f} MB) from its publisher,"
        f" {', '.join(sorted(hosts))} ..."
    )
    try:
        models.require(BETTER.name, progress)
    except ArtifactUnavailable as error:
        if not last_failure(missing[-1], sources):
            say(str(error))  # the publisher is not to blame, so nobody would hear of it


def _fallback(why: str) -> RecogniserChoice:
    return RecogniserChoice(
        FALLBACK,
        f"This uses {FALLBACK.name}, which misses {_percent(FALLBACK)} of pairs of one person at"
        f" FMR 1e-3; {BETTER.name} misses {_percent(BETTER)} and {why}.",
    )


def _percent(card: ModelCard) -> str:
    return f"{100 * required(card.lfw_fnmr, 'what a recogniser misses'):.2g}%"
