"""Frames around what `inverse_transform` returns, as `set_output` asks for them."""

from typing import Any

import numpy as np
from sklearn.utils._set_output import ADAPTERS_MANAGER, _get_output_config
from sklearn.utils.validation import _check_feature_names_in


def in_container(estimator: Any, X: np.ndarray, like: Any) -> Any:
    """X with the names of the features of ``estimator``, in the container that it is set to.

    Parameters
    ----------
    estimator : object
        Fitted.
    X : ndarray of shape (n_samples, n_features)
    like : object
        What it was made from, whose index it gets where it has one.

    Returns
    -------
    X : ndarray or DataFrame
    """
    kind = _get_output_config("transform", estimator)["dense"]
    if kind == "default":
        return X
    names = _check_feature_names_in(estimator)
    return ADAPTERS_MANAGER.adapters[kind].create_container(X, like, columns=names)
