"""scikit-learn on one data set, from a start it shares with the contestant: coordinate descent, or
multiplicative updates if the environment sets LOSS=kl.

    python baseline.py product - RANK DTYPE OUT.npy       writes a product plus noise
    python baseline.py start DATA RANK DTYPE OUT SEED     writes OUT/w0.npy, OUT/h0.npy (n x k)
    python baseline.py run DATA RANK DTYPE OUT ITERATIONS prints one JSON line

ITERATIONS 0 finds how many fit into a minute, at most 200. Threads are set by OMP_NUM_THREADS and
OPENBLAS_NUM_THREADS before the start.
"""

import json
import os
import sys
import time
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import NMF

warnings.filterwarnings("ignore")
KL = os.environ.get("LOSS") == "kl"


def load(path, dtype):
    x = sp.load_npz(path).tocsr() if path.endswith(".npz") else np.load(path)
    return x.astype(dtype)


def product(rank, dtype):
    """4000 x 2500, gamma distributed factors, noise of a tenth of the mean."""
    rng = np.random.default_rng(1)
    x = rng.gamma(1, 1, (4000, rank)) @ rng.gamma(1, 1, (rank, 2500))
    return (x + 0.1 * x.mean() * np.abs(rng.standard_normal(x.shape))).astype(dtype)


def start(x, rank, seed):
    """Uniform factors, scaled so that <X, WH> = |WH|^2."""
    rng = np.random.default_rng(seed)
    w = rng.random((x.shape[0], rank)) + 1e-3
    h = rng.random((x.shape[1], rank)) + 1e-3
    scale = np.sqrt(np.sum((x @ h) * w) / np.sum((w.T @ w) * (h.T @ h)))
    return (w * scale**0.5).astype(x.dtype), (h * scale**0.5).astype(x.dtype)


def divergence(x, w, h):
    """Kullback-Leibler divergence in float64; zeros of x add their fitted value alone."""
    total = float(w.sum(0) @ h.sum(1)) - float(x.sum(dtype=np.float64))
    for i in range(0, x.shape[0], 1000):
        rows = sp.csr_array(x[i : i + 1000]).tocoo()
        data = rows.data.astype(np.float64)
        fitted = np.einsum("ek,ke->e", w[i + rows.row], h[:, rows.col])
        total += float(np.sum(data * np.log(data / fitted)))
    return total


def objective(x, w, h):
    """Half the squared error, or the divergence, in float64."""
    w, h = w.astype(np.float64), h.astype(np.float64)
    if KL:
        return divergence(x, w, h)
    if not sp.issparse(x):
        return 0.5 * sum(
            np.sum((x[i : i + 1000].astype(np.float64) - w[i : i + 1000] @ h) ** 2)
            for i in range(0, x.shape[0], 1000)
        )
    x = x.astype(np.float64)
    cross = np.sum((x @ h.T) * w)
    return 0.5 * (np.sum(x.data**2) - 2 * cross + np.sum((w.T @ w) * (h @ h.T)))


def fit(x, w0, h0, iterations):
    method = (
        {"solver": "mu", "beta_loss": "kullback-leibler"} if KL else {"solver": "cd"}
    )
    model = NMF(w0.shape[1], init="custom", tol=0, max_iter=iterations, **method)
    began = time.perf_counter()
    w = model.fit_transform(x, W=w0.copy(), H=np.ascontiguousarray(h0.T))
    return time.perf_counter() - began, w, model.components_


def main():
    what, data, rank, dtype, out = sys.argv[1:6]
    if what == "product":
        np.save(out, product(int(rank), dtype))
        return
    x = load(data, dtype)
    if what == "start":
        w0, h0 = start(x, int(rank), int(sys.argv[6]))
        np.save(f"{out}/w0.npy", w0)
        np.save(f"{out}/h0.npy", h0)
        return
    w0, h0 = np.load(f"{out}/w0.npy"), np.load(f"{out}/h0.npy")
    iterations = int(sys.argv[6])
    if iterations == 0:
        one, five = fit(x, w0, h0, 1)[0], fit(x, w0, h0, 5)[0]
        iterations = max(1, min(200, int(60 / max((five - one) / 4, 1e-9))))
    seconds, w, h = fit(x, w0, h0, iterations)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "iterations": iterations,
                "objective": objective(x, w, h),
            }
        )
    )


main()
