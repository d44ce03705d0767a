"""Random fits, masks and transforms, each against an independent computation in NumPy and SciPy.

    python campaign.py [fits masks transforms ...] [--cases 5000] [--first 0] [--only SEED]

A case is made from its seed alone; what fails is printed with the seed, and `--only SEED` runs it again.
`fits`: X of many kinds, under random losses, rules, weights, missing entries, penalties, precisions and
starts. The factors are finite and not negative; objective, shares and certificate are those of the
definitions in long doubles, within the bound that the fit states; a status is true; nothing is worse than
the start; other threads, storage and order of memory give the same bits; `verify` agrees.
`masks`: what a hidden entry holds changes no bit, and every way to hide the same entries gives the same
objective. `transforms`: every row is SciPy's `nnls` (Frobenius), or no worse than L-BFGS-B (other losses).
"""

import argparse
import sys
import traceback
import warnings

import numpy as np
import scipy.optimize
import scipy.sparse as sp

import partwise

LD = np.longdouble
# What a part of the certificate counts as at most.
MOST = LD(2) ** 52
LOSSES = (
    "frobenius",
    "frobenius",
    "frobenius",
    "kl",
    "kl",
    "is",
    0.5,
    1.5,
    3.0,
    -0.5,
    "huber",
)


def table(rng):
    """X of some kind, and what kind."""
    m, n = (int(np.exp(rng.uniform(0, np.log(60)))) for _ in range(2))
    r = int(rng.integers(1, 6))
    w, h = rng.gamma(0.7, 1.0, (m, r)), rng.gamma(0.7, 1.0, (r, n))
    kind = rng.choice(
        ["uniform", "exact", "noisy", "counts", "sparse", "constant", "heavy", "holes"]
    )
    x = {
        "uniform": lambda: rng.random((m, n)),
        "exact": lambda: w @ h,
        "noisy": lambda: np.maximum(w @ h + 0.1 * rng.standard_normal((m, n)), 0),
        "counts": lambda: rng.poisson(3 * w @ h).astype(float),
        "sparse": lambda: rng.random((m, n)) * (rng.random((m, n)) < 0.15),
        "constant": lambda: np.full((m, n), rng.random() + 0.1),
        "heavy": lambda: np.exp(4 * rng.standard_normal((m, n))),
        "holes": lambda: (
            rng.random((m, n)) * (rng.random((m, 1)) < 0.7) * (rng.random(n) < 0.7)
        ),
    }[kind]()
    scale = rng.choice([1.0, 1.0, 1.0, 1e-6, 1e6, 2.0**-90, 2.0**30])
    return np.ascontiguousarray(x * scale), str(kind)


def loss_name(loss, x):
    return f"huber:{0.5 * float(x.mean()) + 1e-300!r}" if loss == "huber" else loss


