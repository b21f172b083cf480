"""Plans of all pairs: of a folder of people, or of a manifest."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from likeness.errors import InvalidRequest
from likeness.service.enrol.csv_rows import inside
from likeness.service.enrol.sources import files_of_people, is_folder
from likeness.service.evaluate.readers.labels import (
    NO_LABELS,
    LabelledRow,
    Labels,
    checked_picture,
    key_of,
    labelled_rows,
)
from likeness.service.evaluate.readers.planning import (
    NOTHING_SAID,
    DataDescription,
    Listed,
    plan_listed,
)
from likeness.service.evaluate.readers.problems import Problems
from likeness.service.evaluate.trials import Plan
from likeness.terms import checked_name

# Files that lie beside pictures; anything else is a picture, or a failure.
_NO_PICTURES = {".csv", ".db", ".htm", ".html", ".ini", ".json", ".md", ".toml", ".txt", ".xml"}

# Labels of a whole set may be given for a part of it; that fills no list.
_MOST_UNUSED = 20


def plan_of_people(
    folder: Path,
    *,
    labels: Labels = NO_LABELS,
    description: DataDescription = NOTHING_SAID,
) -> Plan:
    """Plan every pair of pictures in a folder: one folder a person, or one picture a person.

    Names of pictures are their paths in the folder. Labels are joined by these, or by person.

    Raises:
        InvalidRequest: there is no such folder, or no picture in it.
    """
    problems = Problems(folder.resolve().name or str(folder))
    listed = []
    for subject, path in files_of_people(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in _NO_PICTURES:
            problems.add("files that are no pictures", name, "No picture, by its name. Left out.")
            continue
        if is_folder(path):
            problems.add(
                "folders in people's folders",
                name,
                "A folder in a person's folder. Left out, with all that is in it.",
            )
            continue
        try:
            checked_picture(name)
            listed.append(Listed(path, name, checked_name(subject, "A subject's name"), name))
        except InvalidRequest as error:
            problems.add("names that cannot be kept", name, f"{error} Left out.")
    if not listed:
        raise InvalidRequest(
            f"No pictures in '{folder}'. Put NAME/picture.jpg into it, a folder for each person."
        )
    source = folder.resolve().name or str(folder)
    joined = joined_with(listed, labels, problems, keep_subjects=True)
    return plan_listed(joined, source, description, problems, said=labels.problems)


def plan_of_manifest(
    manifest: Path,
    *,
    root: Path | None = None,
    has_identities: bool = True,
    description: DataDescription = NOTHING_SAID,
) -> Plan:
    """Plan every pair of pictures of a manifest: CSV with `path` and `subject`.

    Every further column labels pictures. Paths start from `root`, or the manifest's own folder, and
    may not leave it.

    Args:
        manifest: the file.
        root: the folder that its paths start from.
        has_identities: whether it says whose the pictures are; if not it needs no column `subject`,
            and every picture counts as another person's, copies of a file left out.
        description: what the user says of the data.

    Raises:
        InvalidRequest: it is no such file, or no picture of it is there.
    """
    problems = Problems(manifest.name)
    needed = ("path", "subject") if has_identities else ("path",)
    listed: list[Listed] = []
    lines: dict[str, tuple[int, str]] = {}
    rows = labelled_rows(manifest, problems, needed)
    if not has_identities:
        _say_that_nobody_is_named(rows, problems)
    for row in rows:
        try:
            path = inside(root or manifest.parent, row.path)
        except InvalidRequest as error:
            problems.add_row("paths that cannot be used", row.line, f"{error} Left out.")
            continue
        line, subject = lines.setdefault(key_of(row.path), (row.line, row.subject))
        if line != row.line:
            differs = f" There it is '{subject}'." if subject != row.subject else ""
            problems.add_row(
                "rows of pictures that an earlier row has",
                row.line,
                f"'{row.path}' is in line {line} already. This row is left out.{differs}",
            )
            continue
        where = f"{manifest.name}, line {row.line}"
        whose = row.subject if has_identities else row.path
        listed.append(Listed(path, row.path, whose, where, row.labels))
    if not listed:
        raise InvalidRequest(f"'{manifest}' has no rows that can be used.{_such(problems)}")
    return plan_listed(listed, manifest.name, description, problems, has_identities=has_identities)


def _say_that_nobody_is_named(rows: Sequence[LabelledRow], problems: Problems) -> None:
    """Say what follows, unless a column looks as if it named people.

    Raises:
        InvalidRequest: one does.
    """
    columns = [column for row in rows[:1] for column in row.labels]
    meant = get_close_matches("subject", columns, n=1)
    if meant:
        raise InvalidRequest(f"Column {meant[0]!r} looks like subject. Rename it, or leave it out.")
    said = ", ".join(columns) or "none"
    problems.add_about_all(
        f"No column subject (there is: {said}): every picture counts as another person's."
    )


def _such(problems: Problems) -> str:
    return "".join(f" {one.where}: {one.says}" for one in problems.all()[:1])


def joined_with(
    listed: Sequence[Listed], labels: Labels, problems: Problems, *, keep_subjects: bool
) -> list[Listed]:
    """Give pictures what a manifest says of them; those that it does not name are problems.

    Whose a picture is, the manifest says only where nobody else did, unless `keep_subjects` is off.
    """
    if labels is NO_LABELS:
        return list(listed)
    joined, used = [], set[str]()
    for one in listed:
        key = key_of(one.name)
        row = labels.of_pictures.get(key) or labels.of_people.get(one.subject)
        if row is None:
            problems.add(
                "pictures without labels", one.where, f"No row of labels names '{one.name}'."
            )
            joined.append(one)
            continue
        used.add(key if labels.of_pictures else one.subject)
        subject = one.subject
        if row.subject and row.subject != subject:
            if subject and keep_subjects:
                problems.add(
                    "pictures whose labels name somebody else",
                    one.where,
                    f"'{one.name}' is '{subject}' here and '{row.subject}' in the labels (line"
                    f" {row.line}). It counts as '{subject}'.",
                )
            else:
                subject = row.subject
        joined.append(Listed(one.path, one.name, subject, one.where, row.labels))
    unused = [key for key in (*labels.of_pictures, *labels.of_people) if key not in used]
    if len(unused) == len(labels.of_pictures) + len(labels.of_people):
        raise InvalidRequest(
            f"The labels name none of the pictures: they have '{unused[0]}', the pictures are such"
            f" as '{listed[0].name}' of '{listed[0].subject}'. Name them alike."
        )
    if len(unused) > _MOST_UNUSED:
        problems.add_about_all(
            f"{len(unused):,} rows of labels name no picture that is here, such as '{unused[0]}'."
        )
        unused = []
    for key in unused:
        problems.add("labels of what is not there", key, "Labels for this, and no such picture.")
    return joined
