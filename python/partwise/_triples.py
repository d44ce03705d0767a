"""Tables of (row, column, value), which are no matrices: told from a look at their columns."""

import re
from typing import Any

import numpy as np

#: Names of columns that hold ids, whole or as their end.
_IDS = re.compile(
    r"(^|[_ .-])(id|ids|idx|index|key|code)$|(?<=[a-z])(Id|ID|Idx)$"
    r"|^(user|item|movie|product|customer|client|song|track|artist|book|article|doc|document|word"
    r"|term|gene|cell|barcode|feature|sample|row|col|column|i|j)s?$",
    re.IGNORECASE,
)

#: Rows from which columns without names are looked at: fewer pairs are distinct by chance.
_ROWS = 20

#: Rows that are looked at: sorting so many pairs takes a tenth of a second.
_LOOKED_AT = 100_000


def looks_like_triples(X: Any, names: np.ndarray | None) -> list[str]:
    """A remark on an X of user, item, rating and perhaps a time, if it is one.

    It has three or four columns. The first two hold whole numbers that come back, whose pairs do not;
    and they are named as ids are, or have no names and reach beyond the values that follow.
    """
    if isinstance(X, tuple) or X.shape[1] not in (3, 4) or len(X) < 3:
        return []
    texts = [] if names is None else [name for name in names.tolist() if isinstance(name, str)]
    if texts:
        if len(texts) < len(X.T) or not all(_IDS.search(name.strip()) for name in texts[:2]):
            return []
    elif len(X) < _ROWS or X[:, :2].max() <= X[:, 2].max():
        return []
    seen = X[:_LOOKED_AT]
    return _remark(X) if _are_ids(seen[:, 0], seen[:, 1], comes_back=not texts) else []


def _are_ids(first: Any, second: Any, comes_back: bool) -> bool:
    for ids in (first, second):
        if not (np.isfinite(ids) & (ids >= 0) & (ids == np.floor(ids))).all():
            return False
    counts = [len(np.unique(ids)) for ids in (first, second)]
    if comes_back and max(counts) > len(first) // 2:
        return False
    pairs = np.stack([first, second], axis=1)
    return len(np.unique(pairs, axis=0)) == len(pairs)


def _remark(X: np.ndarray) -> list[str]:
    return [
        f"X looks like a list of (row, column, value), {X.shape[0]} of them, and is taken for a matrix "
        "of ids: for the matrix that it lists pass scipy.sparse.coo_array((value, (row, column))) with "
        "row and column as integers from 0, and missing='absent' if what is not listed is unknown"
    ]
