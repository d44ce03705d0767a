"""What watches a running fit: the caller's functions, and a progress bar if one is wanted."""

from contextlib import ExitStack, contextmanager

from ._progress import Bar, Printed

# Iterations from one line to the next.
_EVERY = 10


@contextmanager
def watching(callbacks, progress, verbose):
    """Give the function that the engine calls after each iteration, or None.

    Parameters
    ----------
    callbacks : callable, list of callables or None
        Each is called with a dict; the fit ends if one of them returns True.
    progress : bool or None
        Whether to show a bar.
    verbose : int or bool
        Whether to print a line on standard output for every tenth iteration, as scikit-learn does;
        from 2 on for every one.

    Yields
    ------
    callback : callable or None
    """
    functions = [callbacks] if callable(callbacks) else list(callbacks or ())
    with ExitStack() as shown:
        if verbose:
            functions.append(shown.enter_context(Printed(every=1 if verbose > 1 else _EVERY)))
        if progress:
            functions.append(shown.enter_context(Bar()))
        yield _all_of(functions)


def _all_of(functions):
    """Return one function that calls every one of them, and tells whether any wants to stop."""
    if not functions:
        return None
    # A list, not a generator: each is called even if one before it wants to stop.
    return lambda state: any([function(state) for function in functions])
