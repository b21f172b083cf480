"""Judge answers about an attribute by labels: words by what they mean, ages by their years."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import years_between
from likeness.service.evaluate.ages import Years, are_ages, years_of

_WITHIN_YEARS = 5.0
_SAME_WORDS = (
    ("female", {"f", "female", "woman", "women", "girl"}),
    ("male", {"m", "male", "man", "men", "boy"}),
)


def _meaning(word: str) -> str:
    word = " ".join(word.casefold().split())
    return next((meant for meant, words in _SAME_WORDS if word in words), word)


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Which of n answers are wrong, (n,) bool; a missing one is not.

    `years_off` is (n,) float64, how many years answers lie above the truth, NaN where that is not
    known; None of words. `rule` says what is right, `notes` what else a reader has to know.
    """

    wrong: NDArray[np.bool_]
    years_off: NDArray[np.float64] | None
    rule: str
    notes: tuple[str, ...]


def judge(
    truths: Sequence[str], answers: Sequence[str], attribute: str, within: float | None
) -> Verdicts:
    """Judge answers, of which empty ones are missing, by labels.

    Args:
        truths: (n,) labels.
        answers: (n,) answers.
        attribute: what messages call it.
        within: how many years an answer may be off; by default none where either names a range.

    Raises:
        InvalidRequest: no answer has anything to do with the labels.
    """
    if are_ages(truths):
        return _judge_ages(truths, answers, within)
    return _judge_words(truths, answers, attribute)


def _judge_words(truths: Sequence[str], answers: Sequence[str], attribute: str) -> Verdicts:
    labels = {_meaning(truth) for truth in truths}
    given = Counter(answer for answer in answers if answer)
    foreign = [answer for answer in given if _meaning(answer) not in labels]
    if given and len(foreign) == len(given):
        raise InvalidRequest(
            f"No answer is a label: answers are such as '{given.most_common(1)[0][0]}', labels in"
            f" '{attribute}' such as '{truths[0]}'. Write both alike."
        )
    notes: tuple[str, ...] = ()
    if foreign:
        count = sum(given[answer] for answer in foreign)
        notes = (
            f"{count:,} answers are words that no label is, such as '{foreign[0]}'. They count as"
            " wrong.",
        )
    wrong = [
        bool(answer) and _meaning(answer) != _meaning(truth)
        for truth, answer in zip(truths, answers, strict=True)
    ]
    rule = (
        "An answer is right if it is the label's word; case does not count, and neither do short"
        " forms such as F and M."
    )
    return Verdicts(np.array(wrong), None, rule, notes)


def _judge_ages(truths: Sequence[str], answers: Sequence[str], within: float | None) -> Verdicts:
    true = [years for truth in truths if (years := years_of(truth))]
    given = [years_of(answer) if answer else None for answer in answers]
    read = [years or Years(np.nan, np.nan) for years in given]
    answered = np.array([bool(answer) for answer in answers])
    known = np.array([years is not None for years in given])
    if answered.any() and not known.any():
        raise InvalidRequest("No answer is an age or a range of ages. Write 34 or 20-28.")
    middles = [Years(years.middle, years.middle) for years in read]
    if any(low < high for low, high in true):
        # Somebody of 29 years and 11 months is of the band 20-29.
        true = [Years(low, high + 0.999 if low < high else high) for low, high in true]
        read = middles
        allowed = within or 0.0
        rule = "An answer is right if the middle of the ages that it names lies in the label's band"
    elif any(years.low < years.high for years in read):
        allowed = within or 0.0
        rule = "An answer is right if the true age is among the ages that it names"
    else:
        allowed = _WITHIN_YEARS if within is None else within
        rule = "An answer is right if it is the true age"
    rule += f", or no more than {allowed:g} years off." if allowed else "."
    off = np.abs(years_between(np.array(read), np.array(true)))
    wrong = answered & ~(off <= allowed + 1e-9)  # what is not known is wrong, too
    notes: tuple[str, ...] = ()
    if unread := int(np.count_nonzero(answered & ~known)):
        such = next(
            answer for answer, years in zip(answers, given, strict=True) if answer and not years
        )
        notes = (f"{unread:,} answers are no age, such as '{such}'. They count as wrong.",)
    return Verdicts(wrong, years_between(np.array(middles), np.array(true)), rule, notes)
