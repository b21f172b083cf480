"""Signed webhooks to addresses that were checked, and SNS topics."""

from likeness.notify.sns import SnsTopics
from likeness.notify.webhooks import (
    Webhook,
    WebhookSecret,
    WebhookSender,
    read_url,
    require_reachable,
)

__all__ = [
    "SnsTopics",
    "Webhook",
    "WebhookSecret",
    "WebhookSender",
    "read_url",
    "require_reachable",
]
