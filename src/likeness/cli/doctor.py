"""`likeness doctor`: what is here, what is missing, and the command that mends it.

Nothing is fetched, written or made: a home that is not there yet is left so, and one that is open
stays with whoever has it open.
"""

import os
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from likeness.app.examination import examine
from likeness.cli.doctor_client import IGNORED, IN_CODE, OWN, clients_here, endpoint_of
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import Artifacts, AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.errors import ArtifactUnavailable, InvalidRequest
from likeness.service.govern.health import Finding


def doctor(
    client: Annotated[
        bool,
        typer.Option(
            "--client",
            help="Look at the AWS clients of this machine and of the current folder instead: which"
            " of them come to Likeness, and which go to Amazon.",
        ),
    ] = False,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Say what is here, what is missing and what mends it; exit code 2 when something is.

    Nothing is fetched or written.
    """
    findings = list(_of_clients()) if client else _findings(artifacts)
    well = all(finding.well for finding in findings)
    if as_json:
        print_json({"well": well, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            sign = "  " if finding.well else "! "
            words = f"{sign}{plain(finding.subject)}: {plain(finding.state)}"
            print(textwrap.fill(words, 79, subsequent_indent="    "))
            if finding.mend:
                # A command may be copied, so it is not broken into lines.
                print(f"    to mend it: {finding.mend}")
        print("All is well." if well else "Something is missing; see the lines marked with !.")
    raise typer.Exit(ExitCode.DONE if well else ExitCode.USED_WRONGLY)


def _mend_of_endpoint() -> str:
    """Give the command after which clients that read the variable come here."""
    export = f"export {OWN}=http://127.0.0.1:8020"
    return f"unset {IGNORED}; {export}" if IGNORED in os.environ else export


def _of_clients() -> Iterator[Finding]:
    """Look at the AWS clients of this machine, and where they go."""
    endpoint = endpoint_of(os.environ)
    yield Finding(
        "endpoint",
        f"{endpoint.address or 'Amazon'} ({endpoint.why}), for clients that read the variable",
        well=endpoint.address is not None,
        mend=None if endpoint.address else _mend_of_endpoint(),
    )
    found = clients_here(Path.cwd())
    for one in found:
        state = {
            True: f"reads {OWN}",
            False: f"does not read {OWN}: it sends pictures to Amazon",
            None: f"may or may not read {OWN}, by its version",
        }[one.reads]
        well = one.reads is True
        yield Finding(one.name, f"{state} ({one.place})", well, None if well else IN_CODE)
    if not found:
        yield Finding("clients", "none of AWS's SDKs and no AWS CLI is found")


def _findings(artifacts: str | None) -> list[Finding]:
    """Look at everything, without the folder of artifacts where that cannot be used."""
    try:
        return examine(installation_here(artifacts=artifacts))
    except (InvalidRequest, ArtifactUnavailable) as error:
        findings = examine(installation_here(artifacts=""))
        return [Finding("artifacts folder", str(error), well=False), *findings]
