"""partwise.NMF beside sklearn.decomposition.NMF at equal iterations from equal starts.

    python same_answer.py DATA [NAME ...] [--starts 20] [--iterations 1,5,20,100,200]

DATA is the folder with the files below; sets that are missing are left out. Both sides begin with
init="random" and the same random_state; the objective is evaluated in float64 by one function. A
line of the table has the median and the largest ratio of ours to theirs, and counts the starts from
which partwise was better and worse by more than 0.1 %.
"""

import argparse
import pathlib
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_wine
from sklearn.decomposition import NMF as Theirs

from partwise import NMF as Ours

SETS = {
    "wine": ("", 4),
    "digits": ("digits.npy", 16),
    "golub": ("golub_all_aml.npy", 3),
    "brca21": ("brca21_sbs96.npy", 5),
    "reuters_r8": ("reuters_r8_tfidf.npz", 16),
}
METHODS = {
    "cd": {"solver": "cd"},
    "mu": {"solver": "mu"},
    "mu-kl": {"solver": "mu", "beta_loss": "kullback-leibler"},
}
APART = 1e-3


def load(folder, name):
    file = SETS[name][0]
    if not file:
        return load_wine().data
    path = folder / file
    if not path.exists():
        return None
    if path.suffix == ".npz":
        # A sixth of the rows, so that 20 starts end within minutes.
        return sp.load_npz(path).tocsr()[::6].astype(np.float64)
    return np.load(path).astype(np.float64)


def objective(x, w, h, kl):
    """Half the squared error, or the Kullback-Leibler divergence."""
    x = x.toarray() if sp.issparse(x) else x
    fitted = w.astype(np.float64) @ h.astype(np.float64)
    if not kl:
        return 0.5 * np.sum((x - fitted) ** 2)
    seen = x > 0
    return np.sum(x[seen] * np.log(x[seen] / fitted[seen])) - x.sum() + fitted.sum()


def run(cls, x, rank, method, seed, iterations):
    model = cls(
        rank,
        init="random",
        random_state=seed,
        tol=0,
        max_iter=iterations,
        **METHODS[method],
    )
    w = model.fit_transform(x)
    return objective(x, w, model.components_, method == "mu-kl")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETS))
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--iterations", default="1,5,20,100,200")
    parser.add_argument("--methods", default=",".join(METHODS))
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    print("| data | method | iterations | median | largest | better | worse |")
    print("|---|---|---|---|---|---|---|")
    for name in args.names or SETS:
        x = load(args.data, name)
        if x is None:
            continue
        for method in args.methods.split(","):
            for iterations in map(int, args.iterations.split(",")):
                ratios = [
                    run(Ours, x, SETS[name][1], method, seed, iterations)
                    / run(Theirs, x, SETS[name][1], method, seed, iterations)
                    for seed in range(args.starts)
                ]
                better = sum(ratio < 1 - APART for ratio in ratios)
                worse = [seed for seed, ratio in enumerate(ratios) if ratio > 1 + APART]
                print(
                    f"| {name} | {method} | {iterations} | {np.median(ratios):.4f} | {max(ratios):.4f}"
                    f" | {better} | {len(worse)}{': ' + str(worse) if worse else ''} |",
                    flush=True,
                )


main()
