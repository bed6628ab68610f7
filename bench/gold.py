#!/usr/bin/env python3
"""Bayesian targets whose evidence is known: the default mode of `sluice vi` on each, over seeds.

    bench/gold.py build/release/sluice [--data DIR] [--seeds N] [--threads N] [--seconds S] [NAME...]

The targets are those of Blessing et al. 2024 (arXiv:2406.07423). brownian and seeds stand here whole;
DIR holds the files german.data-numeric, ionosphere_full.pkl and sonar_full.pkl (UCI data sets, as in
github.com/DenisBless/variational_sampling_methods, targets/data); without it these are left out.

The gold log evidence: brownian is an exact Gaussian marginal and two integrals by quadrature; of seeds
the plates' effects are integrated by Gauss-Hermite and the rest by importance sampling; of ionosphere
it is importance sampling with two million draws of a multivariate t density (four runs of sequential
Monte Carlo had said -111.585, with a standard error of 0.008); the others are means of such runs.
"""
import argparse
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")


def brownian(_):
    """Inference Gym's BrownianMotionUnknownScalesMissingMiddleObservations."""
    observed = [0.21592641, 0.118771404, -0.07945447, 0.037677474, -0.27885845, -0.1484156, -0.3250906,
                -0.22957903, -0.44110894, -0.09830782, -0.8786016, -0.83736074, -0.7384849, -0.8939254,
                -0.7774566, -0.70238715, -0.87771565, -0.51853573, -0.6948214, -0.6202789]
    at = list(range(1, 11)) + list(range(21, 31))
    return {"times": 30, "seen": 20, "at": at, "observed": observed}


def seeds(_):
    """Crowder 1978, table 3."""
    return {"plates": 21,
            "germinated": [10, 23, 23, 26, 17, 5, 53, 55, 32, 46, 10, 8, 10, 8, 23, 0, 3, 22, 15, 32, 3],
            "sown": [39, 62, 81, 51, 39, 6, 74, 72, 51, 79, 13, 16, 30, 28, 45, 4, 12, 41, 30, 51, 7],
            "kind": [0] * 11 + [1] * 10,
            "extract": [0] * 5 + [1] * 6 + [0] * 5 + [1] * 5}


def logistic(columns, y, prior_sd, centred):
    """Columns divided by their deviations, a 1 before them."""
    scaled = []
    for column in columns:
        mean = statistics.fmean(column)
        sd = statistics.pstdev(column) or 1.0
        scaled.append([(v - (mean if centred else 0)) / sd for v in column])
    x = [[1.0] + list(row) for row in zip(*scaled)]
    return {"rows": len(x), "columns": len(x[0]), "x": x, "y": y, "prior_sd": prior_sd}


def credit(folder, prior_sd):
    with open(os.path.join(folder, "german.data-numeric"), encoding="ascii") as lines:
        rows = [[float(v) for v in line.split()] for line in lines if line.strip()]
    return logistic(list(zip(*[row[:-1] for row in rows])), [int(row[-1]) - 1 for row in rows], prior_sd, False)


def pickled(folder, name):
    with open(os.path.join(folder, name + "_full.pkl"), "rb") as file:
        x, y = pickle.load(file)
    return logistic([list(map(float, c)) for c in zip(*x)], [(int(v) + 1) // 2 for v in y], 1.0, True)


# name: program, data, gold log evidence, its error, whether DIR is needed
TARGETS = {
    "brownian": ("brownian", brownian, 1.187747, 0.0, False),
    "seeds": ("seeds", seeds, -73.407, 0.0015, False),
    "credit": ("logistic", lambda d: credit(d, 10.0), -585.095, 0.004, True),
    "credit-no-prior": ("logistic", lambda d: credit(d, 0.0), -504.485, 0.004, True),
    "ionosphere": ("logistic", lambda d: pickled(d, "ionosphere"), -111.609, 0.0013, True),
    "sonar": ("logistic", lambda d: pickled(d, "sonar"), -108.385, 0.009, True),
}


def fit(options, name, program, data, seed):
    command = [options.sluice, "vi", os.path.join(MODELS, program + ".stan"), "--data", data, "--json", "-q",
               "--seed", str(seed), "--threads", str(options.threads), "--max-seconds", str(options.seconds)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(answer.stdout)
    result["processor"] = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(f"{name}, seed {seed}: log Z {result['log_evidence']['value']:.4f} by importance, "
          f"{result['bridge']['value']:.4f} by the bridge, {result['processor']:.1f} s; {result['verdict']}",
          file=sys.stderr, flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sluice")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0)
    options = parser.parse_intermixed_args()
    print("| target | dimensions | gold log Z | seeds | certified | log Z less gold, median (worst) | "
          "the bridge's less gold, median (worst) | gold less ELBO, median | k-hat, median | "
          "ESS share, median | processor s, median (most) |")
    print("|---" * 11 + "|")
    for name, (program, make, gold, _, needs_data) in TARGETS.items():
        if (options.names and name not in options.names) or (needs_data and not options.data):
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(make(options.data), file)
            file.flush()
            fits = [fit(options, name, program, file.name, seed) for seed in range(options.seeds)]
        off = [f["log_evidence"]["value"] - gold for f in fits]
        median = statistics.median
        bridge = [f["bridge"]["value"] - gold for f in fits]
        seconds = [f["processor"] for f in fits]
        print(f"| {name} | {fits[0]['dim']} | {gold} | {len(fits)} | {sum(f['certified'] for f in fits)} | "
              f"{median(off):+.4f} ({max(off, key=abs):+.4f}) | "
              f"{median(bridge):+.4f} ({max(bridge, key=abs):+.4f}) | "
              f"{median(gold - f['elbo']['value'] for f in fits):.3f} | "
              f"{median(f['khat'] for f in fits):.2f} | "
              f"{median(f['ess'] / f['judged_by'] for f in fits):.3f} | "
              f"{median(seconds):.1f} ({max(seconds):.1f}) |", flush=True)


if __name__ == "__main__":
    main()
