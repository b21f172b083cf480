"""`likeness doctor`: what is here, what is missing, and the command that mends it."""

import textwrap
from dataclasses import asdict

import typer

from likeness.cli.examination import examine
from likeness.cli.finding import Finding
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import Artifacts, AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.errors import ArtifactUnavailable, InvalidRequest


def _findings(artifacts: str | None) -> list[Finding]:
    """Look at everything, without the folder of artifacts where that cannot be used."""
    try:
        return examine(installation(artifacts=artifacts))
    except (InvalidRequest, ArtifactUnavailable) as error:
        findings = examine(installation(artifacts=""))
        return [Finding("artifacts folder", str(error), well=False), *findings]


def doctor(as_json: AsJson = False, artifacts: Artifacts = None) -> None:
    """Say what is here, what is missing and what mends it; exit code 2 when something is.

    Nothing is fetched or written.
    """
    findings = _findings(artifacts)
    well = all(finding.well for finding in findings)
    if as_json:
        print_json({"well": well, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            sign = "  " if finding.well else "! "
            words = f"{sign}{finding.subject}: {plain(finding.state)}"
            print(textwrap.fill(words, 79, subsequent_indent="    "))
            if finding.mend:
                # A command may be copied, so it is not broken into lines.
                print(f"    to mend it: {finding.mend}")
        print("All is well." if well else "Something is missing; see the lines marked with !.")
    raise typer.Exit(ExitCode.DONE if well else ExitCode.USED_WRONGLY)
