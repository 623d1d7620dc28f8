"""Preparation of data: learned from the training rows, applied to others.

In: rows or labels. Out: pure functions of other rows (scalings, codings of labels), and two parts of the rows.
Invariant: what is learned depends on the rows that it is learned from, and on nothing else.
"""

from symgrad.train.data.labels import Coding, class_numbers, one_hot
from symgrad.train.data.scaling import Scaling, center, centre, divide_by_maximum, min_max, standardise, standardize
from symgrad.train.data.split import split

__all__ = [
    "Coding",
    "Scaling",
    "center",
    "centre",
    "class_numbers",
    "divide_by_maximum",
    "min_max",
    "one_hot",
    "split",
    "standardise",
    "standardize",
]
