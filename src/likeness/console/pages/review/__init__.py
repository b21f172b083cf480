"""Review: which cases wait, the face that was searched for, and each candidate beside it."""

from likeness.console.pages.review.cases import review
from likeness.console.pages.review.pairs import pairs

REVIEW = review, pairs
