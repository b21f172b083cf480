"""How well are people's faces found? Three ways of clustering, on pictures with names.

    python -m bench.clusterings FOLDER [PEOPLE]

FOLDER has a folder for each person, as LFW's; PEOPLE is how many of them to draw, all without.
Every face of every picture is clustered; the one portrayed is the folder's person, and the others
are in the way. It takes minutes and prints the tables of docs/clusters.md.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.portrayed import portrayed
from likeness.app import Workload
from likeness.errors import LikenessError
from likeness.library import Likeness, open_likeness
from likeness.service.enrol.sources import picture_files
from likeness.service.search.clusters import group
from likeness.terms import Template, in_parallel, relative_scores

RATES = (3e-3, 1e-3, 3e-4, 1e-4, 1e-5)
ROUNDS = 30
NOBODY = ""

# The faces of each cluster, by their numbers.
Clusters = Iterable[Sequence[int]]
Method = Callable[[Sequence[Template], Sequence[int], float], Clusters]


def average_linkage(
    templates: Sequence[Template], pictures: Sequence[int], threshold: float
) -> Clusters:
    """What `likeness cluster` does."""
    grouping = group(templates, pictures, threshold)
    return [cluster.members for cluster in grouping.clusters] + [(face,) for face in grouping.alone]


def single_linkage(
    templates: Sequence[Template], pictures: Sequence[int], threshold: float
) -> Clusters:
    """Join the two faces most alike first, unless that puts two of a picture together."""
    clusters = {face: {face} for face in range(len(templates))}
    for _, a, b in sorted(_alike(templates, pictures, threshold), reverse=True):
        one, other = clusters[a], clusters[b]
        if one is not other and not {pictures[f] for f in one} & {pictures[f] for f in other}:
            one |= other
            clusters.update(dict.fromkeys(other, one))
    return [list(faces) for faces in {id(faces): faces for faces in clusters.values()}.values()]


def chinese_whispers(
    templates: Sequence[Template], pictures: Sequence[int], threshold: float
) -> Clusters:
    """Let every face take the name that most of its neighbours have (Biemann 2006).

    Neighbours count by how far they are above the threshold; nobody takes a name from a picture.
    """
    neighbours: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for score, a, b in _alike(templates, pictures, threshold):
        neighbours[a].append((b, score - threshold + 1))
        neighbours[b].append((a, score - threshold + 1))
    beside: dict[int, list[int]] = defaultdict(list)
    for face, picture in enumerate(pictures):
        beside[picture].append(face)
    names = list(range(len(templates)))
    order = np.random.default_rng(0)
    for _ in range(ROUNDS):
        for face in order.permutation(list(neighbours)).tolist():
            weights: dict[int, float] = defaultdict(float)
            for neighbour, weight in neighbours[face]:
                weights[names[neighbour]] += weight
            for other in beside[pictures[face]]:
                if other != face:
                    weights.pop(names[other], None)
            if weights:
                names[face] = min(weights, key=lambda name: (-weights[name], name))
    clusters = defaultdict(list)
    for face, name in enumerate(names):
        clusters[name].append(face)
    return clusters.values()


def bcubed(clusters: Clusters, people: Sequence[str]) -> tuple[float, float]:
    """Mean precision and recall of the faces that are somebody's (Bagga and Baldwin 1998)."""
    known = [[people[face] for face in each if people[face] != NOBODY] for each in clusters]
    of_person = Counter(person for each in known for person in each)
    precision = recall = 0.0
    for each in known:
        for person, count in Counter(each).items():
            precision += count * count / len(each)
            recall += count * count / of_person[person]
    return precision / of_person.total(), recall / of_person.total()


def wrong_joins(clusters: Clusters, people: Sequence[str]) -> int:
    """How many joins brought another person into a cluster."""
    people_in = [{people[face] for face in each} - {NOBODY} for each in clusters]
    return sum(max(0, len(each) - 1) for each in people_in)


def _alike(
    templates: Sequence[Template], pictures: Sequence[int], threshold: float
) -> Iterator[tuple[float, int, int]]:
    """Give the score and the numbers of all faces that reach the threshold, but of one picture."""
    vectors = np.stack([template.vector for template in templates])
    means = np.array([template.cohort.mean for template in templates], np.float32)
    for a, raw in enumerate(vectors @ vectors.T):
        scores = relative_scores(raw, means, np.array(means[a]))
        for b in np.flatnonzero(scores[:a] >= threshold).tolist():
            if pictures[a] != pictures[b]:
                yield float(scores[b]), a, b


def _faces(
    likeness: Likeness, files: Sequence[Path]
) -> tuple[list[Template], list[int], list[str]]:
    def find(picture: Path) -> tuple[list[Template], int]:
        try:
            located = likeness.finder.locate(likeness.sample(picture))
        except LikenessError:
            return [], 0
        return likeness.finder.templates(located), portrayed(located) if located.faces else 0

    templates: list[Template] = []
    pictures: list[int] = []
    people: list[str] = []
    for number, (of_picture, chosen) in enumerate(in_parallel(find, files, likeness.workers)):
        templates += of_picture
        pictures += [number] * len(of_picture)
        people += [
            files[number].parent.name if face == chosen else NOBODY
            for face in range(len(of_picture))
        ]
    return templates, pictures, people


def main(folder: Path, count: int | None = None) -> None:
    """Print a row for every method and rate, on the pictures of so many people."""
    files = picture_files([folder])
    everybody = sorted({file.parent.name for file in files})
    drawn = set(np.random.default_rng(1).permutation(everybody)[:count].tolist())
    likeness = open_likeness(workload=Workload.MANY)
    templates, pictures, people = _faces(
        likeness, [file for file in files if file.parent.name in drawn]
    )
    named = len(templates) - people.count(NOBODY)
    print(f"{len(templates)} faces, {named} of {len(set(people) - {NOBODY})} people")
    print(likeness.installation.model)
    rates = sorted({*RATES, 1 / len(templates)}, reverse=True)
    methods: tuple[Method, ...] = (average_linkage, single_linkage, chinese_whispers)
    for method in methods:
        for rate in rates:
            threshold = likeness.calibration.threshold(rate)
            clusters = list(method(templates, pictures, threshold))
            precision, recall = bcubed(clusters, people)
            f = 2 * precision * recall / (precision + recall)
            print(
                f"| {method.__name__} | {rate:.2g} | {precision:.3f} | {recall:.3f} | {f:.3f} |"
                f" {len(templates) - len(clusters)} | {wrong_joins(clusters, people)} |",
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
