"""What stands for a class or function whose packages are not installed."""

from importlib import import_module
from typing import Any


def loaded(name: str, module: str) -> Any:
    """``name`` of ``module``; without scikit-learn a class or function that says how to install it.

    So ``hasattr``, ``help`` and ``from partwise import *`` work in any case, and what is used says what
    it needs.
    """
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("sklearn", "scipy", "joblib"):
            raise
        return _standing_in(name, error.name)


def _standing_in(name: str, lacking: str) -> Any:
    text = (
        f"partwise.{name} needs scikit-learn, and there is no package {lacking!r}: "
        "pip install 'partwise[sklearn]'; partwise.fit works without"
    )

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ImportError(text, name=lacking)

    refuse.__doc__ = text
    if name[0].islower():
        refuse.__name__ = refuse.__qualname__ = name
        return refuse
    return type(name, (), {"__init__": refuse, "__doc__": text, "__module__": "partwise"})
