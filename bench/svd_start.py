"""The SVD start of partwise.NMF beside scikit-learn's _initialize_nmf: seconds, and how far apart.

    python svd_start.py DATA [NAME ...] [--threads 1,2] [--runs 7] [--init nndsvda]

DATA is the folder with the files below; sets that are missing are left out, `made` and `wide` are drawn
here. Each number of threads is set by OMP_NUM_THREADS and OPENBLAS_NUM_THREADS in a process of its
own, where runs of both alternate; a line has the medians. Beside them stands the largest difference
of W and H in shares of the largest entry.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import scipy.sparse as sp

SETS = {
    "digits": ("digits.npy", 16),
    "pbmc68k": ("pbmc68k_reduced.npz", 10),
    "reuters_r8": ("reuters_r8_tfidf.npz", 16),
    "debian": ("debian_descriptions_tfidf.npz", 20),
    "indian_pines": ("indian_pines.npy", 16),
    "made": ("", 20),
    "wide": ("", 20),
}
KINDS = ("dense", "csr", "csc")


def made(shape, per_row):
    """Draw a sparse matrix whose columns are the more frequent the earlier they stand."""
    rng = np.random.default_rng(1)
    columns = (shape[1] * rng.random(shape[0] * per_row) ** 3).astype(int)
    rows = np.repeat(np.arange(shape[0]), per_row)
    x = sp.coo_array((rng.gamma(1, 1, len(rows)), (rows, columns)), shape=shape).tocsr()
    x.sum_duplicates()
    return x


def load(folder, name):
    """Return a set as it is stored, or None where its file is missing."""
    if name == "made":
        return made((20000, 20000), 50)
    if name == "wide":
        return made((2000, 50000), 500)
    path = folder / SETS[name][0]
    if not path.exists():
        return None
    if path.suffix == ".npz":
        return sp.csr_array(sp.load_npz(path))
    x = np.load(path)
    return x.reshape(-1, x.shape[-1])


def kinds_of(x):
    """Return the ways in which a set is stored: a sparse one is made dense if that is small."""
    small = x.shape[0] * x.shape[1] <= 1 << 24
    return [kind for kind in KINDS if sp.issparse(x) or kind == "dense"][
        0 if small else 1 :
    ]


def stored(x, kind):
    """Return the set stored in a way."""
    if kind == "dense":
        return np.ascontiguousarray(x.toarray() if sp.issparse(x) else x)
    return x.asformat(kind)


def apart(ours, theirs):
    """Return the largest difference in shares of the largest entry."""
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(ours, theirs))


def compare(args, name):
    """Print the lines of a set for the threads that this process has."""
    from sklearn.decomposition._nmf import _initialize_nmf as theirs

    from partwise._start import initialize as ours

    whole, rank = load(args.data, name), SETS[name][1]
    for kind in kinds_of(whole) if whole is not None else ():
        for dtype in ("float64", "float32"):
            x = stored(whole, kind).astype(dtype)
            seconds, found = ([], []), [None, None]
            for run in range(args.runs + 1):
                for which, start in enumerate((ours, theirs)):
                    began = time.perf_counter()
                    found[which] = start(x, rank, args.init, random_state=0)
                    if run:
                        seconds[which].append(time.perf_counter() - began)
            mine, their = map(statistics.median, seconds)
            print(
                f"| {name} {x.shape[0]} × {x.shape[1]} | {rank} | {kind} {dtype}"
                f" | {os.environ['OMP_NUM_THREADS']} | {1e3 * their:.1f} | {1e3 * mine:.1f}"
                f" | {their / mine:.1f} | {apart(*found):.0e} |",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--init", default="nndsvda")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        for name in args.names:
            compare(args, name)
        return
    print(
        "| data | k | stored | threads | scikit-learn, ms | partwise, ms | ratio | apart |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for threads in args.threads.split(","):
        names = args.names or list(SETS)
        options = ["--runs", str(args.runs), "--init", args.init, "--here"]
        limits = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        subprocess.run(
            [sys.executable, __file__, str(args.data), *names, *options],
            env=os.environ | limits,
            check=True,
        )


main()
