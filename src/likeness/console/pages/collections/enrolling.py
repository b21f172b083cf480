"""Enrolling people from pictures that are dropped or chosen, and what came of each."""

import json
import re
from collections import Counter
from functools import partial
from pathlib import PurePosixPath

from likeness.console.forms import File
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Visit
from likeness.errors import InvalidRequest, LikenessError
from likeness.service.enrol import collections as acts
from likeness.service.enrol.enrol import Demands, Enroller, Outcome, row_of
from likeness.service.enrol.sources import NamedPicture, refused_picture
from likeness.terms import Action, Footage
from likeness.vision.decode import DecodeLimits, Sample, inspect

enrolling = Pages()

ONE, BY_FILE, BY_FOLDER = "one", "file", "folder"
# What messages say of options of the command line; boxes of the form say the same.
_OPTION = re.compile(r" \(--[a-z-]+\)")


@enrolling.shows("/collections/{name}/enrol", Action.ENROL)
def show_enrol(visit: Visit) -> Page:
    """Ask for pictures, and whose they are."""
    of = acts.describe_collection(
        visit.home, visit.caller("DescribeCollection"), visit.params["name"]
    )
    values = {
        "of": of,
        "purposes": visit.principal.purposes,
        "footages": [str(one) for one in Footage],
        "whose": visit.form.text("whose") or ONE,
    }
    return Page("collections/enrol.html", values)


@enrolling.does("/collections/{name}/enrol", Action.ENROL, again=show_enrol, sees=True)
def enrol(visit: Visit) -> Page | Download:
    """Enrol what was sent, and say what came of each picture; a script is told in JSON.

    Nothing happens twice: of pictures that come again it is said that they are enrolled already.
    """
    form, name = visit.form, visit.params["name"]
    files = form.files.get("pictures", ())
    with visit.about("pictures"):
        if not files:
            raise InvalidRequest(visit.t("enrol.no_pictures"))
    whose, subject = form.text("whose"), form.text("subject")
    with visit.about("subject"):
        if whose == ONE and not subject:
            raise InvalidRequest(visit.t("enrol.no_name"))
    places = form.all("place")
    if len(places) != len(files):
        places = [one.name for one in files]
    pictures = [
        _picture(file, place, subject if whose == ONE else _person(place, whose))
        for file, place in zip(files, places, strict=True)
    ]
    demands = Demands(form.has("any_quality"), form.has("foremost"), form.has("unlike"))
    caller = visit.caller("enrol", form.text("purpose"), footage=form.text("footage") or None)
    enroller = Enroller(visit.home, caller, name, demands, workers=1)
    results = [_shown(row_of(one), visit) for one in enroller.enrol(pictures)]
    if form.has("as_json"):
        return Download(json.dumps({"results": results}).encode(), "application/json")
    counts = Counter(one["outcome"] for one in results)
    values = {
        "name": name,
        "results": results,
        "counts": [(str(one), counts[one]) for one in Outcome],
    }
    return Page("collections/enrolled.html", values)


def _person(place: str, whose: str) -> str:
    """Name a person by the folder that a picture lies in, or by the file."""
    path = PurePosixPath(place.replace("\\", "/"))
    return path.parent.name if whose == BY_FOLDER and path.parent.name else path.stem


def _picture(file: File, place: str, subject: str) -> NamedPicture:
    try:
        return NamedPicture(place, partial(_read, file), subject)
    except LikenessError as error:
        return refused_picture(place, error)


def _read(file: File, limits: DecodeLimits) -> Sample:
    return inspect(file.content, limits)


def _shown(row: dict[str, str], visit: Visit) -> dict[str, str]:
    box = f" ({visit.t('enrol.under_more')})"
    return {**row, "reason": _OPTION.sub(box, row["reason"])}
