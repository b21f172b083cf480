"""docs/threat-model.md names modules and tests that there are."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "threat-model.md"
NAMED = sorted(set(re.findall(r"`([a-z_0-9/]+\.py)`", PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", NAMED)
def test_what_the_threat_model_names_is_there(name: str) -> None:
    folder = "tests" if Path(name).name.startswith("test_") else "src/likeness"
    assert (REPOSITORY / folder / name).is_file()


def test_every_defence_names_a_module_and_a_test() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| wants")
    ]
    assert len(rows) > 25
    for wants, how, where, tested in rows:
        assert wants and how
        assert re.fullmatch(r"`[a-z_0-9/]+\.py`(, `[a-z_0-9/]+\.py`)*", where)
        assert re.fullmatch(r"`[a-z_0-9/]*test_\w+\.py`(, `[a-z_0-9/]*test_\w+\.py`)*", tested)