def case(seed):
    """X, and the arguments of a fit."""
    rng = np.random.default_rng([20261129, seed])
    x, kind = table(rng)
    loss = rng.choice(np.array(LOSSES, dtype=object))
    if loss in ("is", -0.5):
        x = x + 0.01 * (x.mean() or 1.0)
    m, n = x.shape
    dtype = rng.choice(["float32", "float64"])
    x = x.astype(dtype)
    loss = loss_name(loss, x)
    k = int(rng.integers(1, 8))
    options = {
        "rank": k,
        "loss": loss,
        "seed": int(rng.integers(100)),
        "max_iter": int(rng.choice([0, 1, 2, 5, 30, 200])),
        "tol": float(rng.choice([1e-4, 1e-6, 0.0])),
        "n_init": int(rng.choice([1, 1, 1, 3])),
        "threads": 1,
    }
    weighing = rng.choice(
        ["none", "none", "rows", "columns", "entries", "mask", "few", "nan"]
    )
    p = np.ones(x.shape)
    if weighing == "rows":
        p *= (options.setdefault("row_weights", rng.random(m) + 0.1))[:, None]
    elif weighing == "columns":
        p *= options.setdefault("column_weights", rng.random(n) + 0.1)
    elif weighing == "entries":
        p = rng.random(x.shape) * (rng.random(x.shape) < 0.9)
        options["weights"] = p
    elif weighing in ("mask", "few", "nan"):
        hidden = rng.random(x.shape) < {"mask": 0.15, "few": 0.7, "nan": 0.3}[weighing]
        p = 1.0 - hidden
        options["missing"] = "nan" if weighing == "nan" else hidden
        if weighing == "nan":
            x = np.where(hidden, np.nan, x).astype(dtype)
    p = p.astype(dtype)
    for key in ("row_weights", "column_weights", "weights"):
        if key in options:
            options[key] = options[key].astype(dtype)
    p = p.astype(float)
    if rng.random() < 0.4:
        big = float(x[~np.isnan(x)].mean() if p.any() else 0.0) or 1.0
        degree = {"frobenius": 2, "kl": 1, "is": 0}.get(
            loss, 2 if isinstance(loss, str) else loss
        )
        for key in ("w_l1", "w_l2", "h_l1", "h_l2"):
            # W and H are in the root of the unit of X.
            unit = big ** (degree - (0.5 if key.endswith("1") else 1.0))
            options[key] = float(rng.choice([0.0, 0.01, 1.0, 30.0]) * unit)
    rules = list(partwise.rules(loss))
    if rng.random() < 0.5:
        rule = str(rng.choice(rules))
        # A mask that is longer than a quarter of X is taken by entries too.
        if not (weighing != "none" and rule in ("pgd", "als")):
            options["rule"] = rule
    if rng.random() < 0.2:
        size = np.sqrt(np.nanmean(x) + 1e-300)
        options["w"] = (size * rng.random((m, k))).astype(dtype)
        options["h"] = (size * rng.random((k, n))).astype(dtype)
        if rng.random() < 0.5:
            options["fixed"] = str(rng.choice(["w", "h"]))
        options["n_init"] = 1
    return x, p, options, f"{kind} {m}x{n} {dtype} {weighing}"


def terms(x, q, loss):
    """d(x, q) entry by entry, the two parts of its slope in q, and the size of the terms of d."""
    if isinstance(loss, str) and loss.startswith("huber"):
        delta, r = LD(loss[6:]), np.abs(x - q)
        d = np.where(r <= delta, r * r / 2, delta * (r - delta / 2))
        omega = np.minimum(1, delta / np.maximum(r, np.finfo(LD).tiny))
        return d, omega * x, omega * q, d
    beta = {"frobenius": 2.0, "kl": 1.0, "is": 0.0}.get(loss, loss)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if beta == 2:
            d = size = (x - q) ** 2 / 2
        elif beta == 1:
            log = np.where(x > 0, x * np.log(np.where(x > 0, x, 1) / q), 0)
            d, size = log - x + q, np.abs(log) + x + q
        elif beta == 0:
            d = x / q - np.log(x / q) - 1
            size = x / q + np.abs(np.log(x / q)) + 1
        else:
            b = LD(beta)
            first = np.where(x > 0, np.where(x > 0, x, 1) ** b, 0) if beta > 0 else x**b
            parts = first / (b * (b - 1)), q**b / b, -x * q ** (b - 1) / (b - 1)
            d, size = sum(parts), sum(map(abs, parts))
            d = np.where((x == 0) & (q == 0), 0, d)
        minus = np.where(x > 0, x * q ** LD(beta - 2), 0)
        plus = q ** LD(beta - 1)
    return d, minus, plus, np.where((x == 0) & (q == 0), 0, size)


def reference(x, p, w, h, loss):
    """The divergence in long doubles, that of the model that knows nothing, and the certificate."""
    x, p, w, h = (np.asarray(a, LD) for a in (np.nan_to_num(x), p, w, h))
    q = w @ h
    d, minus, plus, size = terms(x, q, loss)
    seen = p > 0
    # Rows and columns of zeros are given zeros, although the slope is infinite there for β < 1.
    some = ~((x == 0) & (q == 0))
    minus, plus = np.where(some, minus, 0), np.where(some | np.isfinite(plus), plus, 0)
    if loss == "frobenius":
        level = LD(0)
    else:
        level = (p * x)[seen].sum() / p.sum() if seen.any() else LD(0)
    null = terms(x, np.full(x.shape, level), loss)[0]
    total = (p * np.where(seen, d, 0)).sum()
    rounding = 32 * np.finfo(LD).eps * (p * np.where(seen, size, 0)).sum()
    parts = (p * np.where(seen, minus, 0), p * np.where(seen, plus, 0))
    return total, (p * np.where(seen, null, 0)).sum(), parts, rounding


