"""Predicting hidden entries: training objective, test error and range of the predictions.

    python completion.py DATA [NAME ...] [--seeds 30] [--iterations 300] [--arms default,plain,...]

A NAME is a table that is made here (poisson, wide, large, tastes) or a file of the folder DATA without
its ending: digits.npy, or ratings.csv with the columns user, item and rating (MovieLens comes so).
A tenth of what is known is hidden at random, anew for each seed. A line of the table has medians over
the seeds: of half the squared error of what was seen, of the objective (that and the ridge) over that of
the first arm with the same seed, of the root of the mean squared error of what was hidden and its worst,
and the largest prediction of a hidden entry over the largest entry of X. `rows` predicts the mean of
what is seen of a row.

The arms: `default` is what partwise.fit does and `defaultplain` the same in iterations of one sweep
without extrapolation; `free` the same without a penalty, `plain` in such iterations, `textbook`
coordinate descent in NumPy, `mu` and `bpp` those rules, `tight` to a tol of 1e-9; `ridge:C` has C times
the unit of the default ridge; `kl` and `kl:L` are the Kullback-Leibler divergence, by default and with a
ridge L. `free>plain` and `plain>free` go on from where the first ended, with the second.
"""

import argparse
import csv
import pathlib

import numpy as np
import scipy.sparse as sp

import partwise

SETS = {
    "poisson": (4, 6, 8),
    "wide": (4, 8),
    "digits": (16, 32),
    "ratings": (5, 10, 20),
    "tastes": (5, 10),
}
FREE = {"w_l2": 0.0, "h_l2": 0.0}


def planted(rng, m, n, rank=4, mean=5.0):
    """Counts of a few parts."""
    w, h = rng.gamma(1.0, 1.0, (m, rank)), rng.gamma(1.0, 1.0, (rank, n))
    return rng.poisson(w @ h * (mean / rank)).astype(float)


def tastes(rng, users=400, items=300):
    """Ratings from 1 to 5: users and items with a bias and three tastes; few items have most of them."""
    taste = rng.normal(size=(users, 3)) @ rng.normal(size=(3, items)) / np.sqrt(3)
    level = 3.5 + 0.4 * rng.normal(size=(users, 1)) + 0.5 * rng.normal(size=items)
    x = np.clip(
        np.rint(level + 0.5 * taste + 0.7 * rng.normal(size=(users, items))), 1, 5
    )
    popular = np.minimum(1.0, 12.0 / np.arange(1, items + 1) ** 0.8)
    active = np.minimum(1.0, rng.pareto(1.5, (users, 1)) * 0.3 + 0.1)
    return x * (rng.random((users, items)) < popular * active)


def load(folder, name, rng):
    """A table, whether its zeros are unknown, and what is known of it."""
    if name == "poisson":
        return planted(rng, 120, 80), False
    if name == "wide":
        return planted(rng, 60, 300), False
    if name == "tastes":
        return tastes(rng), True
    if name == "large":
        return planted(rng, 120, 80, mean=100.0), False
    path = folder / f"{name}.npy"
    if path.exists():
        return np.load(path).astype(float), False
    with (folder / f"{name}.csv").open() as lines:
        rows = [row[:3] for row in csv.reader(lines)]
    rows = [row for row in rows if row[0].isdigit()]
    users, items, ratings = zip(*rows, strict=True)
    at = [np.unique(ids, return_inverse=True)[1] for ids in (users, items)]
    return sp.coo_matrix((np.array(ratings, float), at)).toarray(), True


def hide(x, sparse, rng, share):
    """What is seen and what is hidden."""
    known = x > 0 if sparse else np.ones(x.shape, bool)
    hidden = known & (rng.random(x.shape) < share)
    return known & ~hidden, hidden


def textbook(x, seen, k, seed, iterations):
    """One sweep over W, one over H, each component in turn, of the entries seen."""
    rng = np.random.default_rng(seed)
    scale = np.sqrt(x[seen].mean() / k)
    w, h = (
        scale * np.abs(rng.standard_normal(s))
        for s in ((x.shape[0], k), (k, x.shape[1]))
    )
    mask, left = seen.astype(float), np.where(seen, x - w @ h, 0.0)
    for _ in range(iterations):
        for f, g, r, m in ((w, h, left, mask), (h.T, w.T, left.T, mask.T)):
            for t in range(k):
                curvature = m @ g[t] ** 2
                step = np.divide(
                    r @ g[t], curvature, out=np.zeros(len(f)), where=curvature > 0
                )
                new = np.maximum(f[:, t] + step, 0.0)
                r -= m * np.outer(new - f[:, t], g[t])
                f[:, t] = new
    return w, h


