"""What a pickle is marked with, so that an older package says what it cannot read."""

from typing import Any

from partwise._native import __version__

_KEY = "_partwise_version"


def marked(state: dict[str, Any]) -> dict[str, Any]:
    """``state`` with the version of this package."""
    return {**state, _KEY: __version__}


def unmarked(state: dict[str, Any], name: str) -> dict[str, Any]:
    """``state`` of a ``name`` without the version that saved it.

    Raises ValueError if that version is newer than this one in its first two numbers.
    """
    state = dict(state)
    saved = state.pop(_KEY, __version__)
    if _numbers(saved) > _numbers(__version__):
        raise ValueError(
            f"this {name} was saved by partwise {saved}, which is newer than "
            f"partwise {__version__}: update partwise to load it"
        )
    return state


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