def certificate(parts, w, h, options):
    """The KKT residual of both factors; a slack below the range of doubles is none."""
    minus, plus = parts
    w, h = np.asarray(w, LD), np.asarray(h, LD)
    worst = LD(0)
    for name, f, num, den in (
        ("w", w, minus @ h.T, plus @ h.T),
        ("h", h.T, minus.T @ w, plus.T @ w),
    ):
        if options.get("fixed") == name:
            continue
        den = (
            den
            + LD(options.get(name + "_l1") or 0)
            + LD(options.get(name + "_l2") or 0) * f
        )
        scale = (f * den).sum()
        slack = np.abs(f * (den - num)).sum()
        if slack > np.finfo(float).tiny:
            worst = max(worst, min(MOST, slack / scale))
        zero = f <= 1.12e-16 * f.max(1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            pull = np.where(zero & (num > den), num / den - 1, 0)
        if pull.size:
            worst = max(worst, min(MOST, np.nanmax(pull)) / 10)
    return worst


def penalty(options, w, h):
    w, h = np.asarray(w, LD), np.asarray(h, LD)
    of = lambda name, f: (
        (options.get(name + "_l1") or 0) * f.sum()
        + (options.get(name + "_l2") or 0) / 2 * (f * f).sum()
    )
    return of("w", w) + of("h", h)


def charged(options, result):
    """What was charged, the ridge included."""
    ridge = result.ridge
    return options if ridge is None else {**options, "w_l2": ridge, "h_l2": ridge}


def check_fit(seed):
    x, p, options, what = case(seed)
    said = f"{what} { ({k: v for k, v in options.items() if np.ndim(v) == 0}) }"
    try:
        r = partwise.fit(x, **options)
    except ValueError as e:
        return (
            None
            if is_honest_refusal(x, p, options, str(e))
            else f"{said}: refused: {e}"
        )
    loss, eps = options["loss"], np.finfo(x.dtype).eps
    bad = []
    for name, f in (("w", r.w), ("h", r.h)):
        if not (np.isfinite(f).all() and (f >= 0).all()):
            bad.append(f"{name} is not finite and >= 0")
    figures = (
        r.objective,
        r.divergence,
        r.objective_bound,
        r.relative_error,
        r.explained_variance,
    )
    if not np.isfinite(figures).all() or r.divergence < 0:
        bad.append(f"figures {figures} {r.status}")
        return f"{said}: {bad}"
    asked = charged(options, r)
    total, null, parts, rounding = reference(x, p, r.w, r.h, loss)
    if abs(total - r.divergence) > r.objective_bound * 1.01 + rounding + 1e-300:
        bad.append(
            f"divergence {r.divergence!r}, in long doubles {total!r}, bound {r.objective_bound!r}"
        )
    objective = total + penalty(asked, r.w, r.h)
    room = r.objective_bound * 1.01 + rounding + 1e-12 * float(objective) + 1e-300
    if abs(objective - r.objective) > room:
        bad.append(f"objective {r.objective!r}, in long doubles {objective!r}")
    if null > 1e3 * rounding and null > 1e-280 and np.isfinite(float(null)):
        share = float(np.sqrt(max(total, 0) / null))
        slack = float(np.sqrt(r.objective_bound / null)) + 1e-6
        if abs(share - r.relative_error) > slack + 1e-3 * share:
            bad.append(f"relative error {r.relative_error}, by definition {share}")
    measured = r.kkt_residual is not None and np.isfinite(r.kkt_residual)
    if not measured:
        bad.append(f"certificate {r.kkt_residual} with status {r.status}")
    else:
        own = float(certificate(parts, r.w, r.h, asked))
        if r.status == "converged" and own > options["tol"] * 1.1 + 500 * eps:
            bad.append(
                f"converged with KKT {own:.2e}, says {r.kkt_residual:.2e}, tol {options['tol']}"
            )
        if np.isfinite(own) and abs(own - r.kkt_residual) > 0.02 * own + 2000 * eps:
            bad.append(f"KKT {r.kkt_residual:.3e}, by definition {own:.3e}")
    if (
        options["max_iter"] > 0
        and "rule" not in options
        or options.get("rule") not in ("als",)
    ):
        start = partwise.fit(x, **{**options, "max_iter": 0})
        most = (
            start.objective
            + start.objective_bound
            + r.objective_bound
            + 1e-9 * start.objective
        )
        if r.objective > most:
            bad.append(
                f"objective {r.objective!r} above that of the start {start.objective!r}"
            )
    if r.status == "numerical_trouble":
        bad.append("numerical trouble")
    bad += same_bits(x, options, r)
    beside = ("weights", "row_weights", "missing")
    v = r.verify(x, **{key: options[key] for key in beside if key in options})
    if abs(v["objective"] - r.objective) > v["objective_bound"] + room:
        bad.append(f"verify: objective {v['objective']!r}, fit {r.objective!r}")
    return f"{said}: {'; '.join(bad)}" if bad else None


def is_honest_refusal(x, p, options, text):
    """What a fit may say no to."""
    nothing = not ((np.nan_to_num(x) > 0) & (p > 0)).any()
    return (
        nothing
        or "W·H is zero there and a factor is held" in text
        or "no entry" in text
    )


def same_bits(x, options, r):
    """Other threads, order and storage."""
    bad = []
    ways = {"threads": (x, {"threads": 2}), "order": (np.asfortranarray(x), {})}
    if not np.isnan(x).any():
        ways |= {"csr": (sp.csr_matrix(x), {}), "csc": (sp.csc_matrix(x), {})}
    for what, (other, change) in ways.items():
        o = partwise.fit(other, **{**options, **change})
        if what in ("csr", "csc"):
            if what == "csc" and not (
                np.array_equal(o.w, csr.w) and np.array_equal(o.h, csr.h)
            ):
                bad.append("csc: other bits than csr")
            csr = o
        elif not (np.array_equal(o.w, r.w) and np.array_equal(o.h, r.h)):
            bad.append(f"{what}: other bits")
    return bad


def check_mask(seed):
    rng = np.random.default_rng([7, seed])
    x, _ = table(rng)
    loss = loss_name(
        rng.choice(np.array(["frobenius", "kl", 0.5, 1.5, 3.0, "huber"], dtype=object)),
        x,
    )
    x = x.astype(rng.choice(["float32", "float64"]))
    hidden = rng.random(x.shape) < rng.choice([0.02, 0.1, 0.3, 0.6, 0.9, 0.99])
    hidden.flat[rng.integers(hidden.size)] = False
    base = {
        "rank": int(rng.integers(1, 6)),
        "loss": loss,
        "seed": seed,
        "max_iter": 15,
        "tol": 0.0,
        "threads": 1,
    }
    said = f"{x.shape} {x.dtype} {loss} {hidden.mean():.2f} {base}"
    if not (x[~hidden] > 0).any():
        return None
    r = partwise.fit(x, missing=hidden, **base)
    bad = []
    for filler in (0.0, x.dtype.type(1e30), x.dtype.type(-5), np.nan, np.inf):
        o = partwise.fit(np.where(hidden, filler, x), missing=hidden, **base)
        if not (np.array_equal(o.w, r.w) and np.array_equal(o.h, r.h)):
            bad.append(f"{filler} in hidden entries gives other bits")
    # The path to a minimum multiplies what rounding has changed, so few iterations are compared.
    few = {**base, "max_iter": 2}
    want = partwise.fit(x, missing=hidden, **few)
    ways = {
        "nan": (np.where(hidden, np.nan, x).astype(x.dtype), {"missing": "nan"}),
        "weights": (x, {"weights": (~hidden).astype(x.dtype)}),
        "sparse mask": (x, {"missing": sp.csr_matrix(hidden)}),
        "sparse X": (sp.csr_matrix(x), {"missing": sp.csr_matrix(hidden)}),
    }
    for what, (other, how) in ways.items():
        o = partwise.fit(other, **how, **few)
        apart = abs(o.objective - want.objective)
        room = (
            o.objective_bound
            + want.objective_bound
            + 2e3 * np.finfo(x.dtype).eps * want.objective
        )
        if not apart <= room:
            bad.append(f"{what}: {o.objective!r} for {want.objective!r}")
        v = o.verify(other, **how)
        if not np.isfinite(v["kkt_residual"]):
            bad.append(f"{what}: verify says {v['kkt_residual']}")
    return f"{said}: {'; '.join(bad)}" if bad else None


def check_transform(seed):
    rng = np.random.default_rng([11, seed])
    x, _ = table(rng)
    loss = rng.choice(
        np.array(["frobenius", "frobenius", "kl", "is", 1.5, 3.0], dtype=object)
    )
    if loss == "is":
        x = x + 0.01 * (x.mean() or 1.0)
    if not (x > 0).any():
        return None
    k = int(rng.integers(1, 6))
    r = partwise.fit(x, k, loss=loss, seed=seed, max_iter=40, threads=1)
    new = (rng.random((4, x.shape[1])) + (loss == "is") * 0.01) * x.max()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        w = r.transform(new)
    if any("were not stationary" in str(warning.message) for warning in told):
        return None
    said, bad = f"{x.shape} {loss} k={k}", []
    for i in range(len(new)):
        if loss == "frobenius":
            scale = np.abs(r.h).max() or 1.0
            best = scipy.optimize.nnls(r.h.T / scale, new[i], maxiter=1000)[1] ** 2 / 2
            ours = ((new[i] - w[i] @ r.h) ** 2).sum() / 2
        else:
            of = lambda f: float(
                terms(new[i].astype(LD), np.asarray(f, LD) @ r.h.astype(LD), loss)[
                    0
                ].sum()
            )
            ours = of(w[i])
            best = ours
            for start in (
                w[i] + 1e-6 * (w[i].max() or 1.0),
                np.full(k, max(w[i].mean(), 1e-12)),
            ):
                scaled = lambda g, start=start: of(g * start)
                found = scipy.optimize.minimize(
                    scaled, np.ones(k), method="L-BFGS-B", bounds=[(1e-9, None)] * k
                )
                best = min(best, found.fun)
        # Each row is stationary to a KKT residual of 1e-6, so that a convex loss is above its minimum by no
        # more than that share of the size of its terms. Outside 1 <= beta <= 2 there may be other minima.
        x, q = (np.asarray(a, LD) for a in (new[i], w[i] @ r.h))
        _, minus, plus, _ = terms(x, q, loss)
        num, den = np.nansum(minus * r.h, 1), np.nansum(plus * r.h, 1)
        stationary = np.abs(w[i] * (den - num)).sum() <= 2e-6 * (w[i] * den).sum()
        size = float(terms(x, 2 * x + LD(1e-300), loss)[3].sum())
        least = ours <= best * (1 + 1e-4) + 2e-6 * size
        if not (stationary and (least or loss in ("is", 3.0))):
            bad.append(f"row {i}: {ours!r}, SciPy {best!r}")
    one = np.vstack([r.transform(new[i : i + 1]) for i in range(len(new))])
    if not np.array_equal(one, w):
        bad.append("rows alone give other bits")
    return f"{said}: {'; '.join(bad)}" if bad else None


CHECKS = {"fits": check_fit, "masks": check_mask, "transforms": check_transform}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(CHECKS))
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    args = parser.parse_args()
    failed = 0
    for name in args.names:
        seeds = (
            range(args.first, args.first + args.cases)
            if args.only is None
            else [args.only]
        )
        wrong = 0
        for seed in seeds:
            try:
                found = CHECKS[name](seed)
            except Exception:  # noqa: BLE001
                found = traceback.format_exc()
            if found:
                wrong += 1
                print(f"{name} {seed}: {found}", flush=True)
        print(f"{name}: {len(seeds)} cases, {wrong} failed", flush=True)
        failed += wrong
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
