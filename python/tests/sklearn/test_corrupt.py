"""Sparse X that contradicts itself is refused by name; nothing is read that is not X's."""

import numpy as np
import pytest
import scipy.sparse as sp

from partwise import NMF, MiniBatchNMF, non_negative_factorization

DENSE = np.random.RandomState(0).random_sample((6, 4))


def _with(kind, **changes):
    X = kind(DENSE)
    for name, (place, value) in changes.items():
        array = getattr(X, name).copy()
        if place is None:
            array = value(array)
        else:
            array[place] = value
        setattr(X, name, array)
    return X


CASES = {
    "column beyond": (_with(sp.csr_array, indices=(5, 10**6)), r"indices\[5\] = 1000000"),
    "column negative": (_with(sp.csr_matrix, indices=(5, -1)), r"indices\[5\] = -1"),
    "row beyond": (_with(sp.csc_array, indices=(3, 6)), r"indices\[3\] = 6"),
    "pointer falls": (_with(sp.csr_array, indptr=(2, 100)), r"indptr\[3\] = 12 is below"),
    "pointer beyond": (_with(sp.csr_array, indptr=(6, 2**30)), r"indices has 24 entries"),
    "first pointer": (_with(sp.csc_array, indptr=(0, 1)), r"indptr\[0\] = 1"),
    "short pointers": (_with(sp.csr_array, indptr=(None, lambda a: a[:-1])), r"shape \(6,\)"),
    "short data": (_with(sp.csr_array, data=(None, lambda a: a[:-3])), r"data has 21 entries"),
    "coo beyond": (_with(sp.coo_matrix, row=(4, 99)), r"row\[4\] = 99"),
    "bsr beyond": (_with(lambda d: sp.bsr_array(d, blocksize=(2, 2)), indices=(1, 9)), r"= 9"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_by_name(name):
    X, match = CASES[name]
    fitted = NMF(2).fit(DENSE)
    for call in (
        NMF(2).fit,
        MiniBatchNMF(2).fit,
        MiniBatchNMF(2).partial_fit,
        fitted.transform,
        lambda X: non_negative_factorization(X, n_components=2),
    ):
        with pytest.raises(ValueError, match=match):
            call(X)


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
@pytest.mark.parametrize("container", ["array", "matrix"])
def test_every_format_is_accepted(name, container):
    X = getattr(sp, f"{name}_{container}")(DENSE)
    held, dense = (NMF(2, random_state=0).fit(given).components_ for given in (X, DENSE))
    np.testing.assert_allclose(held, dense)
