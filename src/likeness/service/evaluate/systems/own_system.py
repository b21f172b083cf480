"""Likeness itself as the system under test.

Of every picture the foremost face is compared: the largest, and of several within a tenth of its
area the one nearest to the middle. That is what `likeness compare --foremost` compares. A picture
without a face, or that cannot be decoded, is a failure to acquire; so is nothing else.
"""

import hashlib
import math
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import (
    ImageTooLarge,
    InputError,
    InvalidImage,
    InvalidRequest,
    NoFace,
    UnsupportedImageFormat,
    required,
)
from likeness.service.evaluate.findings import RowProblem, SystemFacts
from likeness.service.evaluate.systems.kept_templates import KeptTemplate, KeptTemplates
from likeness.service.evaluate.systems.pair_scores import (
    Templates,
    compare_every_pair,
    compare_pairs,
    search_gallery,
)
from likeness.service.evaluate.trials import Plan, Scored, Tell
from likeness.terms import in_parallel
from likeness.vision.decode import DecodeLimits, Sample, read_sample
from likeness.vision.find import FaceFinder

DEPTH = 50
"""How many candidates a search lists."""
_REASONS: Mapping[type[InputError], str] = {
    NoFace: "no face found",
    ImageTooLarge: "picture too large",
    UnsupportedImageFormat: "format that is not read",
    InvalidImage: "no picture, or a damaged one",
}


class OwnSystem:
    """Likeness with one model: embeds every picture once, and compares by the deciding score."""

    def __init__(
        self,
        finder: FaceFinder,
        *,
        version: str,
        limits: DecodeLimits,
        workers: int,
        work: Path | None = None,
        name: str = "Likeness",
        depth: int = DEPTH,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Make one.

        Args:
            finder: what finds and embeds faces.
            version: of Likeness.
            limits: what a picture may cost.
            workers: pictures worked on at a time.
            work: where an interrupted run keeps templates, in the clear; nothing is kept without.
            name: what reports call it.
            depth: how many candidates a search lists.
            details: what else reports say of it.
        """
        self._finder = finder
        self._limits = limits
        self._workers = workers
        self._work = work
        self._depth = depth
        self._facts = SystemFacts(
            name,
            "likeness",
            version,
            finder.model,
            "relative distance, negated: 0 for one picture, -1 as far as the nearest strangers"
            " usually are",
            {
                "cohort": finder.cohort_version,
                "face": "the foremost of each picture",
                "pictures at a time": str(workers),
                **(details or {}),
            },
        )

    def facts(self) -> SystemFacts:
        """Say what it is."""
        return self._facts

    def score(self, plan: Plan, tell: Tell) -> Scored:
        """Embed every picture and compare as planned; what an earlier run kept is not done again.

        Raises:
            InvalidRequest: the plan has more pairs than fit into memory, or the folder to work in
                cannot be used.
            Conflict: another run works in that folder.
            Fault: the networks fail.
        """
        made, problems = self._embedded(plan, tell)
        failed = np.array([one.vector is None for one in made], np.bool_)
        templates = _stacked(made, failed)
        samples = plan.counted(failed)
        comparisons = (
            compare_every_pair(templates, samples)
            if plan.pairs is None
            else compare_pairs(templates, samples, plan.pairs)
        )
        searches = None
        if len(plan.searches):
            searches = search_gallery(templates, samples, plan.gallery, plan.searches, self._depth)
        failures = tuple(
            (number, one.failure) for number, one in enumerate(made) if one.vector is None
        )
        seconds = np.array([one.seconds for one in made], np.float64)
        return Scored(
            self._facts,
            plan,
            samples,
            comparisons,
            searches,
            failures,
            seconds,
            problems,
        )

    def remove_work(self) -> None:
        """Take away what is kept for another run: the report is written."""
        if self._work is not None and self._work.is_dir():
            self._kept().remove()

    def _kept(self) -> KeptTemplates:
        work = required(self._work, "the folder that templates are kept in")
        return KeptTemplates(work, self._finder.model, self._finder.cohort_version)

    def _embedded(
        self, plan: Plan, tell: Tell
    ) -> tuple[list[KeptTemplate], tuple[RowProblem, ...]]:
        kept = None if self._work is None else self._kept()
        made: list[KeptTemplate] = []
        problems: list[RowProblem] = []

        def embed(number: int) -> tuple[str, KeptTemplate]:
            known = kept.get(plan.digests[number]) if kept else None
            return (plan.digests[number], known) if known else self._embed(plan, number)

        try:
            numbers = range(len(plan.samples))
            for number, (digest, one) in enumerate(in_parallel(embed, numbers, self._workers)):
                made.append(one)
                if kept is not None and digest and kept.get(digest) is None:
                    kept.add(digest, one)
                if digest and plan.digests[number] and digest != plan.digests[number]:
                    problems.append(
                        RowProblem(
                            plan.samples[number].name,
                            "The file was changed while the evaluation ran: its digest in the"
                            " report is the former one's.",
                        )
                    )
                tell(len(made), len(plan.samples))
        finally:
            if kept is not None:
                kept.close()
        return made, tuple(problems)

    def _embed(self, plan: Plan, number: int) -> tuple[str, KeptTemplate]:
        """Make the template of a picture; gives the digest of what was read, too."""
        start = time.perf_counter()
        try:
            sample = read_sample(plan.samples[number].path, self._limits)
        except InvalidRequest:  # it is not there any more: another run may find it
            return "", KeptTemplate(math.nan, None, failure="file that cannot be read")
        except InputError as error:
            seconds = time.perf_counter() - start
            return plan.digests[number], KeptTemplate(seconds, None, failure=_reason(error))
        digest = hashlib.sha256(sample.data).hexdigest()
        try:
            vector, mean = self._template(sample)
        except InputError as error:
            return digest, KeptTemplate(time.perf_counter() - start, None, failure=_reason(error))
        return digest, KeptTemplate(time.perf_counter() - start, vector, mean)

    def _template(self, sample: Sample) -> tuple[NDArray[np.float32], float]:
        located = self._finder.locate(sample)
        (template,) = self._finder.templates(located, [located.foremost])
        return template.vector, template.cohort.mean


def _reason(error: InputError) -> str:
    """Give one reason for each kind, so that they can be counted."""
    return next(
        (said for kind, said in _REASONS.items() if type(error) is kind), type(error).__name__
    )


def _stacked(made: list[KeptTemplate], failed: NDArray[np.bool_]) -> Templates:
    length = next((len(one.vector) for one in made if one.vector is not None), 1)
    vectors = np.zeros((len(made), length), np.float32)
    means = np.zeros(len(made), np.float64)
    for number, one in enumerate(made):
        if one.vector is not None:
            vectors[number], means[number] = one.vector, one.mean
    return Templates(vectors, means, failed)
