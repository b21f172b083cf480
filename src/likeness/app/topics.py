"""Makes what tells topics that jobs have ended."""

from likeness.config import Settings
from likeness.notify import SnsTopics


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
