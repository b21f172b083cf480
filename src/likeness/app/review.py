"""Review and standing searches of a home: offices as the settings want them."""

from functools import partial

from likeness.app.access import Rows
from likeness.app.collections import calibration_of
from likeness.config import Settings
from likeness.notify import WebhookSender, read_networks
from likeness.service.review.review_office import ReviewOffice
from likeness.service.watch.watch_office import WatchOffice
from likeness.terms import Principal


def review_office(rows: Rows, principal: Principal) -> ReviewOffice:
    """Make where a principal works on cases."""
    hidden = rows.installation.settings.review_scores == "hidden"
    return ReviewOffice(rows.database, rows.keyring, rows.collections, rows.desk, principal, hidden)


def watch_office(rows: Rows, principal: Principal) -> WatchOffice:
    """Make where a principal keeps watches.

    Raises:
        InvalidRequest: `LIKENESS_WEBHOOK_NETWORKS` holds something that is no network.
    """
    installation = rows.installation
    return WatchOffice(
        rows.database,
        rows.keyring,
        rows.desk,
        rows.collections,
        partial(calibration_of, rows),
        principal,
        keeps_crops=installation.settings.crops == "on",
        webhook_networks=read_networks(installation.settings.webhook_networks),
    )


def webhook_sender(settings: Settings) -> WebhookSender:
    """Make what sends notices.

    Raises:
        InvalidRequest: `LIKENESS_WEBHOOK_NETWORKS` holds something that is no network.
    """
    return WebhookSender(read_networks(settings.webhook_networks))
