"""A witness keeps checkpoints elsewhere: a command of the operator's choice.

It is given a signed checkpoint on its standard input and puts it where a holder of this machine
cannot change it: another machine, a mail box, a repository, a store that only takes in.
"""

from collections.abc import Sequence

from likeness.errors import LedgerBroken
from likeness.secrets import run_command

_COMMAND_S = 60.0


def tell_witness(argv: Sequence[str], checkpoint: str, *, timeout_s: float = _COMMAND_S) -> None:
    """Give a checkpoint to a command, and wait until it has kept it.

    Raises:
        LedgerBroken: it does not say, by ending with 0, that it has.
    """
    run_command(argv, LedgerBroken, timeout_s=timeout_s, written=checkpoint.encode())
