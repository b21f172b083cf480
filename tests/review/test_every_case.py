"""Cases read together: the same as each by itself, in few questions."""

from uuid import uuid4

from likeness.review import (
    Verdict,
    all_judged_by,
    is_own_case,
    numbers_judged_by,
    outcome_of,
    outcomes_of,
    own_case_ids,
)

from .judging import SEARCH, Desk, found, other


def test_cases_read_together_are_as_each_by_itself(desk: Desk) -> None:
    people = found(3)
    first = desk.open(people, reviews=2)
    second = desk.open(people, other(principal_id="key:ada", operation="SearchFaces"))
    third = desk.open(people[:1], other(principal_id="key:ada", probe=b"q" * 32))
    nobody = desk.open([], other(probe=b"n" * 32))
    desk.decide(first, "ben", Verdict.SAME, 1)
    desk.decide(first, "cem", Verdict.NOT_SAME, 1)
    desk.decide(first, "cem", Verdict.NOT_SAME, 2)
    desk.decide(second, "cem", Verdict.NOT_SAME, 3)
    desk.decide(third, "ben", Verdict.NOT_SAME)
    cases = [first, second, third, nobody]
    together = desk.database.read(lambda c: outcomes_of(c, cases))
    assert together == {
        case.id: desk.database.read(lambda c, case=case: outcome_of(c, case)) for case in cases
    }
    assert [one.standing.value for one in together[second.id].candidates][2] == "rejected"
    for who in ("key:ada", "key:ben", "key:cem", SEARCH.principal_id, f"key:{uuid4()}"):
        own = desk.database.read(lambda c, who=who: own_case_ids(c, who))
        judged = desk.database.read(lambda c, who=who: all_judged_by(c, who))
        for case in cases:
            alone = desk.database.read(lambda c, x=case, who=who: is_own_case(c, x, who))
            numbers = desk.database.read(lambda c, x=case, who=who: numbers_judged_by(c, x, who))
            assert (case.id in own, judged.get(case.id, set())) == (alone, numbers)
