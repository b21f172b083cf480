"""Makes what does live searches, and what tells Kinesis streams of their frames."""

from collections.abc import Callable
from functools import partial

from likeness.app.notify import kinesis_of
from likeness.config import Settings
from likeness.jobs import Job
from likeness.rekognition.operations.streams import frame_record
from likeness.service.live.asked import LiveRequest
from likeness.service.live.run import LiveJobs, MakeOutput, goes_on, tell_nobody
from likeness.service.live.sighting import FrameOutput
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
    return LiveJobs(home, FairLane(workers), _outputs(settings), tell=tell, wants_end=wants_end)


def _outputs(settings: Settings) -> MakeOutput:
    streams = kinesis_of(settings)

    def make(job: Job, request: LiveRequest) -> FrameOutput | None:
        arn = request.asked.kinesis_arn
        if arn is None or streams is None:
            return None
        return streams.output(arn, partial(frame_record, request.asked), key=job.id)

    return make
