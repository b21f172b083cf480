"""Answer requests of the bench: one JSON value a line in, one a line out."""

import json
import sys
from collections.abc import Callable
from typing import Any


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer until no more requests come."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
