"""`Online`: H learnt from batches of rows, for whoever brings the batches."""

from typing import Any, Literal

import numpy as np

from partwise import _native
from partwise._input import as_native
from partwise._version import marked, unmarked

_SUMS = ("numerator", "denominator", "exponent")


class Online:
    """H, learnt from batches of rows that arrive one by one, with forgetting.

    `MiniBatchNMF` runs on it. Its state is H and sums over the batches so far; it can be pickled and
    goes on to the bit.

    Parameters
    ----------
    h : array of shape (k, n)
        Where H starts; it is copied. Batches are computed in its precision, float32 or float64.
    loss : str or float
        As for :func:`partwise.fit`.
    rule : "mu" or "hals"
        "mu" keeps the sums of multiplicative updates, under any loss; "hals" keeps the exact sums of the
        Frobenius loss, which learns from fewer batches.
    sweeps : int or None
        Inner sweeps over H for each batch, under "hals".
    w_l1, w_l2, h_l1, h_l2 : float or None
        Penalties, as for :func:`partwise.fit`.
    threads : int
        0 for all, or as many as OMP_NUM_THREADS says. The result does not depend on it.

    Raises
    ------
    ValueError
        For what is wrong with H or an option.

    Examples
    --------
    >>> import numpy as np, partwise
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((200, 3)) @ rng.random((3, 20))
    >>> online = partwise.Online(rng.random((3, 20)), rule="hals")
    >>> for _ in range(10):
    ...     for batch in np.split(X, 4):
    ...         w, objective = online.step(batch, rho=0.9)
    >>> bool(objective < 0.01 * (batch**2).sum() / 2 / len(batch))
    True
    """

    def __init__(
        self,
        h: Any,
        *,
        loss: str | float = "frobenius",
        rule: Literal["mu", "hals"] = "mu",
        sweeps: int | None = None,
        w_l1: float | None = None,
        w_l2: float | None = None,
        h_l1: float | None = None,
        h_l2: float | None = None,
        threads: int = 0,
    ) -> None:
        prices: dict[str, Any] = {"w_l1": w_l1, "w_l2": w_l2, "h_l1": h_l1, "h_l2": h_l2}
        self._options: dict[str, Any] = {
            "loss": loss,
            "rule": rule,
            "sweeps": sweeps,
            "threads": threads,
            **prices,
        }
        given = as_native(h)
        self._dtype = given.dtype
        self._engine = _native.Online(np.array(given.x), **self._options)

    @property
    def h(self) -> np.ndarray:
        """H, k × n, as the last batch left it."""
        return self._engine.h

    def step(
        self,
        X: Any,
        w: Any = None,
        *,
        rho: float = 1.0,
        w_iterations: int | None = None,
        w_tol: float | None = None,
        improve_h: bool = True,
    ) -> tuple[np.ndarray, float]:
        """W of a batch, and its objective per row with H as it was; then H is improved.

        Parameters
        ----------
        X : array of shape (m, n)
            The batch, of any type that :func:`partwise.fit` takes.
        w : array of shape (m, k) or None
            Where W starts; None starts from equal entries.
        rho : float
            What is left of the sums of former batches: 1 keeps all.
        w_iterations, w_tol : int and float, or None
            W is improved so often, or until its KKT residual is at most ``w_tol``.
        improve_h : bool
            Whether H follows.

        Returns
        -------
        w : array of shape (m, k)
        objective : float

        Raises
        ------
        ValueError
            For what is wrong with X or an option.
        """
        w = None if w is None else as_native(w, self._dtype).x
        options: dict[str, Any] = {"rho": rho, "w_iterations": w_iterations, "w_tol": w_tol}
        return self._engine.step(as_native(X, self._dtype).x, w, improve_h=improve_h, **options)

    def __getstate__(self) -> dict[str, Any]:
        sums = {name: getattr(self._engine, name) for name in _SUMS}
        return marked({"options": self._options, "h": self.h, **sums})

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = unmarked(state, "Online")
        self.__init__(state["h"], **state["options"])  # type: ignore[misc]
        for name in _SUMS:
            setattr(self._engine, name, state[name])

    def __repr__(self) -> str:
        (k, n), rule = self.h.shape, self._options["rule"]
        return f"partwise.Online({rule}, H {k} × {n}, {self._dtype})"
