"""`likeness detect` on clips: who is seen when, as far as nobody is recognised."""

from collections.abc import Sequence
from pathlib import Path

from likeness.app import Installation, Workload
from likeness.app.buckets import buckets_of
from likeness.buckets import HeldBuckets
from likeness.cli.clips.each_clip import answer_clips
from likeness.cli.clips.options import ClipOptions
from likeness.cli.clips.sources import ClipPlace
from likeness.cli.installation import load_locator
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.service.video.finding import FramesFinder
from likeness.service.video.loose import see_clip
from likeness.service.video.seen import ClipSeen, TellMs
from likeness.video import ClipLimits


def detect_in_clips(
    installation: Installation,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    *,
    annotate: Path | None,
    as_json: bool,
) -> ExitCode:
    """Find the faces of clips and follow them; print when each person is in view."""
    sampling = options.sampling
    finder = FramesFinder(load_locator(installation, Workload.MANY))
    workers = installation.workers(Workload.MANY)

    def see(place: ClipPlace, tell: TellMs) -> ClipSeen:
        with place.open(buckets, ClipLimits()) as file:
            return see_clip(file, finder, sampling, workers=workers, tell=tell)

    with HeldBuckets(buckets_of(installation.settings)) as buckets:
        answer = answer_clips(
            see,
            clips,
            options,
            annotate=annotate,
            as_json=as_json,
            names_people=False,
            buckets=buckets,
        )
    if as_json:
        print_json({"clips": answer.documents})
    return answer.code
