#!/usr/bin/env python3
"""Variational inference in robust mode over seeds: KL = exact log Z - ELBO, as a Markdown table.

Usage: bench/vi.py path/to/sluice [seeds] [target ...]
"""
import json
import statistics
import subprocess
import sys
import time

PROPER = ["pot1", "gaussian_mixture", "u2", "u3", "u4", "pot2", "pot3", "pot4"]


def fit(sluice, target, seed):
    begin = time.monotonic()
    done = subprocess.run([sluice, "vi", "--target", target, "--seed", str(seed), "--json",
                           "--quiet"], capture_output=True, text=True)
    seconds = time.monotonic() - begin
    if done.returncode not in (0, 1):
        sys.exit(f"{target}, seed {seed}: {done.stderr}")
    report = json.loads(done.stdout)
    gap = report["exact_log_evidence"] - float(report["elbo"]["value"])
    return gap, report["certified"], seconds


def main():
    sluice = sys.argv[1]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    print(f"KL in nats over seeds 0..{seeds - 1}; wrong: certified with a KL above 0.05.\n")
    print("| target | median KL | largest KL | certified | wrong | median s | largest s |")
    print("|---|---|---|---|---|---|---|")
    for target in sys.argv[3:] or PROPER:
        fits = [fit(sluice, target, seed) for seed in range(seeds)]
        gaps, certified, seconds = zip(*fits)
        wrong = sum(good and gap > 0.05 for gap, good, _ in fits)
        print(f"| {target} | {statistics.median(gaps):.4f} | {max(gaps):.4f} | {sum(certified)} of "
              f"{seeds} | {wrong} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |",
              flush=True)


if __name__ == "__main__":
    main()
