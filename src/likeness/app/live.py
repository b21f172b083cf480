"""Makes what does live searches."""

from collections.abc import Callable

from likeness.app.notify import frames_told_by, kinesis_of
from likeness.config import Settings
from likeness.service.live.run import LiveJobs, goes_on, tell_nobody
from likeness.service.live.telling import Tell
from likeness.service.uses import Home
from likeness.video import FairLane


def live_jobs(
    home: Home,
    settings: Settings,
    workers: int,
    tell: Tell = tell_nobody,
    wants_end: Callable[[], bool] = goes_on,
) -> LiveJobs:
    """Make what does live searches; so many `workers` look at frames at a time, of all cameras.

    Raises:
        InvalidRequest: the Kinesis endpoint is none, or its access key is not whole.
    """
    outputs = frames_told_by(kinesis_of(settings))
    return LiveJobs(home, FairLane(workers), outputs, tell=tell, wants_end=wants_end)
