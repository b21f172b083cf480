"""What `/v1` is made of, once for all callers."""

from pathlib import Path
from typing import Any, cast

from likeness.app.access import Rows
from likeness.app.installation import Installation
from likeness.app.serving import own_acts
from likeness.config import Settings
from likeness.server.lanes import Lane
from likeness.terms import Principal, Role


def test_what_is_read_of_cohorts_serves_every_caller(tmp_path: Path) -> None:
    ada, bob = (Principal(f"key:{name}", Role.ADMIN) for name in ("ada", "bob"))
    settings = Settings(home=tmp_path / "home", cache=tmp_path / "cache")
    settings.home.mkdir()
    with Rows(Installation(settings)) as rows:
        acts = own_acts(rows, cast(Any, None), cast(Lane, None), lambda: True)
        hers, his = (acts.watches(one, rows.desk) for one in (ada, bob))
        assert (hers.principal, his.principal) == (ada, bob)
        assert hers.collections is his.collections
