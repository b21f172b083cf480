"""`python -m likeness.demo [FOLDER]`: run the demonstration."""

import json
import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from likeness import __version__
from likeness.cli.clips.tables import ShownClip, json_of
from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.exit_codes import ExitCode, report
from likeness.cli.terminal.output_file import write_output
from likeness.cli.terminal.words import as_high, box_in_words, similarity_in_words
from likeness.demo.run import PEOPLE, Demonstration, NamedFace, Person, run
from likeness.service.search.documents import identification_json, point_json
from likeness.terms import Calibration, clock, one_in


def main(out: Path) -> ExitCode:
    """Run it, print and write what came of it; exit code 1 when a face was named wrongly."""
    demonstration = run(out)
    print()
    _print_table(demonstration)
    if demonstration.clip is not None:
        print()
        _print_clip(demonstration.clip)
    document = json.dumps(_results_json(demonstration), indent=2)
    write_output(out / "result.json", f"{document}\n".encode())
    written = ["annotated.jpg", "result.json"]
    if demonstration.clip is not None:
        written[1:1] = ["clip-annotated.mp4", "clip-redacted.mp4"]
    places = ", ".join(str(out / name) for name in written[:-1])
    print(f"\nLook at {places} and {out / written[-1]}. What to try next:")
    command = Path(sys.executable).with_name("likeness")
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    tries: list[list[object]] = [
        ["detect", out / "group.jpg", "--annotate", out / "detected.jpg"],
        ["identify", "--gallery", out / "gallery", out / "group.jpg"],
        ["doctor"],
    ]
    if demonstration.clip is not None:
        tries.insert(2, ["identify", "--gallery", out / "gallery", out / "clip.mp4"])
    for arguments in tries:
        print(f"  {shlex.join(map(str, [command, *arguments]))}")
    if demonstration.right:
        return ExitCode.DONE
    print("\nSomebody was named wrongly. Run `likeness doctor`.", file=sys.stderr)
    return ExitCode.NO


def _print_table(demonstration: Demonstration) -> None:
    """Print a row for each face, then what the stages took."""
    table = Table("box", "named", "similarity", "strangers who score as high", "ms")
    for named in demonstration.faces:
        table.add_row(
            box_in_words(named.identification.face.box),
            _name(named),
            *_meaning(named, demonstration.likeness.calibration),
            f"{named.template_ms + named.search_ms:.0f}",
        )
    Console(markup=False, highlight=False).print(table)
    took = demonstration.milliseconds
    print(
        f"Finding {len(demonstration.faces)} faces took {took['find']:.0f} ms; getting ready"
        f" {took['load']:.0f} ms, enrolling {took['enrol']:.0f} ms."
    )


def _print_clip(told: ShownClip) -> None:
    """Print a row for each person of the clip."""
    table = Table(
        Column("seen", no_wrap=True),
        "named",
        "similarity",
        "strangers who score as high",
        "looks that agree",
    )
    table.show_lines = True
    calls = told.calls()
    for person in told.seen.people:
        sights = "\n".join(f"{clock(one.begins_s)}-{clock(one.ends_s)}" for one in person.intervals)
        match, called = person.match, calls[person.number]
        if match is None and person.candidates and person.candidates[0].unnamed_because:
            called += f"\n(not {person.candidates[0].name}: {person.candidates[0].unnamed_because})"
        meaning = ("", "", "")
        if match is not None:
            extrapolated = " (extrapolated)" if match.extrapolated else ""
            meaning = (
                similarity_in_words(match.similarity),
                f"{one_in(match.fmr)}{extrapolated}",
                f"{match.agreeing} of {match.looks}",
            )
        table.add_row(sights, called, *meaning)
    Console(markup=False, highlight=False).print(table)


def _results_json(demonstration: Demonstration) -> Json:
    """All that was found, and how."""
    calibration = demonstration.likeness.calibration
    return {
        "likeness": __version__,
        "model": calibration.model,
        "cohort": calibration.cohort_version,
        "operating_point": point_json(demonstration.identifier.naming.point),
        "gallery": [person.name for person in PEOPLE if person.enrolled],
        "people_shown": [_person_json(person) for person in PEOPLE],
        "faces": [_face_json(named) for named in demonstration.faces],
        "clip": None if demonstration.clip is None else json_of(demonstration.clip),
        "milliseconds": {
            stage: round(taken, 1) for stage, taken in demonstration.milliseconds.items()
        },
    }


def _name(named: NamedFace) -> str:
    match = named.identification.match
    name = match.name if match else "no match"
    return f"{name}\n(altered copy)" if named.person.altered else name


def _meaning(named: NamedFace, known: Calibration) -> tuple[str, str]:
    match = named.identification.match
    if match:
        return f"{similarity_in_words(match.similarity)}", as_high(match.fmr, known)
    nearest = named.identification.candidates[0]
    return (
        f"{similarity_in_words(nearest.similarity)}",
        f"{as_high(nearest.fmr, known)} (to {nearest.name})",
    )


def _person_json(person: Person) -> Json:
    return {
        "name": person.name,
        "enrolled_photograph": person.enrolled.name if person.enrolled else None,
        "shown_photograph": person.shown.name,
        "altered_copy": person.altered,
        "shown": person.told,
        "attribution": person.shown.attribution,
        "licence": person.shown.licence,
    }


def _face_json(named: NamedFace) -> Json:
    return {
        "shows": named.person.name,
        "altered_copy": named.person.altered,
        "right": named.right,
        **identification_json(named.identification),
        "milliseconds": {
            "template": round(named.template_ms, 1),
            "search": round(named.search_ms, 2),
        },
    }


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out")))
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(report(error))
