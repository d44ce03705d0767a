"""`Online`: batches that the caller brings."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import partwise

RNG = np.random.default_rng(4)
X = RNG.random((120, 3)) @ RNG.random((3, 15)) + 0.01
H = RNG.random((3, 15)) + 0.1
BATCHES = np.split(X, 4)


def learnt(make=lambda batch: batch, passes=8, **options):
    online = partwise.Online(H, **options)
    for _ in range(passes):
        for batch in BATCHES:
            w, objective = online.step(make(batch), rho=0.9, w_iterations=20)
    return online, w, objective


@pytest.mark.parametrize(
    ("rule", "loss"), [("mu", "frobenius"), ("mu", "kl"), ("hals", "frobenius")]
)
def test_batches_teach_h(rule, loss):
    online, w, objective = learnt(rule=rule, loss=loss)
    assert w.shape == (30, 3)
    start = partwise.Online(H, rule=rule, loss=loss).step(BATCHES[-1], w_iterations=20)[1]
    assert objective < 0.2 * start
    if loss == "frobenius":
        left = 0.5 * np.linalg.norm(BATCHES[-1] - w @ online.h) ** 2 / 30
        assert left <= objective * (1 + 1e-9)


def test_any_kind_of_batch_gives_the_same():
    pd = pytest.importorskip("pandas")
    want = learnt()[0].h
    for make in (pd.DataFrame, sp.csr_array, np.asfortranarray, lambda batch: batch.tolist()):
        assert learnt(make)[0].h == pytest.approx(want, rel=1e-9)
    assert learnt(threads=1)[0].h.tobytes() == learnt(threads=2)[0].h.tobytes()


@pytest.mark.parametrize("rule", ["mu", "hals"])
def test_a_pickle_goes_on_to_the_bit(rule):
    online = learnt(rule=rule, passes=2)[0]
    again = pickle.loads(pickle.dumps(online))
    for one in (online, again):
        one.step(BATCHES[0], rho=0.9)
    assert online.h.tobytes() == again.h.tobytes()
    assert repr(again) == f"partwise.Online({rule}, H 3 × 15, float64)"


def test_what_is_given_is_copied_and_its_precision_kept():
    given = H.astype(np.float32)
    before = given.copy()
    online = partwise.Online(given)
    w, _ = online.step(BATCHES[0])
    assert w.dtype == online.h.dtype == np.float32
    assert np.array_equal(given, before)


def test_h_stays_if_it_is_not_to_follow():
    online = partwise.Online(H)
    online.step(BATCHES[0], improve_h=False)
    assert np.array_equal(online.h, H)


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="X"):
        partwise.Online(H).step(BATCHES[0][:, :4])
    with pytest.raises(ValueError, match="rule"):
        partwise.Online(H, rule="sn")
