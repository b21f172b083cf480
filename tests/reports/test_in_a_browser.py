"""What a browser makes of a whole report: it fits, asks for nothing, and prints."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from likeness.reports import write_attributes, write_changes, write_coverage, write_html
from likeness.service.evaluate.attributes.audit import Answers, audit_answers
from likeness.service.evaluate.attributes.predictions import read_predictions
from likeness.service.evaluate.cards.card import card_of_report
from likeness.service.evaluate.coverage.cover import cover
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.readers import DataDescription, read_labels
from tests.reports.browser import Browser, find_chromium
from tests.reports.made_up import findings, report
from tests.reports.test_pages import read

pytestmark = [pytest.mark.services, pytest.mark.slow]

_LEAST_CONTRAST = 4.5
# Relative luminance as WCAG 2 defines it, and the contrast of each text with what lies behind it.
_CONTRASTS = """
(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(
      c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("p, td, th, dt, dd, li, a, small, figcaption")].map(one => {
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }).reduce((a, b) => Math.min(a, b));
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with Browser(program) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(write_html(report("Ours", "Theirs")))
    return path


def _of_attributes(folder: Path) -> bytes:
    names = [(f"{number}.jpg", ("f", "m")[number % 2], "abc"[number % 3]) for number in range(300)]
    labels, answers = folder / "labels.csv", folder / "answers.csv"
    labels.write_text("path,sex,skin\n" + "".join(f"{','.join(row)}\n" for row in names))
    said = (f"{name},{'m' if skin == 'a' else sex},{60 + len(name)}" for name, sex, skin in names)
    answers.write_text("path,predicted,confidence\n" + "\n".join(said) + "\n")
    system = SystemFacts("a vendor", "answers", "not stated")
    report = audit_answers(
        read_labels(labels),
        "sex",
        [Answers(system, read_predictions(answers, "sex"))],
        by=["skin"],
        made_at=datetime(2026, 11, 29, tzinfo=UTC),
        made_by="tests",
    )
    return write_attributes(report)


def _of_coverage(folder: Path) -> bytes:
    for number in range(60):
        (folder / f"{number}.jpg").write_bytes(b"\xff\xd8\xff" + bytes([number]))
    rows = [f"{number}.jpg,{number // 2},{'abc'[number % 3]},long words" for number in range(60)]
    manifest = folder / "people.csv"
    manifest.write_text("path,subject,region,a column with a long name\n" + "\n".join(rows) + "\n")
    said = DataDescription("people", "1", "made up", "nobody")
    plan, _ = read_data(DataSource(path=manifest, root=None, labels=None, description=said))
    report = cover(plan, None, made_at=datetime(2026, 11, 29, tzinfo=UTC), made_by="tests")
    return write_coverage(report)


def _of_changes(folder: Path) -> bytes:
    old, new = report("Likeness"), replace(report("Likeness"), findings=(findings("Other"),))
    return write_changes(card_of_report(old, b"old"), card_of_report(new, b"new"))


@pytest.mark.parametrize("write", [_of_attributes, _of_coverage, _of_changes])
def test_every_kind_of_page_fits_a_telephone(
    browser: Browser, tmp_path: Path, write: Callable[[Path], bytes]
) -> None:
    html = write(tmp_path)
    checked = read(html)
    assert checked.wrong == [] and checked.open == []
    page = tmp_path / "page.html"
    page.write_bytes(html)
    browser.open(page, width=390)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []
    assert browser.evaluate(_CONTRASTS) >= _LEAST_CONTRAST


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_a_page_never_scrolls_to_the_side(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_it_asks_nobody_and_its_policy_stands_in_no_way(browser: Browser, page: Path) -> None:
    browser.open(page, width=1280)
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []
    # Its styles were allowed by their hash.
    assert browser.evaluate("getComputedStyle(document.querySelector('dl')).margin") == "12px 0px"


def test_a_script_that_got_in_would_not_run(browser: Browser, page: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    script = (
        b"<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"
    )
    bad.write_bytes(page.read_bytes().replace(b"<main>", b"<main>" + script))
    browser.open(bad, width=1280)
    assert browser.evaluate("document.title") == "Audit of made-up people"
    assert len(browser.complaints) >= 2 and all("Policy" in one for one in browser.complaints)


@pytest.mark.parametrize("dark", [False, True])
def test_letters_stand_out(browser: Browser, page: Path, dark: bool) -> None:
    browser.open(page, width=1280, dark=dark)
    assert browser.evaluate(_CONTRASTS) >= _LEAST_CONTRAST


@pytest.mark.parametrize("dark", [False, True])
def test_drawings_have_the_colours_of_the_page(browser: Browser, page: Path, dark: bool) -> None:
    browser.open(page, width=1280, dark=dark)
    ink = browser.evaluate("getComputedStyle(document.body).color")
    letters = browser.evaluate(
        "[...document.querySelectorAll('.plot text')].map(one => getComputedStyle(one).fill)"
    )
    assert ink in letters and "rgb(0, 0, 1)" not in letters


def test_it_prints(browser: Browser, page: Path) -> None:
    browser.open(page, width=1280, dark=True)
    pdf = browser.print_pdf()
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") >= 5
