"""`likeness collections sweep`: erase what has been kept long enough."""

from datetime import UTC, datetime

from likeness.cli.certificates import certificate_json, erased_in_words
from likeness.cli.home_alone import home_alone
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import several
from likeness.service.erase.sweep import sweep_collections


def sweep(as_json: AsJson = False) -> None:
    """Erase references past their date or their collection's days, with subjects left without any.

    Erasures that something stood in the way of are finished, too.
    """
    with home_alone(installation(), "let the server do it: it sweeps every hour") as home:
        report = sweep_collections(home.gallery, home.desk, home.somebody, datetime.now(UTC))
    if as_json:
        print_json(
            {
                "at": report.at.isoformat(),
                "subjects": report.subjects,
                "references": report.references,
                "erasures": [certificate_json(one) for one in report.certificates],
            }
        )
        return
    print(
        f"Erased: {several(report.subjects, 'subject')} and"
        f" {several(report.references, 'reference')}."
    )
    for one in report.certificates:
        print(f"  certificate {one.id}: {erased_in_words(one)}")
