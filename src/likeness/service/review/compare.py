"""Compare the two faces of a case as people do: the probe by itself first, then side by side.

1. Whoever decides notes what they see in the face that was searched for, before anybody else.
2. Then both faces are shown alike: upright, of one size, eyes at the same places.
3. On demand it is said which regions made the two alike to the network.

Pictures are made for who looks and kept nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from likeness.errors import LikenessError, NotFound
from likeness.review import Case, ProbeNote, keep_note
from likeness.service.review.seen import View, blurred_details, details_of, read_as, recorded
from likeness.service.uses import Caller, Outcome, Rows, still_of
from likeness.terms import Action, Face
from likeness.vision.decode import inspect
from likeness.vision.encode import picture_bytes
from likeness.vision.find import FaceFinder, Located
from likeness.vision.saliency import GRID, Floats, parts_of
from likeness.vision.side_by_side import HEIGHT, WIDTH, Level, chip_to_level, level_eyes

LEVEL_SIZE = WIDTH, HEIGHT
"""Width and height of a picture whose eyes are level."""


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A picture of a face, as it is kept and with its eyes level, both JPEG.

    `level_jpeg` and `face` are None where no face is found in it, or nothing here finds any;
    `face` is in pixels of the picture as it is kept, and `zoom` how much larger the level one is.
    """

    jpeg: bytes = field(repr=False)
    level_jpeg: bytes | None = field(default=None, repr=False)
    face: Face | None = None
    zoom: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The face that was searched for and a candidate's; None where no picture is kept."""

    probe: ShownFace | None
    candidate: ShownFace | None


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of a face, in units of its chip's side, and what it adds, -1 to 1 (`Regions`)."""

    left: float
    top: float
    side: float
    share: float


@dataclass(frozen=True, slots=True)
class Regions:
    """What regions of a face add to how alike a pair is, in shares of the strongest of both faces.

    `transform` takes places of patches to pixels of the level picture: a, b, c, d, e, f as SVG has
    them. `alike` and `different` name the parts that add and take most.
    """

    patches: tuple[Patch, ...]
    transform: tuple[float, float, float, float, float, float]
    alike: tuple[str, ...]
    different: tuple[str, ...]


def show_probe(
    rows: Rows, caller: Caller, case_id: UUID, *, unblurred: bool = False
) -> ShownFace | None:
    """Show the face that was searched for, by itself; None where no picture is kept.

    Raises:
        NotFound: there is no such case.
        Denied: it is of a search of their own.
    """
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        jpeg = read_as(rows, caller, case, lambda view: view.face_for_others(None))
        look = _Look(rows, case, unblurred=unblurred)
        shown = None if jpeg is None else look.shown(jpeg)
        record.answered(_looked_at(case, (jpeg,), unblurred=unblurred))
    return shown


def note_probe(rows: Rows, caller: Caller, case_id: UUID, note: ProbeNote) -> None:
    """Keep what somebody noted of the face that was searched for, once.

    Raises:
        NotFound: there is no such case, or no picture of the face is kept.
        Denied: it is of a search of their own.
        Conflict: they have noted something already.
    """
    now = rows.clock()
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        if read_as(rows, caller, case, lambda view: view.face_for_others(None)) is None:
            raise _no_picture(case)
        record.write(
            lambda connection: keep_note(
                connection, rows.keyring, case, caller.principal.id, note, now
            ),
            lambda _: Outcome(details=details_of(case)),
        )


def show_pair(
    rows: Rows, caller: Caller, case_id: UUID, number: int, *, unblurred: bool = False
) -> Pair:
    """Show the face that was searched for beside a candidate's, as far as pictures are kept.

    Raises:
        NotFound: there is no such case or candidate.
        Denied: it is of a search of their own.
        Conflict: they have to note the features of the first one before.
    """
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        kept = read_as(rows, caller, case, _pair_of(number))
        look = _Look(rows, case, unblurred=unblurred)
        pair = Pair(*(None if jpeg is None else look.shown(jpeg) for jpeg in kept))
        record.answered(_looked_at(case, kept, unblurred=unblurred))
    return pair


