"""What face_recognition finds in many pictures: slow, so kept under `bench-out/cache`.

Kept is what it said of every face, whole; which face a picture is of is chosen anew each time, so
that a change of that rule never meets answers to another one.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peer import SCRIPTS, Peer, peer_versions
from bench.portrayed import portrayed_of
from bench.workplace import OUT

Answer = dict[str, Any]

_SCRIPT = "face_recognition_pictures.py"
_AT_A_TIME = 256
_PROCESSES = 2


def their_scores(pictures: Sequence[Path]) -> NDArray[np.float32]:
    """The scores, (n, n), of the faces portrayed, of all pairs: less their L2 distance.

    Lowest of all where a picture has no face that face_recognition finds.
    """
    descriptors = np.array([_portrayed(answer) for answer in _answers(pictures)])
    squares = (descriptors**2).sum(1)
    products = descriptors @ descriptors.T
    scores = -np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    return np.asarray(np.where(np.isnan(scores), -np.inf, scores), np.float32)


def _answers(pictures: Sequence[Path]) -> list[Answer]:
    """What the peer says of every picture: kept for these versions, this script and these bytes."""
    digest = hashlib.sha256(peer_versions().encode())
    digest.update((SCRIPTS / _SCRIPT).read_bytes())
    for picture in pictures:
        digest.update(picture.read_bytes())
    kept = OUT / "cache" / f"face_recognition-{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".part")
        draft.write_text(json.dumps(_ask(pictures)))
        draft.replace(kept)
    kept_answers: list[Answer] = json.loads(kept.read_text())
    return kept_answers


def _ask(pictures: Sequence[Path]) -> list[Answer]:
    """Ask two processes side by side: their answers matter here, not their speed."""
    shares = [pictures[number::_PROCESSES] for number in range(_PROCESSES)]

    def work(share: Sequence[Path]) -> list[Answer]:
        said: list[Answer] = []
        with Peer(_SCRIPT) as peer:
            for start in range(0, len(share), _AT_A_TIME):
                batch = [str(path) for path in share[start : start + _AT_A_TIME]]
                said += peer.ask({"pictures": batch})["answers"]
                print(f"  face_recognition: {len(said)} of {len(share)}", file=sys.stderr)
        return said

    with ThreadPoolExecutor(_PROCESSES) as pool:
        said = list(pool.map(work, shares))
    answers = dict(zip(chain(*shares), chain(*said), strict=True))
    return [answers[picture] for picture in pictures]


def _portrayed(picture: Answer) -> NDArray[np.float64]:
    """The descriptor of the face portrayed, chosen as with us."""
    faces = picture["faces"]
    if not faces:
        return np.full(128, np.nan)
    boxes_xyxy = np.array([face["box_xyxy"] for face in faces], np.float32)
    chosen = portrayed_of(boxes_xyxy, picture["width"], picture["height"])
    return np.array(faces[chosen]["descriptor"])
