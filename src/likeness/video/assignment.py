"""Pairs rows of a table with its columns, so that all pairs together cost least, or gain most."""

import numpy as np
from numpy.typing import NDArray


def least_costly(costs: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the rows and columns of the pairs of (n, m) costs, as many as the shorter side has."""
    # It takes a third of a second to import, and whoever only asks whether a file is a clip, as
    # every command on pictures does, follows nobody.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return rows, columns


def most_gainful(gains: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the same of (n, m) gains."""
    return least_costly(-gains)
