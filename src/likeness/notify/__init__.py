"""Signed webhooks to addresses that were checked, and SNS topics."""

from likeness.notify.addresses import Network, read_networks, read_url, require_reachable
from likeness.notify.sns import SnsTopics
from likeness.notify.webhooks import Webhook, WebhookSecret, WebhookSender

__all__ = [
    "Network",
    "SnsTopics",
    "Webhook",
    "WebhookSecret",
    "WebhookSender",
    "read_networks",
    "read_url",
    "require_reachable",
]
