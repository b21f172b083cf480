import doctest

import likeness.evaluation


def test_the_package_works_as_its_docstring_says() -> None:
    found = doctest.testmod(likeness.evaluation)
    assert found.attempted > 10
    assert not found.failed


def test_public_names_are_those_that_are_there() -> None:
    public = {
        name
        for name, value in vars(likeness.evaluation).items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    assert public == set(likeness.evaluation.__all__)
