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


class FitWarning(UserWarning):
    """What changes the meaning of a fit that is nevertheless one.

    Components that are zero, or began again on the way; penalties that leave nothing, or hold nothing
    down since only one factor has one; restarts that failed; missing entries that are predicted far
    outside X; a time limit that left no time to begin. Each is raised once per fit, and
    ``warnings.simplefilter("ignore", partwise.FitWarning)`` silences them. Too few iterations are
    scikit-learn's ``ConvergenceWarning``.
    """


def warn_of_fit(remarks: list[str]) -> None:
    """Warn of what a fit says of its result."""
    for remark in remarks:
        warn(remark, FitWarning)


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
