"""Text from elsewhere (file names, subjects' names, what libraries say), safe to print."""


def plain(text: object) -> str:
    r"""Write every character that is not printable as an escape such as `\x1b`, for a terminal.

    Control characters are commands to a terminal, line breaks forge lines, direction marks turn
    names around, and what stands for undecodable bytes of a file name cannot be printed at all.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(text)
    )
