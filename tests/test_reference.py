"""docs/api.md is what the docstrings say."""

import likeness
from tools.reference import PAGE, reference


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "`make docs` writes docs/api.md anew"


def test_every_public_name_is_described() -> None:
    page = reference()
    for name in set(likeness.__all__) - {"__version__"}:
        (described,) = [part for part in page.split("\n### ") if part.startswith(f"`{name}`\n")]
        assert len(described.split()) > 3
