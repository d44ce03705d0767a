"""How many plain iterations `NMF(solver="cd")` should begin with.

    python basin.py DATA [NAME ...] [--starts 40] [--plain 0,5,10,20,40,100]

Which stationary point a fit ends at is mostly decided in its first iterations. From the same random
starts scikit-learn's NMF and partwise's, with this many iterations of its way first, run to their ends
with default tol and max_iter. A line of the table has the median and the mean ratio of our objective to
theirs, the starts from which ours is better and worse by more than 0.1 %, and CPU seconds of all fits.
"""

import argparse
import pathlib
import time
import warnings

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_wine
from sklearn.decomposition import NMF as Theirs

import partwise._nmf
from partwise import NMF as Ours

APART = 1e-3
# File, rank, and every how many rows: 40 starts then end within a minute or two.
SETS = {
    "wine": (None, 4, 1),
    "digits": ("digits.npy", 16, 1),
    "golub": ("golub_all_aml.npy", 3, 1),
    "brca21": ("brca21_sbs96.npy", 5, 1),
    "swimmer": ("swimmer_binary.npy", 16, 1),
    "pbmc": ("pbmc68k_reduced.npz", 10, 1),
    "reuters": ("reuters_r8_tfidf.npz", 16, 6),
    "pines": ("indian_pines.npy", 8, 40),
    "faces": ("cbcl_faces.npz", 20, 6),
    "samson": ("samson.npz", 3, 12),
}


def load(folder, name):
    file, rank, step = SETS[name]
    if file is None:
        return load_wine().data, rank
    path = folder / file
    if path.suffix == ".npy":
        x = np.load(path)
    else:
        try:
            x = sp.load_npz(path).tocsr()
        except (ValueError, KeyError):
            x = max(np.load(path).values(), key=lambda a: a.size)
    if x.ndim > 2:
        x = x.reshape(-1, x.shape[-1])
    return x[::step].astype(np.float64), rank


def objective(x, w, h):
    x = x.toarray() if sp.issparse(x) else x
    return 0.5 * np.sum((x - w @ h) ** 2)


def run(cls, x, rank, seed):
    began = time.process_time()
    model = cls(rank, init="random", random_state=seed)
    w = model.fit_transform(x)
    seconds = time.process_time() - began
    return objective(x, w, model.components_), seconds


def line(name, plain, ratios, ours, theirs):
    better, worse = np.sum(ratios < 1 - APART), np.sum(ratios > 1 + APART)
    print(
        f"| {name} | {plain} | {np.median(ratios):.5f} | {np.mean(ratios):.5f} | {better} | {worse}"
        f" | {ours:.2f} | {theirs:.2f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETS))
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--plain", default="0,5,10,20,40,100")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    print("| data | plain | median | mean | better | worse | CPU s | theirs |")
    print("|---|---|---|---|---|---|---|---|")
    every = {}
    for name in args.names or SETS:
        x, rank = load(args.data, name)
        theirs = [run(Theirs, x, rank, seed) for seed in range(args.starts)]
        for plain in map(int, args.plain.split(",")):
            partwise._nmf._PLAIN = plain
            ours = [run(Ours, x, rank, seed) for seed in range(args.starts)]
            ratios = np.array(
                [a / b for (a, _), (b, _) in zip(ours, theirs, strict=True)]
            )
            seconds = [sum(s for _, s in side) for side in (ours, theirs)]
            line(name, plain, ratios, *seconds)
            every.setdefault(plain, []).append((ratios, *seconds))
    for plain, found in every.items():
        ratios, ours, theirs = zip(*found, strict=True)
        line("all", plain, np.concatenate(ratios), sum(ours), sum(theirs))


main()
