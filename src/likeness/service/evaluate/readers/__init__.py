"""Readers of what is to be evaluated: each makes a plan, and says of every row what is wrong."""

from likeness.service.evaluate.readers.labels import NO_LABELS, Labels, read_labels
from likeness.service.evaluate.readers.lfw_list import is_lfw_list
from likeness.service.evaluate.readers.pair_files import read_scores
from likeness.service.evaluate.readers.pair_rows import PairRows
from likeness.service.evaluate.readers.pairs import plan_of_pairs, plan_of_scores
from likeness.service.evaluate.readers.pictures import plan_of_manifest, plan_of_people
from likeness.service.evaluate.readers.planning import NOT_STATED, NOTHING_SAID, DataDescription
from likeness.service.evaluate.readers.splitting import split_for_searches

__all__ = [
    "NOTHING_SAID",
    "NOT_STATED",
    "NO_LABELS",
    "DataDescription",
    "Labels",
    "PairRows",
    "is_lfw_list",
    "plan_of_manifest",
    "plan_of_pairs",
    "plan_of_people",
    "plan_of_scores",
    "read_labels",
    "read_scores",
    "split_for_searches",
]
