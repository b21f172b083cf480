"""What `/v1` serves of a home: review, watches and receipts."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import FastAPI, Request

from likeness.app.access import Rows
from likeness.app.review import review_office, watch_office
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
            partial(review_office, rows),
            partial(watch_office, rows),
            lambda picture: only_face(finder, inspect(picture, limits)),
            lambda receipt_id: rows.ledger.receipt(receipt_id).to_json(),
            ready,
        )
    )
