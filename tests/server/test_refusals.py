"""What is refused for everybody's sake: counted at once, and logged calmly."""

import logging
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from likeness.server import Metrics, Refusal, Refusals


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    fields = [record.__dict__["fields"] for record in caplog.records]
    return [(one["reason"], one["count"]) for one in fields]


def test_a_flood_of_refusals_is_a_line_a_minute_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "likeness.server")
    registry, now_s = CollectorRegistry(), [0.0]
    with Refusals(Metrics(registry), lambda: now_s[0]) as refusals:
        for second in range(150):
            now_s[0] = float(second)
            for _ in range(10):
                refusals.count(Refusal.SLOW_HEAD)
        refusals.count(Refusal.CONNECTIONS)
        assert told(caplog) == [
            ("slow-head", 1),
            ("slow-head", 600),
            ("slow-head", 600),
            ("connections", 1),
        ]
    assert told(caplog)[-1] == ("slow-head", 299)
    total = registry.get_sample_value("likeness_refusals_total", {"reason": "slow-head"})
    assert total == 1500


def test_the_last_refusals_are_logged_without_another_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = [0.0]
    with Refusals(Metrics(CollectorRegistry()), lambda: now_s[0]) as refusals:
        for _ in range(3):
            refusals.count(Refusal.CONNECTIONS)
        assert told(caplog) == [("connections", 1)]
        now_s[0] = 60.0
        refusals.tell()  # as its timer does
        assert told(caplog) == [("connections", 1), ("connections", 2)]


@pytest.mark.parametrize("reason", Refusal)
def test_every_reason_is_documented(reason: Refusal) -> None:
    page = Path(__file__).parents[2] / "docs" / "server.md"
    assert f"| `{reason.value}` | " in page.read_text(encoding="utf-8")
