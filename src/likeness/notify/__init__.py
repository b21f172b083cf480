"""Signed webhooks to addresses that were checked."""

from likeness.notify.addresses import Network, read_networks, read_url, require_reachable
from likeness.notify.webhooks import Webhook, WebhookSecret, WebhookSender

__all__ = [
    "Network",
    "Webhook",
    "WebhookSecret",
    "WebhookSender",
    "read_networks",
    "read_url",
    "require_reachable",
]
