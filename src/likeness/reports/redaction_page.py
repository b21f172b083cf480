"""The page of what was hidden in clips and pictures, and where a person should look at it."""

from collections.abc import Mapping

from likeness.reports.blocks import Block, Facts, Page, Section, Table, Text
from likeness.reports.pages import write_page
from likeness.service.redact.findings import HiddenSpan, RedactionFindings, VisibleSpan
from likeness.terms import Box

_MOST_ROWS = 2000


def write_redaction(findings: Mapping[str, RedactionFindings]) -> bytes:
    """Give what was hidden in each clip or picture, by its name, as one HTML page."""
    sections = tuple(Section(name, tuple(_blocks(one))) for name, one in findings.items())
    return write_page(
        Page(
            "What was hidden",
            ("No search finds every face: look at the copies before they are shared.",),
            sections,
            (
                "Times are seconds from the beginning of the clip, boxes pixels of its frames.",
                "Made without any request to elsewhere; this page makes none either.",
            ),
        )
    )


def _blocks(findings: RedactionFindings) -> list[Block]:
    facts = (
        ("Frames", f"{findings.frames:,}"),
        ("Hidden, over all frames", f"{findings.regions:,}"),
        *((f"Because {reason}", f"{count:,}") for reason, count in findings.frames_by_reason()),
    )
    places = findings.to_look_at
    blocks: list[Block] = [Facts(facts)]
    if places:
        blocks.append(
            Table(
                "Places to look at",
                ("When", "Where", "Why"),
                tuple(
                    (_when(one), _where(one.box), "; ".join(one.doubts))
                    for one in places[:_MOST_ROWS]
                ),
                _left_out(len(places)),
            )
        )
    else:
        blocks.append(Text("No place stands out as one to look at."))
    if findings.visible:
        blocks.append(
            Table(
                "Who stays visible",
                ("When", "Where", "Who"),
                tuple(
                    (_when(one), _where(one.box), one.called or "nobody who is known")
                    for one in findings.visible[:_MOST_ROWS]
                ),
                _left_out(len(findings.visible)),
            )
        )
    blocks.append(
        Table(
            "All that is hidden",
            ("When", "Where", "Frames", "How it is known", "Why", "Face", "Likely"),
            tuple(
                (
                    _when(one),
                    _where(one.box),
                    f"{one.frames:,}",
                    one.sight.value,
                    one.reason.value,
                    str(one.track + 1),
                    f"{one.confidence:.2f}",
                )
                for one in findings.hidden[:_MOST_ROWS]
            ),
            _left_out(len(findings.hidden)),
            folded=True,
        )
    )
    return blocks


def _when(span: HiddenSpan | VisibleSpan) -> str:
    if span.begins_s == span.ends_s:
        return f"{span.begins_s:.2f}"
    return f"{span.begins_s:.2f} to {span.ends_s:.2f}"


def _where(box: Box) -> str:
    return f"{box.left:.0f},{box.top:.0f} {box.width:.0f}x{box.height:.0f}"


def _left_out(rows: int) -> str:
    if rows <= _MOST_ROWS:
        return ""
    return f"{rows - _MOST_ROWS:,} more are left out: a report in CSV or JSON has all."
