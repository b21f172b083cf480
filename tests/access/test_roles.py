"""What each role may do at all: every cell of the table in docs/keys.md."""

from pathlib import Path

import pytest

from likeness.access import may
from likeness.terms import Action, Role

DOCUMENT = Path(__file__).parents[2] / "docs" / "keys.md"

#                    admin operator reviewer auditor client
TABLE = {
    Action.DETECT: "yes yes no no yes",
    Action.COMPARE: "yes yes no no yes",
    Action.SEARCH: "yes yes no no yes",
    Action.ENROL: "yes yes no no yes",
    Action.WATCH: "yes yes no no no",
    Action.READ: "yes yes yes no yes",
    Action.ERASE: "yes yes no no yes",
    Action.ARRANGE: "yes yes no no yes",
    Action.REVIEW: "yes yes yes no no",
    Action.AUTHORISE: "yes no no no no",
    Action.AUDIT: "yes yes no yes no",
    Action.GOVERN: "yes no no no no",
}


@pytest.mark.parametrize("action", Action)
def test_each_role_may_what_the_table_says(action: Action) -> None:
    roles = (Role.ADMIN, Role.OPERATOR, Role.REVIEWER, Role.AUDITOR, Role.CLIENT)
    assert set(roles) == set(Role)
    said = dict(zip(roles, TABLE[action].split(), strict=True))
    assert {role: "yes" if may(role, action) else "no" for role in Role} == said


@pytest.mark.parametrize("action", Action)
def test_the_table_is_documented(action: Action) -> None:
    cells = " | ".join(TABLE[action].split())
    assert f"| `{action}` | {cells} |" in DOCUMENT.read_text()
