"""Who stays visible in a clip by the people of a collection, of frames that a test gives it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from likeness.errors import Denied
from likeness.service.govern.ledger import entries_about
from likeness.service.redact import people as following
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.clips import Visible
from likeness.service.redact.known import ClipPart, visible_by_collection
from likeness.service.uses import Caller, Home
from likeness.terms import Image
from likeness.video import Frame, Reason
from tests.cli.disc_clips import frame
from tests.service.people import BLUE, RED
from tests.service.video.street import caller, employ, rule
from tests.service.video.test_search_jobs import FORBIDDEN, OWED

STEP_S = 0.1
SECONDS = 2.5


class Filmed:
    """Frames of Rosa at the left, and of somebody unknown at the right."""

    clip = SimpleNamespace(duration_s=SECONDS)

    def __iter__(self) -> Iterator[Frame]:
        for number in range(round(SECONDS / STEP_S)):
            pixels = frame((RED, 100 + number / 4, 120), (BLUE, 330 + number / 4, 120))
            thumbnail = cv2.resize(pixels, (64, 36), interpolation=cv2.INTER_AREA)
            image = Image.of(pixels)
            yield Frame(number, number * STEP_S, np.asarray(thumbnail, np.uint8), image)


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home that knows Rosa, where rules change at once and every clip shows the same."""

    @contextmanager
    def reading(*unused: object) -> Iterator[Filmed]:
        yield Filmed()

    monkeypatch.setattr(following, "reading", reading)
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    employ(sqlite_home, tmp_path)
    return sqlite_home


def visible(home: Home, whom: Whom, by: Caller | None = None) -> Visible:
    part = ClipPart(file=io.BytesIO(b"a clip"))
    return visible_by_collection(home, by or caller(home), "staff", part, whom, Manner())


def test_who_is_known_stays_visible_and_nobody_else_does(home: Home) -> None:
    seen = visible(home, Whom.ALL_BUT)
    rosa, stranger = sorted(seen.named, key=lambda one: float(one.path[0, 1]))
    assert rosa.called == "Rosa"
    assert sum(one.ends_s - one.begins_s for one in rosa.shown) > SECONDS / 2
    assert (stranger.called, stranger.shown, stranger.reason) == (None, (), Reason.STRANGER)


def test_who_is_asked_for_is_hidden_and_others_are_not(home: Home) -> None:
    seen = visible(home, Whom.ONLY)
    rosa, stranger = sorted(seen.named, key=lambda one: float(one.path[0, 1]))
    assert (rosa.shown, rosa.reason) == ((), Reason.ASKED)
    assert sum(one.ends_s - one.begins_s for one in stranger.shown) > SECONDS / 2


def test_it_is_a_use_on_record_that_rules_may_refuse(home: Home) -> None:
    by = caller(home, "redact")
    visible(home, Whom.ALL_BUT, by)
    (whole,) = entries_about(home, by.proof.receipt or "")
    assert whole.entry.use.operation == "redact"
    assert "clip_sha256" in whole.entry.details
    assert whole.entry.counts["faces"] == 2
    rule(home, FORBIDDEN)
    with pytest.raises(Denied):
        visible(home, Whom.ALL_BUT)


def test_whom_people_have_to_look_at_first_is_hidden(home: Home) -> None:
    rule(home, OWED)
    with pytest.raises(Denied):  # no picture is kept to look at
        visible(home, Whom.ALL_BUT)
