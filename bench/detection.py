"""How small a face is found, and how many of many."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least
from bench.workplace import data, sample_of, settings
from likeness.app import Installation, Workload
from likeness.vision.decode import read_sample
from likeness.vision.detections import areas, shared_areas
from likeness.vision.find import FaceLocator

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Portrait = tuple[Pixels, Floats]
Size = Callable[[float, float], float]

_CANVAS_WH = (1920, 1080)
_PLACES_XY = [(60 + 300 * column, 40 + 250 * row) for row, column in product(range(4), range(6))]
_SMALL = 40
_OVERLAP = 0.5
# Faces by the height of their box in the squeezed picture, and what share the first prototype found
# at the number of detections that matched no face.
_BANDS = {"64-up": (64, np.inf), "32-64": (32, 64), "16-32": (16, 32)}
# Given to two digits, so what rounds to as much is no worse.
_PROTOTYPE = {47: (0.91, 0.81, 0.50), 65: (0.91, 0.80, 0.64), 506: (0.93, 0.86, 0.69)}
_ROUNDED = 0.005
_SQUEEZED = 416
_LEAST_CONFIDENCE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """One picture: m boxes found, most confident first, and the n faces that are there.

    Boxes are left, top, right, bottom, both sets in one frame.
    """

    found_xyxy: Floats
    confidences: Floats
    faces_xyxy: Floats


def _small_faces(full: bool) -> Measurement:
    portraits = _portraits()
    used = settings()
    return Measurement(
        _share_found(portraits, lambda width, height: float(np.sqrt(width * height))),
        f"{len(portraits)} faces of fairface540 on canvases of 1920x1080, the square root of each"
        f" box's area {_SMALL} px; IoU of at least {_OVERLAP} with the box found in the whole"
        f" portrait; longer side {used.detector_side}, threshold {used.detector_threshold}",
        (
            Beside(
                "longer-side",
                _share_found(portraits, max),
                "share found",
                f"the longer side of each box {_SMALL} px",
            ),
        ),
    )


def _wider(unmatched: int, band: str, prototype: float) -> Figure:
    def measure(full: bool) -> Measurement:
        searched = wider_searched()
        threshold = _threshold_for(searched, unmatched)
        recalls, strays = _recalls(searched, threshold)
        return Measurement(
            recalls[band],
            f"wider_mini in its true proportions, faces {band} px tall; at threshold"
            f" {threshold:.3f} {strays} detections match no face, the prototype had {unmatched}"
            f" and recall {prototype:.2f}",
        )

    return Figure(f"wider-{band}-{unmatched}", "recall", at_least(prototype - _ROUNDED), measure)


def _wider_default(full: bool) -> Measurement:
    searched = wider_searched()
    default = settings().detector_threshold
    rows = [
        Beside(f"{band}-at-{threshold:g}", recall, "recall", f"{strays} detections match no face")
        for threshold in (default, 0.3)
        for recalls, strays in [_recalls(searched, threshold)]
        for band, recall in recalls.items()
    ]
    return Measurement(rows[0].value, f"faces 64 px and taller, threshold {default}", tuple(rows))


FIGURES = (
    Figure("small-faces", "share found", at_least(0.95), _small_faces),
    *(
        _wider(unmatched, band, recall)
        for unmatched, recalls in _PROTOTYPE.items()
        for band, recall in zip(_BANDS, recalls, strict=True)
    ),
    Figure("wider-default", "recall", None, _wider_default),
)


def _locator(**chosen: object) -> FaceLocator:
    likeness = Installation(settings(**chosen))
    return likeness.locator(likeness.engine(Workload.ONE))


def _portraits() -> list[Portrait]:
    """Every picture of fairface540, with the box, (4,), of the face nearest its middle.

    Found with the settings that miss none: near the pictures' own size, at a low threshold.
    """
    locator = _locator(detector_side=480, detector_threshold=0.3)
    portraits = []
    for path in sorted(data("fairface540").glob("fairface_*.jpg")):
        sample = read_sample(path)
        boxes = locator.locate(sample).detections.boxes_xyxy
        if not len(boxes):
            raise NotMeasured(f"no face is found in {path.name} itself, so its size is not known")
        middle = np.array([sample.width, sample.height]) / 2
        off = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - middle).sum(1)
        portraits.append((sample.decode().pixels, boxes[off.argmin()]))
    return portraits


def _share_found(portraits: Sequence[Portrait], size: Size) -> float:
    """The share of faces found when `size` of each box's width and height is `_SMALL`."""
    locator = _locator()
    found = 0
    for canvas, faces_xyxy in _canvases(portraits, size):
        detections = locator.locate(sample_of(canvas)).detections
        found += int((overlaps(detections.boxes_xyxy, faces_xyxy) >= _OVERLAP).any(0).sum())
    return found / len(portraits)


