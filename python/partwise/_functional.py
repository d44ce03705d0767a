"""`non_negative_factorization`: scikit-learn's function on the engine of partwise."""

import scipy.sparse as sp
from sklearn.utils import check_array
from sklearn.utils._param_validation import validate_params
from sklearn.utils.validation import check_non_negative

from ._caller import warn, warn_of_fit
from ._indices import compressed
from ._nmf import NMF
from ._validation import FLOATS, check_dtype, check_factor, check_zeros_for_beta, refuse_masked


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "W": ["array-like", None],
        "H": ["array-like", None],
        "update_H": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def non_negative_factorization(
    X,
    W=None,
    H=None,
    n_components="auto",
    *,
    init=None,
    update_H=True,
    solver="cd",
    beta_loss="frobenius",
    tol=1e-4,
    max_iter=200,
    alpha_W=0.0,
    alpha_H="same",
    l1_ratio=0.0,
    random_state=None,
    verbose=0,
    shuffle=False,
):
    """Factorize X once, as scikit-learn's function of this name does.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Non-negative and finite. Sparse X is never made dense.
    W : array-like of shape (n_samples, n_components), default=None
        Where W starts if ``init='custom'``. Not used if ``update_H=False``: W is then the exact
        solution for H, whatever it starts from.
    H : array-like of shape (n_components, n_features), default=None
        Where H starts if ``init='custom'``, or H itself if ``update_H=False``.
    n_components : int, 'auto' or None, default='auto'
        Number of components; 'auto' takes that of H if it is used, else the number of features.
    init : {'random', 'nndsvd', 'nndsvda', 'nndsvdar', 'custom'}, default=None
        See `NMF`, as for all that follow.
    update_H : bool, default=True
        Whether H is fitted too.
    solver : {'cd', 'mu', 'auto'}, default='cd'
    beta_loss : float or {'frobenius', 'kullback-leibler', 'itakura-saito'}, \
            default='frobenius'
    tol : float, default=1e-4
    max_iter : int, default=200
    alpha_W : float, default=0.0
    alpha_H : float or 'same', default='same'
    l1_ratio : float, default=0.0
    random_state : int, RandomState instance or None, default=None
    verbose : int, default=0
    shuffle : bool, default=False

    Returns
    -------
    W : ndarray of shape (n_samples, n_components)
    H : ndarray of shape (n_components, n_features)
    n_iter : int
        Number of iterations; 1 if ``update_H=False``.

    Raises
    ------
    ValueError
        If X, W or H has a negative entry, X one that is infinite or NaN, or W or H another
        shape or only zeros.
    TypeError
        If W or H is of another dtype than X.

    Examples
    --------
    >>> import numpy as np
    >>> from partwise import non_negative_factorization
    >>> X = np.array([[1, 1], [2, 1], [3, 1.2], [4, 1], [5, 0.8], [6, 1]])
    >>> W, H, n_iter = non_negative_factorization(
    ...     X, n_components=2, init="random", random_state=0)
    """
    est = NMF(
        n_components=n_components,
        init=init,
        solver=solver,
        beta_loss=beta_loss,
        tol=tol,
        max_iter=max_iter,
        random_state=random_state,
        alpha_W=alpha_W,
        alpha_H=alpha_H,
        l1_ratio=l1_ratio,
        verbose=verbose,
        shuffle=shuffle,
    )
    est._validate_params()
    refuse_masked(X)
    X = compressed(X) if sp.issparse(X) else X
    X = check_array(X, accept_sparse=("csr", "csc"), dtype=FLOATS)
    if not update_H:
        return _rows_only(est, X, W, H)
    fit = est._fit(X, W, H)
    warn_of_fit(fit.notable)
    return fit.w, fit.h, max(1, fit.iterations)


def _rows_only(est, X, W, H):
    """Solve for W with H as given."""
    est._check_params(X)
    check_zeros_for_beta(X, est._beta_loss)
    if W is not None:
        warn("When update_H=False, the provided initial W is not used.", RuntimeWarning)
    check_non_negative(X, "NMF (input X)")
    H = check_factor(H, (est._n_components, X.shape[1]), "NMF (input H)", zero=True)
    check_dtype(X, H=H)
    return est._rows_given(X, H), H, 1
