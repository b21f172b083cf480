"""What do AWS's clients see when something goes wrong?"""


class AwsError(Exception):
    """An answer that is an error in AWS's words: `code` is its name, `status` of HTTP."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
