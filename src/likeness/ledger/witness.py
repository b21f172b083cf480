"""Who keeps checkpoints elsewhere? A witness: a command of the operator's choice.

It is given a signed checkpoint on its standard input and puts it where a holder of this machine
cannot change it: another machine, a mail box, a repository, a store that only takes in.
"""

import subprocess
from collections.abc import Sequence

from likeness.errors import LedgerBroken

_COMMAND_S = 60.0


def tell_witness(argv: Sequence[str], checkpoint: str, *, timeout_s: float = _COMMAND_S) -> None:
    """Give a checkpoint to a command, without a shell, and wait until it has kept it.

    Raises:
        LedgerBroken: it does not say, by ending with 0, that it has.
    """
    command = argv[0]
    try:
        subprocess.run(  # noqa: S603  # the operator's own command, without a shell
            argv,
            check=True,
            input=checkpoint.encode(),
            stdout=subprocess.DEVNULL,
            timeout=timeout_s,
        )
    except subprocess.CalledProcessError as error:
        raise LedgerBroken(
            f"{command} was expected to keep a checkpoint and ended with {error.returncode}: run it"
            " by hand to see why"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LedgerBroken(
            f"{command} was expected to keep a checkpoint within {timeout_s:g} s and did not: run"
            " it by hand to see why"
        ) from error
    except OSError as error:
        raise LedgerBroken(
            f"{command} was expected to keep a checkpoint and cannot be run ({error.strerror}):"
            " correct the command"
        ) from error
