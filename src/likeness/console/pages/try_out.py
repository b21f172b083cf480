"""Trying it out: find faces in pictures, compare two pictures, search a collection.

Pictures are shown and never kept, so an answer is a page of its own, and not one to come back to.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from likeness.console.pages.try_programs import (
    is_for_boto3,
    program_that_compares,
    program_that_detects,
    program_that_searches,
)
from likeness.console.pages.try_words import (
    FaceInWords,
    cases_in_words,
    compared_in_words,
    compared_with,
    face_in_words,
    named_in_words,
    no_face_in_words,
    no_match_in_words,
    searched_in_words,
)
from likeness.console.pictures import Marked, Shown, shown
from likeness.console.problems import said_of
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Photograph, Visit
from likeness.errors import InputError, InvalidRequest, NotFound, TooBusy
from likeness.service.enrol.collections import has_no_collection, list_collections
from likeness.service.search.documents import compared_json, identified_json, located_json
from likeness.service.search.faces import ReadSample
from likeness.service.search.named import name_faces
from likeness.service.search.pictures import (
    Alike,
    NoFaceInSource,
    NoFaceInTarget,
    compare_faces,
    detect_faces,
)
from likeness.service.uses import Caller, Proof, Stated
from likeness.terms import UNDECLARED, Action, GroupWarning, similarity
from likeness.vision.decode import Sample, inspect
from likeness.vision.encode import shown_jpeg

MOST_FACES = 100
"""Of a crowd so many are looked at, the largest."""
_MOST_PICTURES, _MOST_LISTED = 8, 50
_SAMPLE_PX, _DECODED_PX = 240, 1280
_STEPS = {"detect": "1", "search": "3"}
"""Which steps of the tour are done here."""

try_out = Pages()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one picture or two, in words, over the pictures, as JSON and as a program.

    `title` names the picture where several were given; `problem` says why there is no more.
    `cases` says who decides the cases, and `code_says` what to know of the program, or why there
    is none.
    """

    title: str
    words: Markup | str = ""
    pictures: tuple[tuple[Markup, Shown], ...] = ()
    faces: tuple[FaceInWords, ...] = ()
    remarks: tuple[Markup | str, ...] = ()
    warning: str | None = None
    document: Any = None
    code: str = ""
    code_says: tuple[Markup, ...] = ()
    receipt: str | None = None
    cases: Markup | str = ""
    case_ids: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    """A picture that was given: its name, and what reads it once it may be looked at."""

    name: str
    read: ReadSample
    is_sample: bool = False

    @property
    def file(self) -> str:
        """The file that a program is to read."""
        return f"{self.name}.jpg" if self.is_sample else self.name


@try_out.shows("/try", Action.DETECT)
def show_detect(visit: Visit) -> Page:
    """Ask for pictures to find faces in."""
    return _detect_page(visit)


@try_out.does("/try", Action.DETECT, again=show_detect, sees=True)
def detect(visit: Visit) -> Page:
    """Find every face of some pictures; one that cannot be read is reported beside the others."""
    given = _pictures(visit, "picture")
    if len(given) == 1:
        with visit.about("picture"):
            return _detect_page(visit, (_detected(visit, given[0]),))
    answers = []
    for one in given:
        try:
            answers.append(_detected(visit, one))
        except (InputError, TooBusy) as error:
            answers.append(Answer(one.name, problem=said_of(error, visit)))
    return _detect_page(visit, tuple(answers))


@try_out.shows("/try/compare", Action.COMPARE)
def show_compare(visit: Visit) -> Page:
    """Ask for two pictures to compare."""
    return _page(visit, "compare")


