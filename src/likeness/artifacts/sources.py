"""Where pinned files may come from, and who may ask a publisher for them."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Publisher(Enum):
    """Whether files that their publisher alone has may be fetched from there.

    `NEVER` is for servers and libraries, `UNLESS_IT_FAILED` for commands that say so (a failed try
    is remembered for a day), `ALWAYS` for who asks for just that.
    """

    NEVER = "never"
    UNLESS_IT_FAILED = "unless it failed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where files are looked for: in `folder` under their own names, then in `cache`.

    What neither has is fetched into `cache`, from where its pin says.
    """

    cache: Path
    folder: Path | None = None
    publisher: Publisher = Publisher.NEVER
