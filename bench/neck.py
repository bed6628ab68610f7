#!/usr/bin/env python3
"""Funnels, of which a narrow neck says what wide others are: `sluice nuts` over seeds.

    bench/neck.py build/release/sluice PROGRAM DATA|- [FIRST LAST [OPTIONS]]

The centred eight schools of posteriordb (eight_schools-eight_schools_centered), whose tau has a mean of
3.60 and an sd of 3.20 by the reference draws; or bench/models/neal_funnel.stan, which has no data (-) and
whose v has 0 and 3. OPTIONS are those of `sluice nuts`; without any --precondition auto, in a flow's
space. Prints a table: divergences, R-hat, and the marginal of tau or v.
"""
import json
import statistics
import subprocess
import sys

EXACT = {"tau": 3.60, "v": 0}


def main():
    sluice, program, data = sys.argv[1:4]
    first, last = (int(word) for word in (sys.argv[4:6] or ("1", "20")))
    options = sys.argv[6:] or ["--precondition", "auto"]
    command = [sluice, "nuts", program, *([] if data == "-" else ["--data", data]), *options]
    print("| seed | divergences | worst R-hat | mean of the neck | MCSE | sd | 5 % | 95 % | least ESS | "
          "trajectories to a draw | acceptance | gradients | s |")
    print("|" + "---|" * 13)
    rows = []
    for seed in range(first, last + 1):
        run = subprocess.run([*command, "--threads", "1", "--seed", str(seed), "--json", "--quiet"],
                             capture_output=True, check=False)
        got = json.loads(run.stdout)
        neck = next(p for p in got["parameters"] if p["name"] in EXACT)
        least = min(min(p["ess_bulk"], p["ess_tail"]) for p in got["parameters"])
        worst = max(p["rhat"] for p in got["parameters"])
        off = (neck["mean"] - EXACT[neck["name"]]) / neck["mcse_mean"]
        rows.append((got["divergences"], worst, neck["mean"], neck["sd"], neck["q5"], neck["q95"], least,
                     1000 * least / got["gradient_evaluations"], abs(off)))
        print(f"| {seed} | {got['divergences']} | {worst:.3f} | {neck['mean']:.3f} | {neck['mcse_mean']:.3f} | "
              f"{neck['sd']:.2f} | {neck['q5']:.2f} | {neck['q95']:.2f} | {least:.0f} | "
              f"{got['trajectories_per_draw']} | {got['adapt_delta']:g} | {got['gradient_evaluations']} | "
              f"{got['seconds']:.1f} |", flush=True)
    divergences, rhats, means, sds, lows, highs, ess, per_gradient, offs = zip(*rows)
    print(f"\n{sum(d == 0 for d in divergences)} of {len(rows)} without a divergence, {statistics.fmean(divergences):.1f} in "
          f"the mean; R-hat {statistics.median(rhats):.3f} in the median, {max(rhats):.3f} at most; means average "
          f"{statistics.fmean(means):.3f}, the farthest is {max(offs):.1f} errors off; sds average {statistics.fmean(sds):.2f}, "
          f"5 % and 95 % {statistics.fmean(lows):.2f} and {statistics.fmean(highs):.2f}; ESS {statistics.median(ess):.0f} in the "
          f"median, {min(ess):.0f} at least, {statistics.median(per_gradient):.3f} to 1,000 gradients.")


main()
