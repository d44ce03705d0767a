"""Names of rows and columns: where two inputs carry them, they decide, and positions do not."""

import sys
from collections import Counter
from typing import Any, Literal, NamedTuple

import numpy as np

from partwise._text import cut

Match = Literal["names", "position"]
Side = Literal["rows", "columns"]

#: Names that a text lists before it only counts.
_FIRST = 3


class Labels(NamedTuple):
    """What rows and columns are called; None where nothing says so."""

    rows: np.ndarray | None = None
    columns: np.ndarray | None = None


def labels_of(given: Any) -> Labels:
    """The labels of a frame of pandas or polars, of a Series of pandas (rows) or of an AnnData."""
    if is_anndata(given):
        return Labels(np.asarray(given.obs_names), np.asarray(given.var_names))
    if is_of(given, "pandas", "DataFrame"):
        return Labels(np.asarray(given.index), np.asarray(given.columns))
    if is_of(given, "pandas", "Series"):
        return Labels(np.asarray(given.index))
    if is_of(given, "polars", "DataFrame"):
        return Labels(columns=np.asarray(given.columns, dtype=object))
    return Labels()


def is_of(given: Any, library: str, kind: str) -> bool:
    """Whether something is of a class of a library, which is not loaded for it."""
    module = sys.modules.get(library)
    return module is not None and isinstance(given, getattr(module, kind))


def is_anndata(given: Any) -> bool:
    """Whether something is an AnnData."""
    return is_of(given, "anndata", "AnnData")


def named(labels: np.ndarray | None) -> np.ndarray | None:
    """Labels that are names: None for those that only count."""
    return None if labels is None or _counts(labels) else labels


class Matching:
    """Finds what stands beside an X in the order of its names.

    Parameters
    ----------
    labels : Labels
        Those of X.
    match : "names" or "position"
        Whether names are looked at.

    Attributes
    ----------
    remarks : list of str
        What stood in another order.
    """

    def __init__(self, labels: Labels, match: Match) -> None:
        if match not in ("names", "position"):
            text = cut(repr(match), 60)
            raise ValueError(f"match = {text} is not one of 'names', 'position'")
        self._labels = labels
        self._match = match
        self.remarks: list[str] = []

    def rows(self, what: str, labels: np.ndarray | None) -> np.ndarray | None:
        """Where the rows of X are among ``labels``; None if they stand in the same order."""
        return self.order(what, "rows", labels, ("X", self._labels.rows))

    def columns(self, what: str, labels: np.ndarray | None) -> np.ndarray | None:
        """Where the columns of X are among ``labels``; None if they stand in the same order."""
        return self.order(what, "columns", labels, ("X", self._labels.columns))

    def both(self, what: str, labels: Labels) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Where rows and columns of X are among ``labels``."""
        return self.rows(what, labels.rows), self.columns(what, labels.columns)

    def order(
        self, what: str, side: str, found: np.ndarray | None, wanted: tuple[str, np.ndarray | None]
    ) -> np.ndarray | None:
        """Where the names ``wanted`` of something else are among those ``found`` of ``what``.

        O(length). None if one of them has no names or the order is the same: then nothing has to be
        moved.

        Raises ValueError with the first differences of both if the names are not the same, or if
        some occur more than once and the order differs.
        """
        whom, names = wanted
        if self._match == "position" or found is None or names is None or _same(found, names):
            return None
        own, other = _comparable(found, names)
        if _counts(found) or _counts(names):
            # A count is a name only beside the same numbers in another order.
            if len(own) != len(other) or set(own) != set(other):
                return None
        place = {name: at for at, name in enumerate(own)}
        if len(place) < len(own) or len(set(other)) < len(other):
            raise ValueError(_doubled(what, side, own, (whom, other)))
        take = np.array([place.get(name, -1) for name in other], dtype=np.intp)
        if len(own) != len(other) or (take < 0).any():
            raise ValueError(_apart(what, side, own, (whom, other)))
        moved = np.flatnonzero(take != np.arange(len(take)))
        if not len(moved):
            return None
        first = _listed([other[at] for at in moved[:1]])
        self.remarks.append(
            f"{what}: {side} stand in another order than those of {whom} and were matched by name "
            f"({len(moved)} of {len(take)} moved, first: {first})"
        )
        return take


def repeated(which: str, names: np.ndarray | None) -> list[str]:
    """A remark on names that do not tell rows or columns apart, if any."""
    if names is None or _counts(names) or len(set(listed := names.tolist())) == len(listed):
        return []
    doubled = [name for name, count in Counter(listed).items() if count > 1]
    return [
        f"{which} of X that occur more than once: {len(doubled)} (first: {_listed(doubled[:1])})"
    ]


def _same(found: np.ndarray, names: np.ndarray) -> bool:
    return found is names or (len(found) == len(names) and bool(np.all(found == names)))


def _counts(labels: np.ndarray) -> bool:
    """Whether labels only count: 0, 1, 2, … as numbers or text, or polars' column_0, column_1, …"""
    if labels.dtype.kind in "iu":
        return bool(np.array_equal(labels, np.arange(len(labels))))
    if not len(labels) or not isinstance(labels[0], (int, str, np.integer)):
        return False
    first, last = str(labels[0]), str(labels[-1])
    for lead in ("", "column_"):
        if (first, last) == (f"{lead}0", f"{lead}{len(labels) - 1}"):
            return all(str(name) == f"{lead}{at}" for at, name in enumerate(labels.tolist()))
    return False


def _comparable(found: np.ndarray, names: np.ndarray) -> tuple[list[Any], list[Any]]:
    """Both as lists of the same kind: numbers beside text become text, and NaN equals itself."""
    lists = [
        [name if name == name else None for name in _listable(each).tolist()]
        for each in (found, names)
    ]
    text = [all(isinstance(name, str) for name in each) for each in lists]
    if text[0] != text[1]:
        lists = [[str(name) for name in each] for each in lists]
    return lists[0], lists[1]


def _listable(labels: np.ndarray) -> np.ndarray:
    """Dates as text: NumPy would list them as nanoseconds."""
    return labels.astype(str) if labels.dtype.kind in "mM" else labels


def _listed(names: list[Any]) -> str:
    return ", ".join(cut(repr(name), 40) for name in names[:_FIRST])


_CURE = "match='position' takes them as they stand"


def _doubled(what: str, side: str, own: list[Any], other: tuple[str, list[Any]]) -> str:
    texts = []
    for whom, names in ((what, own), other):
        doubled = [name for name, count in Counter(names).items() if count > 1]
        if doubled:
            texts.append(f"{len(doubled)} of {whom} (first: {_listed(doubled)})")
    occur = f"names of {side} that occur more than once: {' and '.join(texts)}"
    return cut(f"{what}: {side} cannot be matched to those of {other[0]} by name, {occur}; {_CURE}")


def _apart(what: str, side: str, own: list[Any], other: tuple[str, list[Any]]) -> str:
    whom, names = other
    texts = []
    for (of, these), (to, those) in (((what, own), (whom, names)), ((whom, names), (what, own))):
        known = set(those)
        lone = [name for name in these if name not in known]
        if lone:
            texts.append(f"{len(lone)} of {of} not in {to} (first: {_listed(lone)})")
    return cut(
        f"{what}: {side} do not have the names of those of {whom}: {', '.join(texts)}; {_CURE}"
    )
