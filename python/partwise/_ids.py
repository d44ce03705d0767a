"""Columns that hold ids rather than values: told from a look at them and at their names."""

import re
from typing import Any

import numpy as np

from partwise._text import cut

#: How names of columns that hold ids end.
_ENDS = re.compile(r"(?i:(^|[_ .-])(id|ids|idx|index|key|code)$)|(?<=[a-z])(Id|ID|Idx)$")

#: Names of the first columns of triples, beside those.
_SIDES = re.compile(
    r"^(user|item|movie|product|customer|client|song|track|artist|book|article|doc|document|word"
    r"|term|gene|cell|barcode|feature|sample|row|col|column|i|j)s?$",
    re.IGNORECASE,
)

#: Rows from which columns without names are looked at: fewer pairs are distinct by chance.
_ROWS = 20

#: Rows that are looked at: sorting so many pairs takes a tenth of a second.
_LOOKED_AT = 100_000


def remarks_on_ids(X: Any, names: np.ndarray | None) -> list[str]:
    """What there is to say of an X that lists triples, or that begins with a column of ids."""
    if isinstance(X, tuple) or len(X) < 3 or not X.shape[1]:
        return []
    return _of_triples(X, names) or _of_column(X, names)


def _of_column(X: Any, names: np.ndarray | None) -> list[str]:
    """A remark on a first column that is named as ids are, of whole numbers that never come back."""
    if names is None or not isinstance(names[0], str) or not _ENDS.search(names[0].strip()):
        return []
    ids = X[:_LOOKED_AT, 0]
    if not _are_whole(ids) or len(np.unique(ids)) < len(ids):
        return []
    name = cut(repr(names[0]), 60)
    return [
        f"column {name} of X looks like ids, and is fitted as values: X.set_index({name}) makes it "
        f"names of rows, X.drop(columns={name}) leaves it out"
    ]


def _of_triples(X: Any, names: np.ndarray | None) -> list[str]:
    """A remark on an X of user, item, rating and perhaps a time, if it is one.

    It has three or four columns. The first two hold whole numbers that come back, whose pairs do not;
    and they are named as ids are, or have no names and reach beyond the values that follow.
    """
    if X.shape[1] not in (3, 4):
        return []
    texts = [] if names is None else [name for name in names.tolist() if isinstance(name, str)]
    if texts:
        names_ids = [
            _ENDS.search(name.strip()) or _SIDES.search(name.strip()) for name in texts[:2]
        ]
        if len(texts) < len(X.T) or not all(names_ids):
            return []
    elif len(X) < _ROWS or X[:, :2].max() <= X[:, 2].max():
        return []
    seen = X[:_LOOKED_AT]
    return _remark(X) if _are_ids(seen[:, 0], seen[:, 1], comes_back=not texts) else []


def _are_ids(first: Any, second: Any, comes_back: bool) -> bool:
    if not (_are_whole(first) and _are_whole(second)):
        return False
    counts = [len(np.unique(ids)) for ids in (first, second)]
    if comes_back and max(counts) > len(first) // 2:
        return False
    pairs = np.stack([first, second], axis=1)
    return len(np.unique(pairs, axis=0)) == len(pairs)


def _are_whole(ids: Any) -> bool:
    return bool((np.isfinite(ids) & (ids >= 0) & (ids == np.floor(ids))).all())


def _remark(X: np.ndarray) -> list[str]:
    return [
        f"X looks like a list of (row, column, value), {X.shape[0]} of them, and is taken for a matrix "
        "of ids: for the matrix that it lists pass scipy.sparse.coo_array((value, (row, column))) with "
        "row and column as integers from 0, and missing='absent' if what is not listed is unknown"
    ]
