"""What has to be closed: the end of a `with` does it."""

from types import TracebackType
from typing import Self


class Closing:
    """Lets a `with` close whatever has a `close`."""

    def close(self) -> None:
        """Let go of everything."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
