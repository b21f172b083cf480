"""What `/v1` serves of a home: review, watches and receipts."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from fastapi import FastAPI, Request

from likeness.app.access import Rows
from likeness.app.review import review_office, watch_office
from likeness.service.receipts import receipt_for
from likeness.service.watched_face import only_face
from likeness.terms.use import Principal
from likeness.v1.application import application
from likeness.v1.served import Served
from likeness.vision.decode import inspect
from likeness.vision.find import FaceFinder


def own_acts(
    rows: Rows,
    finder: FaceFinder,
    authenticate: Callable[[Request], Awaitable[Principal]],
    ready: Callable[[], bool],
) -> FastAPI:
    """Make the application for paths that begin with `/v1/`; it is not to be mounted below one.

    `authenticate` raises `Denied` or an `InputError` where nobody known has signed.
    """
    limits = rows.installation.limits
    return application(
        Served(
            authenticate,
            rows.desk,
            lambda principal, desk: replace(review_office(rows, principal), desk=desk),
            lambda principal, desk: replace(watch_office(rows, principal), desk=desk),
            lambda picture: only_face(finder, inspect(picture, limits)),
            lambda principal, receipt_id: receipt_for(rows.ledger, principal, receipt_id).to_json(),
            rows.ledger.checkpoint,
            ready,
        )
    )
