"""What `likeness redact --report` writes: CSV and JSON frame by frame, HTML for people."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.output_file import check_output, private_output
from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import as_text
from likeness.service.redact.findings import DoubtfulPlace, RedactionFindings, VisibleSpan
from likeness.terms import Box, Image
from likeness.video import Moment
from likeness.vision.contact_sheet import contact_sheet, shrunk
from likeness.vision.encode import SUFFIXES, picture_bytes

_MOST_ON_SHEET = 240

_COLUMNS = (
    "source",
    "time_s",
    "what",
    "track",
    "left",
    "top",
    "right",
    "bottom",
    "sight",
    "reason",
    "confidence",
    "called",
)


class Report(Protocol):
    """Is told what is hidden, frame by frame."""

    def frame(self, source: str, time_s: float, moment: Moment) -> None:
        """Take in a frame of a clip, or a picture."""

    def end(self, source: str, findings: RedactionFindings) -> None:
        """Take in what came of a whole clip or picture."""


@contextmanager
def report_to(path: Path | None) -> Iterator[Report | None]:
    """Give what writes a report of the sort that a name asks for; None without one.

    It is there when all is written, and nobody but its owner may read it: it names people.

    Raises:
        InvalidRequest: it cannot be written.
    """
    if path is None:
        yield None
        return
    make = _REPORTS.get(path.suffix.lower())
    if make is None:
        raise InvalidRequest(
            f"'{path}' is no name for a report. Give one that ends in .html, .csv or .json."
        )
    check_output(path)
    with ExitStack() as opened:
        file = opened.enter_context(private_output(path))
        yield opened.enter_context(make(file))


@contextmanager
def _csv(file: BinaryIO) -> Iterator[Report]:
    text = io.TextIOWrapper(
        file, "utf-8", errors="backslashreplace", newline="", write_through=True
    )
    table = csv.writer(text)
    table.writerow(_COLUMNS)

    def write(source: str, rows: list[Json]) -> None:
        for row in rows:
            cells = (source, *row.values())
            table.writerow([as_text(one) if isinstance(one, str) else one for one in cells])

    yield _Rows(write)
    text.detach()


class _Rows:
    """A row for everything that is hidden, or stays visible, in a frame."""

    def __init__(self, write: Callable[[str, list[Json]], object]) -> None:
        self._write = write

    def frame(self, source: str, time_s: float, moment: Moment) -> None:
        self._write(source, _rows(time_s, moment))

    def end(self, source: str, findings: RedactionFindings) -> None:
        """Nothing more."""


@contextmanager
def _json(file: BinaryIO) -> Iterator[Report]:
    report = _Json(file)
    yield report
    report.finish()


class _Json:
    """One document, written as it grows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sources: list[Json] = []
        self._write('{"frames": [')
        self._first = True

    def frame(self, source: str, time_s: float, moment: Moment) -> None:
        """Write a frame."""
        frame = {"source": source, "time_s": round(time_s, 4), "faces": _rows(time_s, moment)}
        self._write(("\n" if self._first else ",\n") + json.dumps(frame))
        self._first = False

    def end(self, source: str, findings: RedactionFindings) -> None:
        """Keep what a person should look at."""
        self._sources.append(
            {
                "source": source,
                "frames": findings.frames,
                "hidden": findings.regions,
                "to_look_at": [_place_json(one) for one in findings.to_look_at],
                "visible": [_visible_json(one) for one in findings.visible],
            }
        )

    def finish(self) -> None:
        """End the document."""
        self._write(f'\n], "sources": {json.dumps(self._sources, indent=2)}}}\n')

    def _write(self, text: str) -> None:
        self._file.write(text.encode())


@contextmanager
def _html(file: BinaryIO) -> Iterator[Report]:
    # Whoever wants no page does not wait for what makes one.
    from likeness.reports import write_redaction

    page = _Page()
    yield page
    file.write(write_redaction(page.findings))


class _Page:
    def __init__(self) -> None:
        self.findings: dict[str, RedactionFindings] = {}

    def frame(self, source: str, time_s: float, moment: Moment) -> None:
        """Nothing: spans are enough for people."""

    def end(self, source: str, findings: RedactionFindings) -> None:
        self.findings[source] = findings


_REPORTS: dict[str, Callable[[BinaryIO], AbstractContextManager[Report]]] = {
    ".csv": _csv,
    ".json": _json,
    ".html": _html,
}


class Sheet:
    """The sheet of what stays visible, that is written to a file; or to none.

    Raises:
        InvalidRequest: it cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            if path.suffix.lower() not in SUFFIXES:
                raise InvalidRequest(
                    f"'{path}' is no name for a picture. Give one that ends in .jpg or .png."
                )
            check_output(path)
        self._path = path
        self._pictures: list[tuple[Image, str]] = []

    @property
    def wanted(self) -> bool:
        """Whether there is to be one."""
        return self._path is not None

    def add(self, image: Image, line: str) -> None:
        """Put a picture on it, as small as it will be there; beyond a few hundred, none."""
        if self.wanted and len(self._pictures) < _MOST_ON_SHEET:
            self._pictures.append((shrunk(image), line))

    def write(self) -> None:
        """Write it, for nobody else to read; where nothing is on it, there is none."""
        if self._path is None or not self._pictures:
            return
        content = picture_bytes(contact_sheet(self._pictures), self._path.suffix)
        with private_output(self._path) as file:
            file.write(content)


def _rows(time_s: float, moment: Moment) -> list[Json]:
    hidden = [
        {
            "time_s": round(time_s, 4),
            "what": "hidden",
            "track": one.track + 1,
            **_box_json(one.region.box),
            "sight": one.sight.value,
            "reason": one.reason.value,
            "confidence": round(one.confidence, 3),
            "called": None,
        }
        for one in moment.hidden
    ]
    shown = [
        {
            "time_s": round(time_s, 4),
            "what": "visible",
            "track": None,
            **_box_json(one.box),
            "sight": None,
            "reason": None,
            "confidence": None,
            "called": one.called,
        }
        for one in moment.shown
    ]
    return hidden + shown


def _place_json(place: DoubtfulPlace) -> Json:
    return {
        "from_s": round(place.begins_s, 4),
        "to_s": round(place.ends_s, 4),
        "frames": place.frames,
        "track": place.track + 1,
        "box": _box_json(place.box),
        "why": [one.value for one in place.doubts],
    }


def _visible_json(span: VisibleSpan) -> Json:
    return {
        "from_s": round(span.begins_s, 4),
        "to_s": round(span.ends_s, 4),
        "frames": span.frames,
        "box": _box_json(span.box),
        "called": span.called,
    }


def _box_json(box: Box) -> Json:
    return {side: round(getattr(box, side), 1) for side in ("left", "top", "right", "bottom")}