@try_out.does("/try/compare", Action.COMPARE, again=show_compare, sees=True)
def compare(visit: Visit) -> Page:
    """Compare the largest face of a picture with every face of another."""
    first, second = (_picture(visit, name) for name in ("first", "second"))
    home, proof = visit.home, visit.proof
    demands = Alike(similarity(home.fmr), None)
    caller = visit.caller("CompareFaces", _purpose(visit))
    try:
        found = compare_faces(home, caller, first.read, second.read, demands, most_faces=MOST_FACES)
    except NoFaceInSource:
        with visit.about("first"):
            raise
    except NoFaceInTarget:
        with visit.about("second"):
            raise
    faces = compared_in_words(visit, found)
    t, purpose = visit.t, _purpose_of(visit)
    marked = [Marked(one.face, one.label, one.kind) for one in faces]
    source_kind = "match" if found.matches else "found"
    source = [Marked(found.source_face, "", source_kind)]
    answer = Answer(
        "",
        faces[0].says if found.matches else no_match_in_words(visit),
        (
            (t("try.first"), shown(found.source.decode(_DECODED_PX), source, purpose)),
            (t("try.second"), shown(found.target.decode(_DECODED_PX), marked, purpose)),
        ),
        faces,
        (
            *_source_remark(visit, face_in_words(visit, found.source_face, "")),
            *dict.fromkeys((*found.source.remarks, *found.target.remarks)),
        ),
        _warning(found.group_warning),
        compared_json(found),
        program_that_compares(_origin(visit), first.file, second.file, demands.threshold),
        _program_says(visit, first, second),
        proof.receipt,
    )
    return _page(visit, "compare", (answer,))


@try_out.shows("/try/search", Action.SEARCH)
def show_search(visit: Visit) -> Page:
    """Ask for a picture and a collection to search."""
    return _search_page(visit)


@try_out.does("/try/search", Action.SEARCH, again=show_search, sees=True)
def search(visit: Visit) -> Page:
    """Say who of a collection the faces of a picture are, if anybody."""
    name = visit.form.text("collection")
    with visit.about("collection"):
        if not name:
            raise InvalidRequest("No collection is chosen. Choose one, or make one first.")
    given = _picture(visit, "picture")
    try:
        named = name_faces(visit.home, visit.caller("identify", _purpose(visit)), name, given.read)
    except (NotFound, InvalidRequest):
        with visit.about("collection"):
            raise
    faces = named_in_words(visit, named)
    marked = [Marked(one.face, one.label, one.kind) for one in faces]
    picture = shown(named.search.located.image, marked, _purpose_of(visit))
    identified, t, least = named.identified, visit.t, named.naming.least_similarity
    code = ""
    code_says: tuple[Markup, ...] = (t("try.no_code", name=name),)
    if is_for_boto3(name):
        code = program_that_searches(_origin(visit), given.file, name, least)
        differs = t("try.code_differs", similarity=f"{least:.4g}")
        code_says = (*_program_says(visit, given), differs)
    answer = Answer(
        "",
        searched_in_words(visit, named, faces),
        ((t("try.picture_marked", count=len(faces)), picture),),
        faces,
        (
            *([t("try.decided")] if identified.decided else []),
            *compared_with(visit, named),
            *identified.sample.remarks,
        ),
        _warning(named.naming.group_warning),
        identified_json(identified),
        code,
        code_says,
        visit.proof.receipt,
        cases_in_words(visit, identified),
        tuple(map(str, identified.case_ids)),
    )
    return _search_page(visit, (answer,))


@try_out.shows("/try/samples/{number}", Action.DETECT)
def show_sample(visit: Visit) -> Download:
    """Give a small copy of a sample picture."""
    sample = _sample(visit, visit.params["number"])
    if sample is None:
        raise NotFound("There is no such sample picture. Choose another.")
    return Download(_small_sample(sample.content), "image/jpeg")


def _detect_page(visit: Visit, answers: tuple[Answer, ...] = ()) -> Page:
    is_first = visit.may(Action.ENROL) and has_no_collection(visit.home)
    return _page(visit, "detect", answers, shows_tour=is_first)


def _search_page(visit: Visit, answers: tuple[Answer, ...] = ()) -> Page:
    # Looked at apart from the search itself, whose receipt is to be shown.
    looks = Caller(visit.principal, "ListCollections", proof=Proof())
    found = list_collections(visit.home, looks)
    names = [
        (one.name, one.name if one.size.references else visit.t("try.is_empty", name=one.name))
        for one in found
    ]
    first = next((one.name for one in found if one.size.references), "")
    chosen = visit.form.text("collection") or visit.query.get("collection", first)
    listed = len(names) <= _MOST_LISTED
    return _page(visit, "search", answers, names=names, is_listed=listed, collection=chosen)


