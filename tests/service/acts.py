"""The rows of a home as acts need them, of whatever a test has."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from likeness.service.uses.home import Rows
from likeness.terms import Principal, Role

SOMEBODY = Principal("local:server", Role.ADMIN)


def rows_of(database: Any, keyring: Any, desk: Any, **parts: Any) -> Rows:
    """Put rows together; what a test does not give is not there."""
    given: dict[str, Any] = {
        "ledger": SimpleNamespace(),
        "collections": None,
        "freshness": None,
        "standards": None,
        "templates_of": None,
        "calibration_of": None,
        "load_finder": None,
        "model_of": None,
        "limits": None,
        "keeps_crops": True,
        "scores_hidden": False,
        "webhook_networks": (),
        "somebody": SOMEBODY,
        "clock": lambda: datetime.now(UTC),
        **parts,
    }
    return Rows(database=database, keyring=keyring, desk=desk, **given)
