"""May a watch still match? Whoever keeps it is asked about anew, when somebody resembles it.

Else the stop switch, a rule that came later or a disabled key would not reach a watch begun before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from likeness.access import is_as_written, keys, may
from likeness.gallery import Collection
from likeness.policy import Circumstances, RulesInForce
from likeness.review import Owed, Watch, watches
from likeness.secrets import Keyring
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.withhold import OF_REVIEWERS, owed_by
from likeness.terms import Action, Principal, Use


@dataclass(frozen=True, slots=True)
class WatchInForce:
    """Asks the rules in force.

    `somebody` is who acts at the command line here: who keeps a watch of which an older Likeness
    kept no more than the name.
    """

    keyring: Keyring
    rules: RulesInForce
    somebody: Principal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def owed_of(
        self, connection: Connection, watch: Watch, collection: Collection, similarity: float
    ) -> Owed | None:
        """Say what a watch's match in a collection owes, 0 to 100 alike; None if it may not be.

        That is the stricter of what rules demanded when the watch began, and demand now.

        Raises:
            KeyUnusable: a key is gone.
            Conflict, DatabaseUnavailable: the rules cannot be read.
        """
        keeper = self._keeper(connection, watch)
        if keeper is None or not may(keeper.role, Action.WATCH):
            return None
        use = use_in(
            Use(keeper, Action.WATCH, "Watch", purpose=watch.purpose),
            collection.id,
            collection.within(connection).tags.all(),
        )
        circumstances = replace(Circumstances.at_admission(use, 0), similarity=similarity)
        decision = self.rules.decide(use, circumstances, self.clock())
        if decision.refused_by or {one.duty for one in decision.obligations} - OF_REVIEWERS:
            return None
        now = owed_by(decision)
        return Owed(max(watch.reviews, now.reviews), watch.separately or now.separately)

    def _keeper(self, connection: Connection, watch: Watch) -> Principal | None:
        """Give a key's holder as they are now, and who was at the command line as they were then.

        A server's own environment says nothing of them.
        """
        if watch.principal_id.startswith("local:"):
            known = watches.keeper_of(connection, self.keyring, watch)
            return known or replace(self.somebody, id=watch.principal_id)
        for key in keys.every(connection):
            if key.principal.id == watch.principal_id and key.disabled_at is None:
                return key.principal if is_as_written(connection, self.keyring, key) else None
        return None
