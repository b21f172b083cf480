"""`python -m likeness.demo [FOLDER]`: run the demonstration."""

import json
import shlex
import sys
from pathlib import Path

from likeness.cli.terminal.exit_codes import ExitCode, report
from likeness.cli.terminal.output_file import write_output
from likeness.demo.results import print_table, results_json
from likeness.demo.run import run


def main(out: Path) -> ExitCode:
    """Run it, print and write what came of it; exit code 1 when a face was named wrongly."""
    demonstration = run(out)
    print()
    print_table(demonstration)
    document = json.dumps(results_json(demonstration), indent=2)
    write_output(out / "result.json", f"{document}\n".encode())
    print(f"\nLook at {out / 'annotated.jpg'} and {out / 'result.json'}. What to try next:")
    command = Path(sys.executable).with_name("likeness")
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    for arguments in (
        ["detect", out / "group.jpg", "--annotate", out / "detected.jpg"],
        ["identify", "--gallery", out / "gallery", out / "group.jpg"],
        ["doctor"],
    ):
        print(f"  {shlex.join(map(str, [command, *arguments]))}")
    if all(named.right for named in demonstration.faces):
        return ExitCode.DONE
    print("\nA face was named wrongly: run `likeness doctor`.", file=sys.stderr)
    return ExitCode.NO


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out")))
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(report(error))
