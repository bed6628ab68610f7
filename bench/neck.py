#!/usr/bin/env python3
"""Centred eight schools, a funnel, in a flow's space: `sluice nuts --precondition auto` over seeds.

    bench/neck.py build/release/sluice PROGRAM DATA [FIRST LAST]

PROGRAM and DATA: posteriordb's eight_schools-eight_schools_centered. Prints a table: divergences, R-hat
and the marginal of tau, whose mean is 3.60 and sd 3.20 by the reference draws.
"""
import json
import statistics
import subprocess
import sys


def main():
    sluice, program, data = sys.argv[1:4]
    first, last = (int(word) for word in (sys.argv[4:6] or ("1", "20")))
    print("| seed | divergences | worst R-hat | mean of tau | MCSE | sd of tau | least ESS | "
          "trajectories to a draw | acceptance | gradients | s |")
    print("|" + "---|" * 11)
    clean, means, sds, errors = 0, [], [], []
    for seed in range(first, last + 1):
        run = subprocess.run([sluice, "nuts", program, "--data", data, "--precondition", "auto", "--threads", "1",
                              "--seed", str(seed), "--json", "--quiet"], capture_output=True, check=False)
        got = json.loads(run.stdout)
        tau = next(p for p in got["parameters"] if p["name"] == "tau")
        least = min(min(p["ess_bulk"], p["ess_tail"]) for p in got["parameters"])
        worst = max(p["rhat"] for p in got["parameters"])
        clean += got["divergences"] == 0
        means.append(tau["mean"])
        sds.append(tau["sd"])
        errors.append((tau["mean"] - 3.60) / tau["mcse_mean"])
        print(f"| {seed} | {got['divergences']} | {worst:.3f} | {tau['mean']:.3f} | {tau['mcse_mean']:.3f} | "
              f"{tau['sd']:.2f} | {least:.0f} | {got['trajectories_per_draw']} | {got['adapt_delta']:g} | "
              f"{got['gradient_evaluations']} | {got['seconds']:.1f} |", flush=True)
    print(f"\n{clean} of {len(means)} without a divergence; means of tau average {statistics.fmean(means):.3f}, the farthest "
          f"is {max(map(abs, errors)):.1f} errors from 3.60; sds average {statistics.fmean(sds):.2f}.")


main()
