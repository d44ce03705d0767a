"""Peak memory of NMF and MiniBatchNMF beside scikit-learn's, beyond X itself.

    python memory.py [--rows 1080000] [--cols 54000] [--stored 6900000] [--rank 20] [--iterations 10]

X is sparse, in single precision, with a few long columns and many short ones, as counts of words are. Each
fit runs in a process of its own; a line has the resident memory that it came to beyond that of the process
when X was made.
"""

import argparse
import resource
import subprocess
import sys

CASES = {
    "sklearn NMF": ("sklearn.decomposition", "NMF", {}),
    "partwise NMF": ("partwise", "NMF", {}),
    "sklearn NMF random": ("sklearn.decomposition", "NMF", {"init": "random"}),
    "partwise NMF random": ("partwise", "NMF", {"init": "random"}),
    "sklearn MiniBatchNMF": (
        "sklearn.decomposition",
        "MiniBatchNMF",
        {"batch_size": 4096},
    ),
    "partwise MiniBatchNMF": ("partwise", "MiniBatchNMF", {"batch_size": 4096}),
}


def made(rows, cols, stored):
    import numpy as np
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    indices = np.minimum(cols * rng.random(stored) ** 3, cols - 1).astype(np.int32)
    indptr = np.sort(rng.integers(0, stored, rows + 1)).astype(np.int32)
    indptr[0], indptr[-1] = 0, stored
    data = rng.integers(1, 9, stored).astype(np.float32)
    x = sp.csr_matrix((data, indices, indptr), shape=(rows, cols))
    x.sum_duplicates()
    return x


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(args):
    import importlib
    import warnings

    warnings.filterwarnings("ignore")
    module, name, options = CASES[args.case]
    cls = getattr(importlib.import_module(module), name)
    x = made(args.rows, args.cols, args.stored)
    # A small fit first, so that libraries are loaded.
    cls(2, random_state=0, max_iter=2, **options).fit(x[:1000, :200])
    before = peak()
    model = cls(args.rank, random_state=0, max_iter=args.iterations, tol=0, **options)
    model.fit(x)
    print(f"| {args.case} | {peak() - before:.0f} | {before:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_080_000)
    parser.add_argument("--cols", type=int, default=54_000)
    parser.add_argument("--stored", type=int, default=6_900_000)
    parser.add_argument("--rank", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--case", choices=CASES)
    args = parser.parse_args()
    if args.case:
        measure(args)
        return
    print("| fit | MiB more | MiB before |\n|---|---|---|", flush=True)
    for case in CASES:
        subprocess.run([sys.executable, *sys.argv, "--case", case], check=True)


main()
