"""Numbers in words, and text that is safe to print."""

import pytest

from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.terms import one_in


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1.0, "100 in 100"),
        (0.314, "31 in 100"),
        (0.1, "10 in 100"),
        (0.05, "1 in 20"),
        (1e-3, "1 in 1,000"),
        (2.0833e-5, "1 in 48,000"),
        (1e-6, "1 in 1,000,000"),
    ],
)
def test_a_rate_is_said_as_people_say_it(rate: float, words: str) -> None:
    assert one_in(rate) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces")])
def test_nouns_follow_their_number(count: int, words: str) -> None:
    assert several(count, "face") == words


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Zoë 李 😀 [bold]", "Zoë 李 😀 [bold]"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r", r"two\nlines\r"),
        ("turned \u202eround", r"turned \u202eround"),
        ("bytes \udcff", r"bytes \udcff"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, safe: str) -> None:
    assert plain(text) == safe
