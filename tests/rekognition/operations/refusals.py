"""What a client is told when something goes wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def refusal(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Do what must fail; give the error's code and message."""
    with pytest.raises(ClientError) as error:
        act(**request)
    said = error.value.response["Error"]
    return said["Code"], said["Message"]
