"""A system under test that speaks Rekognition's wire: AWS's own, Likeness's server, or any other.

Pairs are compared by CompareFaces, the reference as the source. Where every pair is to be compared
that would be a call for each of n (n - 1) / 2; instead each picture is enrolled in a collection of
our own by IndexFaces and searched for in it by SearchFacesByImage with a threshold of 0, which is
2 n calls and gives the similarities of all pairs. Galleries are searched in the same way. A
collection is deleted when all its answers are there.

Of a picture with several faces the largest counts, on both sides. A comparison that fails is asked
about by DetectFaces, once for each of its pictures, to learn which of them the endpoint cannot use:
that one failed to be acquired, and is not sent again. QualityFilter is NONE everywhere.

All answers are in a journal, so that an interrupted run goes on where it was. Pictures are sent as
they are where they can be, see `endpoint.sendable`.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from likeness.errors import InvalidRequest, LikenessError
from likeness.service.evaluate.findings import SystemFacts
from likeness.service.evaluate.systems.endpoint import collections
from likeness.service.evaluate.systems.endpoint.asking import Asker, Progress
from likeness.service.evaluate.systems.endpoint.client import EndpointClient, check_endpoint
from likeness.service.evaluate.systems.endpoint.galleries import MOST_CANDIDATES
from likeness.service.evaluate.systems.endpoint.journal import Journal
from likeness.service.evaluate.systems.endpoint.prices import Cost, cost_of, prices_of
from likeness.service.evaluate.systems.endpoint.trial import UNKNOWN_VERSION, Described, Trial
from likeness.service.evaluate.systems.endpoint.work import Work
from likeness.service.evaluate.trials import Plan, Scored, Tell

Confirm = Callable[[Cost], None]
"""Is told what a run costs before it starts, and raises to stop it."""
_WORKERS = 8
_DEPTH = 50


class RekognitionSystem:
    """Tests `endpoint`, or AWS's own of `region` where it is None.

    Answers are kept in a folder of this endpoint's own below `work`. `prices` are US dollars for a
    call of each operation; AWS's own where AWS is asked and none are given. `depth` is how many
    candidates a search of a gallery asks for (L).

    Raises:
        InvalidRequest: the address is none, there is no such pace, or lists are never so long.
    """

    def __init__(
        self,
        endpoint: str | None,
        region: str,
        calls_per_second: float,
        work: Path,
        confirm: Confirm,
        *,
        prices: Mapping[str, float] | None = None,
        depth: int = _DEPTH,
        workers: int = _WORKERS,
    ) -> None:
        if not 1 <= depth <= MOST_CANDIDATES:
            raise InvalidRequest(
                f"Lists of {depth} candidates cannot be had. Choose 1 to {MOST_CANDIDATES}."
            )
        check_endpoint(endpoint, calls_per_second)
        self._endpoint, self._region = endpoint, region
        self._calls_per_second = calls_per_second
        self._journal, self._confirm = work / _folder_of(endpoint, region), confirm
        self._prices = prices_of(endpoint, prices)
        self._depth, self._workers = depth, workers
        self._agreed: Mapping[str, int] | None = None

    def facts(self) -> SystemFacts:
        """Say what it is; which model it has, only its answers say."""
        return SystemFacts(
            name=self._endpoint or f"Amazon Rekognition in {self._region}",
            kind="rekognition",
            version=UNKNOWN_VERSION,
            score="similarity, 0 to 100",
            details={
                "region": self._region,
                "face": "the largest of each picture",
                "response times": "with the way there and back",
            },
        )

    def agree(self, plan: Plan) -> None:
        """Have the cost of `score` agreed to now, so that it does not ask in the middle of others.

        Raises what `score` raises.
        """
        with self._trial(plan, lambda done, total: None) as trial:
            self._agreed = self._agree_to(*trial.parts(self._depth))

    def score(self, plan: Plan, tell: Tell) -> Scored:
        """Ask what the journal does not know yet, and count all of it.

        Raises:
            InvalidRequest: the endpoint does not let us, the journal cannot be used, or the plan
                has more pairs than fit into memory.
            Fault: the endpoint cannot be reached, throttles, or fails over and over.
        """
        with self._trial(plan, tell) as trial:
            return trial.score(self._depth)

    def answers_of(self, plan: Plan, tell: Tell) -> Described:
        """Have every picture described by DetectFaces: what is said of each face's sex and age.

        Which model says it, no answer tells. Raises what `score` raises.
        """
        with self._trial(plan, tell) as trial:
            return trial.describe()

    @contextmanager
    def _trial(self, plan: Plan, tell: Tell) -> Iterator["Trial"]:
        stop = threading.Event()
        with closing(Journal(self._journal, f"{self._endpoint or 'aws'} {self._region}")) as kept:
            client = EndpointClient(
                self._endpoint,
                self._region,
                self._calls_per_second,
                connections=self._workers,
                stop=stop,
            )
            asker = Asker(client, kept, stop)
            try:
                yield Trial(plan, self.facts(), asker, self._work_off, tell)
            except (LikenessError, KeyboardInterrupt) as error:
                names = [name for name, _ in collections.leftovers(asker)]
                if not names:
                    raise
                raise type(error)(
                    f"{error} Until then faces stay there, in collection {' and '.join(names)}."
                    " Delete it if you do not go on.".strip()
                ) from error

    def _agree_to(self, asker: Asker, works: Sequence[Work]) -> Mapping[str, int]:
        """Have the cost of all calls that are left agreed to, unless it was; gives their counts."""
        for work in works:
            work.find()
        left = [work.left() for work in works]
        calls: dict[str, int] = {}
        for each in left:
            for operation, count in each.calls.items():
                calls[operation] = calls.get(operation, 0) + count
        if any(calls.values()) and calls != self._agreed:
            cost = cost_of(
                asker.client.name,
                calls,
                done=sum(each.answered for each in left),
                most_more=sum(each.most_more for each in left),
                prices=self._prices,
                calls_per_second=self._calls_per_second,
            )
            self._confirm(cost)
        return calls

    def _work_off(self, asker: Asker, works: Sequence[Work], tell: Tell) -> list[str]:
        """Ask all that is left, once its cost is agreed to; gives what is wrong all the same."""
        self._agree_to(asker, works)
        needed = {name for work in works for name in work.collections()}
        problems = [
            f"The collection {name} of an earlier run could not be deleted. Delete it."
            for name in collections.delete_leftovers(asker, needed)
        ]
        progress = Progress(tell, sum(work.left().size for work in works))
        for work in works:
            problems += work.ask(progress, self._workers)
        return problems


def _folder_of(endpoint: str | None, region: str) -> str:
    """Name a folder for an endpoint's journal, the same in every run."""
    whole = f"{endpoint or 'aws'} {region}"
    readable = re.sub(r"[^a-z0-9.]+", "-", whole.lower().removeprefix("http"))[:50].strip("-.")
    return f"rekognition-{readable}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
