"""Makes what tells topics that jobs have ended, and streams what live searches look at."""

from likeness.config import Settings
from likeness.notify import KinesisStreams, SnsTopics


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
