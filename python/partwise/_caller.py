"""Warnings that point at the line of the program that called."""

import sys
import warnings

#: Packages between this one and whoever called it.
_BETWEEN = frozenset({"partwise", "sklearn", "joblib"})


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first frame outside this package, scikit-learn and joblib."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame.f_globals) in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_of_unfinished(rows: list[int], of: int) -> None:
    """Warn of rows of a transform that are not as good as they could be, if there are any."""
    if rows:
        first = ", ".join(str(row) for row in rows[:3])
        warn(
            f"{len(rows)} of {of} rows of W (first: {first}) were not stationary when the "
            "improvements of a row ran out"
        )


def _package(names: dict[str, object]) -> str:
    return str(names.get("__name__", "")).partition(".")[0]
