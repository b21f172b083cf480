"""How many tight crops of faces are left out at `AUTO`: utk_balanced as it is, without a border.

A picture is left out where no face is found, or where the largest is not fit to enrol.
"""

from collections import Counter
from pathlib import Path

from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, at_most
from bench.workplace import data, pictures_in
from likeness.service.search.faces import FIT
from likeness.terms import in_parallel
from likeness.vision.decode import read_sample

_NO_FACE = "no-face"
_SEXES = ("male", "female")
_RACES = ("White", "Black", "Asian", "Indian", "Other")


def _unpadded(full: bool) -> Measurement:
    pictures = pictures_in(data("utk_balanced"))
    against = list(in_parallel(_reasons, pictures, likeness().workers))
    reasons = Counter(reason for each in against for reason in each)
    cells = Counter(map(_cell, pictures))
    left_out = Counter(_cell(path) for path, each in zip(pictures, against, strict=True) if each)
    worst = max(cells, key=lambda cell: left_out[cell] / cells[cell])
    return Measurement(
        left_out.total() / len(pictures),
        f"of {len(pictures)} tight crops of utk_balanced; no face is found in"
        f" {reasons[_NO_FACE]}, the largest is not fit to enrol in"
        f" {left_out.total() - reasons[_NO_FACE]}",
        (
            *(
                Beside(reason, count / len(pictures), "left out", f"{count} pictures")
                for reason, count in reasons.most_common()
            ),
            Beside(
                "worst-cell",
                left_out[worst] / cells[worst],
                "left out",
                f"{worst}, the most of {len(cells)} cells of sex and race",
            ),
        ),
    )


FIGURES = (Figure("unpadded", "left out", at_most(0.02), _unpadded),)


def _reasons(picture: Path) -> tuple[str, ...]:
    """Say why a picture is left out; nothing where it is not."""
    located = likeness().finder.locate(read_sample(picture))
    if not located.faces:
        return (_NO_FACE,)
    return tuple(reason.value for reason in FIT.speaks_against(located.faces[located.foremost]))


def _cell(picture: Path) -> str:
    """Sex and race, from `age_sex_race_date`."""
    sex, race = picture.name.split("_")[1:3]
    return f"{_RACES[int(race)]} {_SEXES[int(sex)]}"