def unit(x, seen):
    """What the default ridge is a share of: the deviation of X from its mean, and sizes."""
    m, n = seen.any(1).sum(), seen.any(0).sum()
    return x[seen].std() * seen.sum() ** 0.5 * (m**-0.5 + n**-0.5)


def fit(arm, x, seen, sparse, k, seed, iterations):
    """W and H of an arm, and how it ended."""
    if arm == "textbook":
        return (*textbook(x, seen, k, seed, iterations), "max_iter", 0.0, np.nan)
    shown = np.where(seen, x, 0.0)
    base = {"seed": seed, "max_iter": iterations, "threads": 1}
    data = (
        (sp.csr_matrix(shown), {"missing": "absent"})
        if sparse
        else (shown, {"missing": ~seen})
    )
    options = {
        "default": {},
        "defaultplain": {"plain": iterations},
        "free": FREE,
        "plain": {"plain": iterations, **FREE},
        "mu": {"rule": "mu", **FREE},
        "bpp": {"rule": "bpp", **FREE},
        "sweep1": {"sweeps": 1, **FREE},
    }
    r = None
    for part in arm.split(">"):
        name, _, size = part.partition(":")
        asked = dict(options.get(name, {}))
        if name.startswith("ridge"):
            both = float(size) * unit(x, seen)
            asked = {**options.get(name[5:], {}), "w_l2": both, "h_l2": both}
        elif name == "kl":
            asked = {
                "loss": "kl",
                **({"w_l2": float(size), "h_l2": float(size)} if size else {}),
            }
        elif name == "tight":
            asked = {"tol": 1e-9, "max_iter": 20 * iterations, **FREE}
        start = {} if r is None else {"w": r.w, "h": r.h}
        r = partwise.fit(data[0], k, **{**base, **data[1], **asked, **start})
    return r.w, r.h, r.status, r.seconds, r.objective


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--ranks", default="")
    parser.add_argument("--arms", default="rows,textbook,plain,free,mu,default")
    args = parser.parse_args()
    columns = f"{'train':>12} {'objective':>9} {'test':>9} {'worst':>9} {'range':>8}"
    print(f"{'set':14} {'k':>3} {'arm':14} {columns}  status")
    for name in args.names:
        for k in (
            map(int, args.ranks.split(",")) if args.ranks else SETS.get(name, (4, 8))
        ):
            first = {}
            for arm in args.arms.split(","):
                rows, ended = [], []
                for seed in range(args.seeds):
                    rng = np.random.default_rng(seed)
                    x, sparse = load(args.data, name, rng)
                    seen, hidden = hide(x, sparse, rng, args.share)
                    if arm == "rows":
                        total = np.where(seen, x, 0.0).sum(1) / np.maximum(
                            seen.sum(1), 1
                        )
                        q, how = (
                            np.broadcast_to(total[:, None], x.shape),
                            ("", 0.0, np.nan),
                        )
                    else:
                        w, h, *how = fit(arm, x, seen, sparse, k, seed, args.iterations)
                        q = np.asarray(w, float) @ h
                    test = np.sqrt(np.mean((x - q)[hidden] ** 2))
                    train = 0.5 * np.sum((x - q)[seen] ** 2)
                    objective = how[2] / first.setdefault(seed, how[2])
                    rows.append(
                        (train, objective, test, q[hidden].max() / x.max(), how[1])
                    )
                    ended.append(how[0])
                train, objective, test, largest, seconds = np.median(rows, axis=0)
                worst = max(row[2] for row in rows)
                ways = " ".join(
                    f"{s}:{ended.count(s)}" for s in sorted(set(ended)) if s
                )
                print(
                    f"{name:14} {k:3} {arm:14} {train:12.5g} {objective:9.6f} {test:9.4g} {worst:9.3g} {largest:8.3g}"
                    f"  {ways} {seconds:.2g} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
