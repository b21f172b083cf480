"""face_recognition's descriptors of many pictures: slow, so kept under `bench-out/cache`."""

import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peer import Peer, peer_versions
from bench.workplace import OUT
from likeness.vision.find import foremost

_AT_A_TIME = 64
_PROCESSES = 2


def their_scores(pictures: Sequence[Path]) -> NDArray[np.float32]:
    """The scores, (n, n), of the foremost faces of all pairs: less their L2 distance.

    Lowest of all where a picture has no face that face_recognition finds.
    """
    descriptors = _descriptors(pictures)
    squares = (descriptors**2).sum(1)
    products = descriptors @ descriptors.T
    scores = -np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    return np.asarray(np.where(np.isnan(scores), -np.inf, scores), np.float32)


def _descriptors(pictures: Sequence[Path]) -> NDArray[np.float64]:
    """One of 128 numbers for every picture, all NaN where no face was found."""
    versions = peer_versions()
    digest = hashlib.sha256(versions.encode())
    for picture in pictures:
        digest.update(picture.read_bytes())
    kept = OUT / "cache" / f"face_recognition-{digest.hexdigest()[:16]}.npy"
    if not kept.exists():
        computed = _compute(pictures)
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".part.npy")
        np.save(draft, computed)
        draft.replace(kept)
    return np.asarray(np.load(kept), np.float64)


def _compute(pictures: Sequence[Path]) -> NDArray[np.float64]:
    """Two processes side by side: their answers matter here, not their speed."""
    batches = [
        [str(path) for path in pictures[start : start + _AT_A_TIME]]
        for start in range(0, len(pictures), _AT_A_TIME)
    ]

    def work(share: list[list[str]]) -> list[NDArray[np.float64]]:
        described = []
        with Peer("face_recognition_pictures.py") as peer:
            for number, batch in enumerate(share, 1):
                described += [_foremost(each) for each in peer.ask({"pictures": batch})["answers"]]
                if number % 8 == 0:
                    print(f"  face_recognition: batch {number} of {len(share)}", file=sys.stderr)
        return described

    with ThreadPoolExecutor(_PROCESSES) as pool:
        shares = list(pool.map(work, [batches[i::_PROCESSES] for i in range(_PROCESSES)]))
    order = [path for i in range(_PROCESSES) for batch in batches[i::_PROCESSES] for path in batch]
    described = dict(zip(order, [each for share in shares for each in share], strict=True))
    return np.array([described[str(path)] for path in pictures])


def _foremost(picture: dict[str, Any]) -> NDArray[np.float64]:
    """The descriptor of the foremost face, chosen as with us."""
    faces = picture["faces"]
    if not faces:
        return np.full(128, np.nan)
    boxes_xyxy = np.array([face["box_xyxy"] for face in faces], np.float32)
    chosen = foremost(boxes_xyxy, picture["width"], picture["height"])
    return np.array(faces[chosen]["descriptor"])
