"""A progress bar: tqdm where it is installed, plain lines otherwise, nothing unless asked."""

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

#: Seconds before anything is shown, so that short fits show nothing, and between two lines.
_DELAY = 0.5

Callback = Callable[[dict[str, Any]], Any]


def interactive() -> bool:
    """Whether somebody is watching: a notebook, or a prompt of Python on a terminal."""
    if "ipykernel" in sys.modules:
        return True
    return hasattr(sys, "ps1") and sys.stderr is not None and sys.stderr.isatty()


class Bar:
    """Shows the progress of a fit; use as a context manager and as its callback."""

    def __init__(self, callback: Callback | None = None) -> None:
        self._callback = callback
        self._shown: _Tqdm | _Lines | None = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown is not None:
            self._shown.close()

    def __call__(self, progress: dict[str, Any]) -> Any:
        if self._shown is None:
            self._shown = _tqdm(progress["max_iter"]) or _Lines(sys.stderr)
        self._shown.show(progress)
        return self._callback(progress) if self._callback is not None else None


class Printed:
    """Prints where a fit stands, every so many iterations and at its end."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._left: str | None = None

    def __enter__(self) -> "Printed":
        return self

    def __exit__(self, *_: object) -> None:
        if self._left is not None:
            print(self._left, flush=True)

    def __call__(self, progress: dict[str, Any]) -> None:
        at = progress["iteration"]
        line = f"Iteration {at} of {progress['max_iter']}: {text(progress)}"
        if at == 1 or at % self._every == 0:
            print(line, flush=True)
            self._left = None
        else:
            self._left = line


def text(p: dict[str, Any]) -> str:
    """One line on where a fit stands."""
    line = f"error {p['relative_error']:.4f}, KKT {p['kkt_residual']:.1e} (tol {p['tol']:g})"
    return line + (f", {p['ended']}/{p['n_init']} done" if p["n_init"] > 1 else "")


class _Tqdm:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def show(self, progress: dict[str, Any]) -> None:
        self._bar.set_postfix_str(text(progress), refresh=False)
        # A later group of restarts begins again at 1.
        if progress["iteration"] < self._bar.n:
            self._bar.reset()
        self._bar.update(progress["iteration"] - self._bar.n)

    def close(self) -> None:
        self._bar.close()


def _tqdm(max_iter: int) -> _Tqdm | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Tqdm(tqdm(total=max_iter, unit="it", desc="partwise", leave=False, delay=_DELAY))


class _Lines:
    """A line on a stream now and then."""

    _EVERY = _DELAY

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._next = time.monotonic() + self._EVERY

    def show(self, progress: dict[str, Any]) -> None:
        if self._stream is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._EVERY
        done = f"{progress['iteration']}/{progress['max_iter']}"
        self._stream.write(f"partwise: iteration {done}, {text(progress)}\n")
        self._stream.flush()

    def close(self) -> None:
        pass
