"""Makes what tells topics that jobs have ended, and streams what live searches look at."""

from functools import partial

from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.jobs import Job
from likeness.notify import KinesisStreams, SnsTopics
from likeness.rekognition.frame_records import frame_record
from likeness.service.live.asked import LiveRequest
from likeness.service.live.run import MakeOutput
from likeness.service.live.sighting import FrameOutput


def topics_of(settings: Settings) -> SnsTopics | None:
    """Make what publishes to topics; None where no endpoint is set.

    Raises:
        InvalidRequest: the endpoint is none, or its access key is not whole.
    """
    if not settings.sns_endpoint:
        return None
    return SnsTopics(
        settings.sns_endpoint,
        region=settings.sns_region,
        access_key_id=settings.sns_access_key_id.get_secret_value(),
        secret_access_key=settings.sns_secret_access_key.get_secret_value(),
    )


def kinesis_of(settings: Settings) -> KinesisStreams | None:
    """Make what writes to Kinesis data streams; None where no endpoint is set.

    Raises:
        InvalidRequest: the endpoint is none, or its access key is not whole.
    """
    if not settings.kinesis_endpoint:
        return None
    return KinesisStreams(
        settings.kinesis_endpoint,
        region=settings.kinesis_region,
        access_key_id=settings.kinesis_access_key_id.get_secret_value(),
        secret_access_key=settings.kinesis_secret_access_key.get_secret_value(),
    )


def frames_told_by(streams: KinesisStreams | None) -> MakeOutput:
    """Give what tells the data stream that a live search names of its frames, as AWS tells it."""

    def make(job: Job, request: LiveRequest) -> FrameOutput | None:
        asked = request.asked
        if asked.kinesis_arn is None:
            return None
        if streams is None:
            raise InvalidRequest(
                "No Kinesis endpoint is set, so that the search's data stream cannot be told. Have"
                " LIKENESS_KINESIS_ENDPOINT set, and start it again."
            )
        return streams.output(asked.kinesis_arn, partial(frame_record, asked), job.id)

    return make
