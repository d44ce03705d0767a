"""What watches a running fit: the caller's functions, and a progress bar if one is wanted."""

from contextlib import contextmanager


@contextmanager
def watching(callbacks, progress, verbose):
    """Give the function that the engine calls after each iteration, or None.

    Parameters
    ----------
    callbacks : callable, list of callables or None
        Each is called with a dict; the fit ends if one of them returns True.
    progress : bool or None
        Whether to show a bar; None shows one if ``verbose`` is not 0.
    verbose : int or bool

    Yields
    ------
    callback : callable or None
    """
    functions = [callbacks] if callable(callbacks) else list(callbacks or ())
    wanted = bool(verbose) if progress is None else progress
    if not wanted:
        yield _all_of(functions)
        return
    from ._progress import Bar

    with Bar() as bar:
        yield _all_of([*functions, bar])


def _all_of(functions):
    """Return one function that calls every one of them, and tells whether any wants to stop."""
    if not functions:
        return None
    # A list, not a generator: each is called even if one before it wants to stop.
    return lambda state: any([function(state) for function in functions])
