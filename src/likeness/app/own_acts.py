"""What `/v1` serves of a home: review, watches and receipts."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from fastapi import FastAPI, Request

from likeness.app.access import Rows
from likeness.app.review import review_office, watch_office
from likeness.gallery import Collection
from likeness.rekognition.application import Application
from likeness.rekognition.faults import AwsError
from likeness.service.uses.receipts import receipt_for
from likeness.service.watch.watched_face import only_face
from likeness.terms import Principal
from likeness.v1.acts import Acts, PictureLane
from likeness.v1.application import application
from likeness.v1.problems import Problem
from likeness.vision.decode import inspect
from likeness.vision.find import FaceFinder

T = TypeVar("T")


def own_acts(
    rows: Rows,
    finder_of: Callable[[Collection], FaceFinder],
    authenticate: Callable[[Request], Awaitable[Principal]],
    picture_lane: PictureLane,
    ready: Callable[[], bool],
) -> FastAPI:
    """Make the application for paths that begin with `/v1/`; it is not to be mounted below one.

    `authenticate` raises `Denied` or an `InputError` where nobody known has signed.
    """
    limits = rows.installation.limits
    # Made once: what a watch's office has read of cohorts serves the next caller, too.
    review, watches = review_office(rows, rows.somebody), watch_office(rows, rows.somebody)
    return application(
        Acts(
            authenticate,
            rows.desk,
            lambda principal, desk: replace(review, principal=principal, desk=desk),
            lambda principal, desk: replace(watches, principal=principal, desk=desk),
            lambda collection, picture: only_face(finder_of(collection), inspect(picture, limits)),
            picture_lane,
            lambda principal, receipt_id: receipt_for(rows.ledger, principal, receipt_id).to_json(),
            rows.ledger.checkpoint,
            ready,
        )
    )


def picture_lane_of(wire: Application) -> PictureLane:
    """Let `/v1` work on pictures where Rekognition's operations do, within the same bounds."""

    async def run(act: Callable[[], T]) -> T:
        try:
            return await wire.in_picture_lane(act)
        except AwsError as error:
            late = error.status >= 500
            raise Problem(
                503 if late else 429, "Fault" if late else "TooManyRequests", error.message
            ) from error

    return run
