"""The page of what was hidden in clips and pictures, and where a person should look at it."""

from collections.abc import Mapping, Sequence

from likeness.reports.blocks import Block, Facts, Page, Section, Table, Text
from likeness.reports.pages import write_page
from likeness.service.redact.findings import (
    DoubtfulPlace,
    HiddenSpan,
    RedactionFindings,
    VisibleSpan,
)
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
                "When: seconds from a clip's beginning. Where: left,top widthxheight, in pixels.",
                "Made without any request to elsewhere; this page makes none either.",
            ),
        )
    )


def _blocks(findings: RedactionFindings) -> list[Block]:
    # A picture has one frame, of which there is nothing to count and no time to tell.
    still = findings.frames == 1
    facts = (
        *(() if still else (("Frames", f"{findings.frames:,}"),)),
        ("Hidden" if still else "Hidden, over all frames", f"{findings.regions:,}"),
        *((f"Because {reason}", f"{count:,}") for reason, count in findings.frames_by_reason()),
    )
    places = findings.to_look_at
    blocks: list[Block] = [Facts(facts)]
    if places:
        blocks.append(
            _table(
                "Places to look at",
                [
                    {"When": _when(one), "Where": _where(one.box), "Why": "; ".join(one.doubts)}
                    for one in places
                ],
                still,
            )
        )
    else:
        blocks.append(Text("No place stands out as one to look at."))
    if findings.visible:
        blocks.append(
            _table(
                "Who stays visible",
                [
                    {
                        "When": _when(one),
                        "Where": _where(one.box),
                        "Who": one.called or "nobody who is known",
                    }
                    for one in findings.visible
                ],
                still,
            )
        )
    if findings.hidden:
        blocks.append(
            _table(
                "All that is hidden",
                [
                    {
                        "When": _when(one),
                        "Where": _where(one.box),
                        "Frames": f"{one.frames:,}",
                        "How it is known": one.sight.value,
                        "Why": one.reason.value,
                        "Face": str(one.track + 1),
                        "Likely": f"{one.confidence:.2f}",
                    }
                    for one in findings.hidden
                ],
                still,
                folded=True,
            )
        )
    return blocks


def _table(
    caption: str, rows: Sequence[Mapping[str, str]], still: bool, *, folded: bool = False
) -> Table:
    """Give a table of rows that have the same columns, without those that tell time if still."""
    columns = tuple(one for one in rows[0] if not (still and one in ("When", "Frames")))
    cells = tuple(tuple(row[one] for one in columns) for row in rows[:_MOST_ROWS])
    return Table(caption, columns, cells, _left_out(len(rows)), folded=folded)


def _when(span: HiddenSpan | DoubtfulPlace | VisibleSpan) -> str:
    if span.begins_s == span.ends_s:
        return f"{span.begins_s:.2f}"
    return f"{span.begins_s:.2f} to {span.ends_s:.2f}"


def _where(box: Box) -> str:
    return f"{box.left:.0f},{box.top:.0f} {box.width:.0f}x{box.height:.0f}"


def _left_out(rows: int) -> str:
    if rows <= _MOST_ROWS:
        return ""
    return f"{rows - _MOST_ROWS:,} more are left out: a report in CSV or JSON has all."
