#!/usr/bin/env python3
"""The classical methods of variational inference at the settings of two published documents, over
seeds, as two Markdown tables.

Usage: bench/vi_classical.py path/to/sluice [seeds] [first seed]
"""
import json
import math
import statistics
import subprocess
import sys

BATCH = 128
MIXTURE_ENTROPY = 3.485473  # nats, by a sum over a fine grid (examples/08_variational.c)
NORMAL_ENTROPY = 1 + math.log(2 * math.pi)

SOBOL = ["--noise", "sobol"]
LOW_VARIANCE = ["--estimator", "stl", *SOBOL]
# flow, target, steps, draws, optimiser, options, what the tutorial prints, floor
TUTORIAL = [
    ("planar*2", "pot1", 30000, 1, "adagrad_window", [], "-0.89", "-1.8775"),
    ("planar*8", "pot1", 25000, 100, "adam", [], "-1.777", "-1.8775"),
    ("planar*8", "pot1", 25000, 100, "adam", SOBOL, "", "-1.8775"),
    ("planar*8", "pot1", 25000, 100, "adam", ["--schedule", "cosine"], "", "-1.8775"),
    ("planar*10", "pot4", 25000, 10, "adam", [], "-2.504", "-3.627"),
    ("planar*10", "pot4", 25000, 10, "adam", SOBOL, "", "-3.627"),
    ("planar*10", "pot4", 25000, 10, "adam", LOW_VARIANCE, "", "-3.627"),
    ("planar*10", "pot4", 25000, 10, "adam", ["--jitter", "0.7", *LOW_VARIANCE], "", "-3.627"),
    # the tutorial's jitter of this flow; that of the others is 1, the default
    ("planar*10", "pot4", 25000, 10, "adam", ["--jitter", "0.1"], "-2.504", "-3.627"),
    ("planar*10", "pot4", 25000, 10, "adam", ["--jitter", "0.1", *LOW_VARIANCE], "", "-3.627"),
    ("planar*10", "pot4", 25000, 10, "adam", ["--jitter", "0.1", *LOW_VARIANCE, "--clip", "20"], "", "-3.627"),
]
# flow, target, options, what the document prints, entropy of the target
DOCUMENT = [
    ("sylvester*3", "gaussian_mixture", ["--lr", "0.005"], "135 to 200", MIXTURE_ENTROPY),
    ("scale-loc", "gaussian55", ["--lr", "0.005"], "1,963", NORMAL_ENTROPY),
    ("scale-loc", "gaussian55", ["--lr", "0.005", "--clip", "1"], "", NORMAL_ENTROPY),
    ("scale-loc", "gaussian55", ["--lr", "0.02", "--schedule", "cosine"], "", NORMAL_ENTROPY),
]


def reports(sluice, seeds, options):
    for seed in seeds:
        done = subprocess.run([sluice, "vi", "--mode", "plain", "--seed", str(seed), "--json",
                               "--quiet", *options], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(options)}, seed {seed}: {done.stderr}")
        yield json.loads(done.stdout)


def spread(losses, digits):
    return (f"{statistics.median(losses):.{digits}f} | {min(losses):.{digits}f} to "
            f"{max(losses):.{digits}f}")


def tutorial(sluice, seeds):
    print("| flow, target | steps, draws, optimiser | tutorial, one run | median | best to worst "
          "| floor |\n|---|---|---|---|---|---|")
    for flow, target, steps, draws, optimiser, options, printed, floor in TUTORIAL:
        given = ["--target", target, "--flow", flow, "--steps", str(steps), "--samples",
                 str(draws), "--optimizer", optimiser, "--lr", "0.01", *options]
        losses = [report["loss_average"] for report in reports(sluice, seeds, given)]
        print(f"| `{flow}`, {target} | {steps:,}, {draws}, {optimiser} 0.01 {' '.join(options)} | "
              f"{printed} | {spread(losses, 3)} | {floor} |", flush=True)


def document(sluice, seeds):
    print("\n| flow, target | options | document | median | best to worst | floor |\n"
          "|---|---|---|---|---|---|")
    for flow, target, options, printed, entropy in DOCUMENT:
        given = ["--target", target, "--flow", flow, "--steps", "2000", "--samples", str(BATCH),
                 "--optimizer", "adam", *options]
        losses = [BATCH * (entropy - report["elbo"]["value"])
                  for report in reports(sluice, seeds, given)]
        print(f"| `{flow}`, {target} | {' '.join(options)} | {printed} | {spread(losses, 2)} | "
              f"{BATCH * entropy:.2f} |", flush=True)


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    seeds = range(first, first + count)
    print(f"Seeds {seeds[0]}..{seeds[-1]}.\n")
    tutorial(sys.argv[1], seeds)
    document(sys.argv[1], seeds)


if __name__ == "__main__":
    main()