def show_regions(
    rows: Rows, caller: Caller, case_id: UUID, number: int, *, unblurred: bool = False
) -> tuple[Pair, Regions, Regions]:
    """Show a pair, and which regions of both faces made them alike or different.

    Raises:
        NotFound: there is no such case or candidate, or no picture of one of the two.
        NoFace: in one of the pictures no face is found.
        Conflict: as for `show_pair`, or nothing here can look at faces of this collection.
        Denied: it is of a search of their own.
    """
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        probe_jpeg, candidate_jpeg = read_as(rows, caller, case, _pair_of(number))
        if probe_jpeg is None or candidate_jpeg is None:
            raise _no_picture(case)
        look = _Look(rows, case, unblurred=unblurred)
        finder = look.finder()
        probe, candidate = look.located(finder, probe_jpeg), look.located(finder, candidate_jpeg)
        saliency = finder.saliency(probe, candidate)
        strongest = saliency.strongest
        regions = [
            _regions(finder, located, values, strongest)
            for located, values in ((probe, saliency.probe), (candidate, saliency.candidate))
        ]
        pair = Pair(
            look.leveled(probe_jpeg, probe),
            look.leveled(candidate_jpeg, candidate),
        )
        kept = probe_jpeg, candidate_jpeg
        record.answered(_looked_at(case, kept, unblurred=unblurred))
    return pair, regions[0], regions[1]


class _Look:
    """Makes the pictures of one look at a case."""

    def __init__(self, rows: Rows, case: Case, *, unblurred: bool) -> None:
        self._rows = rows
        self._case = case
        self._unblurred = unblurred

    def shown(self, jpeg: bytes) -> ShownFace:
        """Show a picture; as it is kept alone where no face can be found in it."""
        try:
            return self.leveled(jpeg, self.located(self.finder(), jpeg))
        except LikenessError:
            return ShownFace(self._still(jpeg))

    def finder(self) -> FaceFinder:
        """Give what finds faces for the collection of the case."""
        rows, case = self._rows, self._case
        collection = rows.database.read(
            lambda connection: rows.collections.of_id(connection, case.collection_id)
        )
        return rows.load_finder(collection)

    def located(self, finder: FaceFinder, jpeg: bytes) -> Located:
        """Find the face of a picture.

        Raises:
            NoFace: there is none.
        """
        located = finder.locate(inspect(jpeg, self._rows.limits))
        located.foremost  # noqa: B018  # which is refused where there is none
        return located

    def leveled(self, jpeg: bytes, located: Located) -> ShownFace:
        """Show a picture whose face was found."""
        level = _level_of(located)
        return ShownFace(
            self._still(jpeg),
            self._still(picture_bytes(level.pixels, ".jpg")),
            located.faces[located.foremost],
            level.zoom,
        )

    def _still(self, jpeg: bytes) -> bytes:
        return still_of(jpeg, self._case.purpose, unblurred=self._unblurred)


def _pair_of(number: int) -> Callable[[View], tuple[bytes | None, bytes | None]]:
    def read(view: View) -> tuple[bytes | None, bytes | None]:
        view.require_noted()
        if number not in {one.number for one in view.candidates} and not view.is_own:
            raise NotFound(f"No such candidate of case {view.case.id}: {number}.")
        return view.face_for_others(None), view.face_for_others(number)

    return read


def _regions(finder: FaceFinder, located: Located, values: Floats, strongest: float) -> Regions:
    side = finder.layout.side
    landmarks_xy = located.detections.landmarks_xy[located.foremost]
    onto = chip_to_level(located.image, landmarks_xy, finder.layout, _level_of(located))
    linear, moved = onto[:, :2] * side, onto[:, 2]
    shares = values / strongest if strongest > 0 else values
    patches = (
        Patch(column / GRID, row / GRID, 1 / GRID, round(float(shares[row, column]), 3))
        for row in range(GRID)
        for column in range(GRID)
    )
    a, c, b, d = linear.ravel().tolist()
    e, f = moved.tolist()
    return Regions(
        tuple(patches),
        (a, b, c, d, e, f),
        tuple(parts_of(values, finder.layout)),
        tuple(parts_of(-values, finder.layout)),
    )


def _level_of(located: Located) -> Level:
    return level_eyes(located.image, located.detections.landmarks_xy[located.foremost])


def _looked_at(case: Case, kept: tuple[bytes | None, ...], *, unblurred: bool) -> Outcome:
    blurred = blurred_details(case, unblurred=unblurred)
    faces = sum(one is not None for one in kept)
    return Outcome(faces=faces, details={**details_of(case), **blurred})


def _no_picture(case: Case) -> NotFound:
    return NotFound(
        f"No picture of one of the two faces of case {case.id} is kept: crops were off, or it is"
        " erased. Without both, only cannot-tell is accepted."
    )