def _page(visit: Visit, kind: str, answers: tuple[Answer, ...] = (), **more: object) -> Page:
    samples = [(str(place), one.name) for place, one in enumerate(visit.offered.samples)]
    step = visit.form.text("tour") or visit.query.get("tour", "")
    values = {
        "kind": kind,
        "step": step if step == _STEPS.get(kind) else "",
        "shows_tour": False,
        "answers": answers,
        "samples": samples,
        "purposes": visit.principal.purposes,
        **more,
    }
    return Page(f"try/{kind}.html", values)


def _detected(visit: Visit, given: _Given) -> Answer:
    samples: list[Sample] = []

    def kept() -> Sample:
        samples.append(given.read())
        return samples[0]

    # A use of its own for every picture, with a receipt of its own.
    caller = Caller(visit.principal, "DetectFaces", Stated(_purpose(visit)), proof=Proof())
    try:
        located = detect_faces(visit.home, caller, kept, most_faces=MOST_FACES)
    finally:
        visit.proof.receipt = caller.proof.receipt or visit.proof.receipt
    faces = tuple(
        face_in_words(visit, face, str(number)) for number, face in enumerate(located.faces, 1)
    )
    marked = [Marked(one.face, one.label) for one in faces]
    t, count = visit.t, len(faces)
    return Answer(
        given.name,
        t("try.faces", count=count)
        if faces
        else no_face_in_words(visit, located.search.smallest_face),
        ((t("try.picture_marked", count=count), shown(located.image, marked, _purpose_of(visit))),),
        faces,
        samples[0].remarks,
        document=located_json(samples[0], located),
        code=program_that_detects(_origin(visit), given.file),
        code_says=_program_says(visit, given),
        receipt=caller.proof.receipt,
    )


def _picture(visit: Visit, field: str) -> _Given:
    """Give the first picture of a field, a file or a sample."""
    return _pictures(visit, field)[0]


def _pictures(visit: Visit, field: str) -> list[_Given]:
    """Give the pictures of a field.

    Raises:
        InvalidRequest: there is none, or there are too many.
    """
    limits = visit.home.limits

    def reading(content: bytes) -> ReadSample:
        def read() -> Sample:
            with visit.about(field):
                return inspect(content, limits)

        return read

    with visit.about(field):
        files = visit.form.files.get(field, ())
        if len(files) > _MOST_PICTURES:
            raise InvalidRequest(
                f"{len(files)} pictures at once: {_MOST_PICTURES} at most are looked at. Give fewer"
                " of them."
            )
        if files:
            return [_Given(one.name, reading(one.content)) for one in files]
        chosen = visit.form.text(f"{field}_sample")
        if not chosen:
            raise InvalidRequest("No picture is given. Choose, drop or paste one.")
        if (sample := _sample(visit, chosen)) is None:
            raise InvalidRequest("There is no such sample picture. Choose another.")
        return [_Given(sample.name, reading(sample.content), is_sample=True)]


def _sample(visit: Visit, number: str) -> Photograph | None:
    """Find a sample picture by its number; None where nothing, or nonsense, is asked for."""
    numbered = {str(place): one for place, one in enumerate(visit.offered.samples)}
    return numbered.get(number)


def _purpose(visit: Visit) -> str | None:
    return visit.form.text("purpose") or None


def _purpose_of(visit: Visit) -> str:
    """Give the purpose that is in force for what a form asks."""
    return _purpose(visit) or next(iter(visit.principal.purposes), UNDECLARED)


def _origin(visit: Visit) -> str:
    """Give the server's address as a browser has it that sends a form."""
    return visit.headers.get("origin") or f"http://{visit.headers.get('host', '')}"


def _program_says(visit: Visit, *given: _Given) -> tuple[Markup, ...]:
    samples = (visit.t("try.code_sample"),) if any(one.is_sample for one in given) else ()
    return (visit.t("try.code_says"), *samples)


def _warning(warning: GroupWarning | None) -> str | None:
    return None if warning is None else warning.in_words


def _source_remark(visit: Visit, face: FaceInWords) -> tuple[Markup, ...]:
    return () if face.is_fit else (visit.t("try.first_is_poor", why=face.quality),)


@cache
def _small_sample(content: bytes) -> bytes:
    return shown_jpeg(inspect(content).decode(_SAMPLE_PX), _SAMPLE_PX)
