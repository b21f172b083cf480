"""Let a request that comes again, by a token of its caller's, change nothing."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection

from likeness.access import RequestTokens
from likeness.gallery import Collection
from likeness.service.uses.caller import Caller

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once:
    """A token, and all else that came with it; without a token, every request is a new one."""

    tokens: RequestTokens
    token: str | None
    asked: Mapping[str, Any]

    def act(
        self,
        caller: Caller,
        of: Collection | None,
        kept: TypeAdapter[T],
        act: Callable[[Connection], T],
    ) -> Callable[[Connection], T]:
        """Make an act take effect once; again, it gives what it gave at first, as `kept` reads it.

        The act raises TokenReused where the token came with another request.
        """
        if (token := self.token) is None:
            return act
        # A collection made anew under the same name is another.
        whole = json.dumps(
            [None if of is None else str(of.id), self.asked], sort_keys=True
        ).encode()
        claim = (caller.principal, caller.operation, token, hashlib.sha256(whole).digest())

        def act_once(connection: Connection) -> T:
            answered = self.tokens.claim(connection, *claim)
            if answered is not None:
                return kept.validate_json(answered)
            result = act(connection)
            self.tokens.keep(connection, *claim, response=kept.dump_json(result))
            return result

        return act_once