def _canvases(portraits: Sequence[Portrait], size: Size) -> Iterator[tuple[Pixels, Floats]]:
    """Noisy grey canvases with shrunk portraits, and where their faces are."""
    random = np.random.default_rng(0)
    width, height = _CANVAS_WH
    for start in range(0, len(portraits), len(_PLACES_XY)):
        grey = random.integers(60, 190) + random.normal(0, 8, (height, width, 3))
        canvas = np.clip(grey, 0, 255).astype(np.uint8)
        faces = []
        placed = zip(portraits[start : start + len(_PLACES_XY)], _PLACES_XY, strict=False)
        for (pixels, box), (x, y) in placed:
            zoom = _SMALL / size(*(box[2:] - box[:2]).tolist())
            shrunk = cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
            shrunk = shrunk[: height - y, : width - x]
            canvas[y : y + shrunk.shape[0], x : x + shrunk.shape[1]] = shrunk
            faces.append(box * zoom + np.array([x, y, x, y]))
        yield canvas, np.array(faces, np.float32)


@cache
def wider_searched() -> tuple[Searched, ...]:
    """Search every picture of wider_mini; boxes are in the frame of the squeezed picture."""
    folder = data("wider_mini")
    locator = _locator(detector_threshold=_LEAST_CONFIDENCE)
    searched = []
    for entry in json.loads((folder / "gt.json").read_text()):
        squeezed = read_sample(folder / entry["file"]).decode().pixels
        zoom = _SQUEEZED / max(entry["orig_w"], entry["orig_h"])
        size_wh = round(entry["orig_w"] * zoom), round(entry["orig_h"] * zoom)
        found = locator.locate(
            sample_of(np.asarray(cv2.resize(squeezed, size_wh), np.uint8))
        ).detections
        found = found.select(np.argsort(-found.confidences, kind="stable"))
        faces = np.array([face["xywh_416"] for face in entry["faces"]], np.float32).reshape(-1, 4)
        faces[:, 2:] += faces[:, :2]
        squeeze = np.tile(np.float32(_SQUEEZED) / np.array(size_wh, np.float32), 2)
        searched.append(Searched(found.boxes_xyxy * squeeze, found.confidences, faces))
    return tuple(searched)


def _threshold_for(searched: Sequence[Searched], unmatched: int) -> float:
    """The lowest threshold at which at most so many detections match no face."""
    strays = np.concatenate([each.confidences[~_matches(each)[0]] for each in searched])
    if len(strays) <= unmatched:
        return _LEAST_CONFIDENCE
    return float(np.nextafter(np.sort(strays)[::-1][unmatched], np.float32(1)))


def _recalls(searched: Sequence[Searched], threshold: float) -> tuple[dict[str, float], int]:
    """The share of faces found in every band, and how many detections match no face."""
    heights, found, strays = [], [], 0
    for each in searched:
        confident = each.confidences >= threshold
        matched, taken = _matches(
            Searched(each.found_xyxy[confident], each.confidences[confident], each.faces_xyxy)
        )
        heights.append(each.faces_xyxy[:, 3] - each.faces_xyxy[:, 1])
        found.append(taken)
        strays += int((~matched).sum())
    tall, seen = np.concatenate(heights), np.concatenate(found)
    recalls = {
        band: float(seen[(tall >= low) & (tall < high)].mean())
        for band, (low, high) in _BANDS.items()
    }
    return recalls, strays


def _matches(searched: Searched) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Give each detection, most confident first, the free face it overlaps most.

    Returns which detections got one, (m,), and which faces were taken, (n,). What is less confident
    takes nothing from what is more, so raising a threshold changes no match above it.
    """
    shared = overlaps(searched.found_xyxy, searched.faces_xyxy)
    matched = np.zeros(len(searched.found_xyxy), np.bool_)
    taken = np.zeros(len(searched.faces_xyxy), np.bool_)
    for detection, row in enumerate(shared):
        free = np.where(taken, 0.0, row)
        if free.size and free.max() >= _OVERLAP:
            taken[free.argmax()] = matched[detection] = True
    return matched, taken


def overlaps(a_xyxy: Floats, b_xyxy: Floats) -> Floats:
    """Intersection over union of every box of one set and every box of another, (m, n)."""
    shared = shared_areas(a_xyxy, b_xyxy)
    return np.asarray(shared / (areas(a_xyxy)[:, None] + areas(b_xyxy) - shared), np.float32)
