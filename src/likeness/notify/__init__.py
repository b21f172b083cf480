"""Signed webhooks to addresses that were checked, SNS topics, and Kinesis data streams."""

from likeness.notify.kinesis import KinesisOutput, KinesisStreams, checked_stream_arn
from likeness.notify.sns import SnsTopics
from likeness.notify.webhooks import (
    Webhook,
    WebhookSecret,
    WebhookSender,
    read_url,
    require_reachable,
)

__all__ = [
    "KinesisOutput",
    "KinesisStreams",
    "SnsTopics",
    "Webhook",
    "WebhookSecret",
    "WebhookSender",
    "checked_stream_arn",
    "read_url",
    "require_reachable",
]
