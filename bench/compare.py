#!/usr/bin/env python3
"""Sets sluice against PyTorch, and against programs written by hand for one workload, in one run.

    bench/compare.py build/bench_workloads --torch venv/bin/python [--rounds N] [WORKLOAD...]

prints a table in Markdown. Absolute times mean little on a shared machine whose clock wanders, so
every round runs all programs one after another on the same workload, and a ratio is the median of
the rounds' ratios. Each program prints "NAME MEDIAN P10 P90" in milliseconds for a workload.

    --torch COMMAND   how to start Python with PyTorch; without it the column is left out
    --hand PROGRAM    a hand-written two-moons step that is started as PROGRAM THREADS BATCH
                      ROWS-PER-BLOCK STEPS FUSED and prints "median M ms (p10 A p90 B)"
    --curve           instead: how time grows with rows and with layers, and peak memory with rows

Ratios are worth recording from a quiet machine only, which the load average at the head of the
table tells: other work slows PyTorch's threads far more than ours, even under "chrt -f 10", which
may stand before any of the commands.
"""

import argparse
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# What each workload is, and how many times faster than PyTorch it ought to be.
WORKLOADS = {
    "realnvp-step-100": ("RealNVP two-moons step, batch 100", 4.5),
    "realnvp-step-4096": ("RealNVP two-moons step, batch 4096", 2.5),
    "realnvp-score-1": ("RealNVP, one row scored", 5.0),
    "maf-step-512": ("MAF 43 features, step, batch 512", 3.5),
    "maf-score-1000": ("MAF 43 features, 1,000 rows scored", 2.5),
    "maf-sample-1000": ("MAF 43 features, 1,000 rows drawn", 80.0),
    "spline-step-512": ("RQ-spline coupling, step, batch 512", 2.5),
    "vi-planar-step-100": ("8 planar layers, variational step, 100 draws", 100.0),
}
REALNVP = "coupling(affine,net=separate,hidden=256x256,activation=leaky_relu,scale=tanh)"


def run(command):
    """Standard output of a command, and its peak memory in bytes."""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{shlex.join(command)}: exit code {process.returncode}")
        out.seek(0)
        return out.read(), 1024 * usage.ru_maxrss


def milliseconds(command, pattern=r"^\S+ (\S+) \S+ \S+$"):
    output, _ = run(command)
    found = re.search(pattern, output, re.MULTILINE)
    if not found:
        sys.exit(f"{shlex.join(command)}: no time in its output: {output!r}")
    return float(found.group(1))


def hand_command(options, workload):
    """The hand-written step for a workload, or None."""
    batch = {"realnvp-step-100": 100, "realnvp-step-4096": 4096}.get(workload)
    if not options.hand or batch is None:
        return None
    block, steps = min(batch, 256), 300 if batch == 100 else 10
    numbers = (options.threads, batch, block, steps, int(batch <= block))
    return [*shlex.split(options.hand), *map(str, numbers)]


def measure(options, workload):
    """Times of every round: a list for each program that has the workload."""
    settings = ["--threads", str(options.threads), "--seconds", str(options.seconds), workload]
    times = {"sluice": [], "torch": [], "hand": []}
    hand = hand_command(options, workload)
    for _ in range(options.rounds):
        times["sluice"].append(milliseconds([*shlex.split(options.program), *settings]))
        if options.torch:
            peer = [*shlex.split(options.torch), os.path.join(HERE, "peer_torch.py")]
            times["torch"].append(milliseconds(peer + settings))
        if hand:
            times["hand"].append(milliseconds(hand, r"median (\S+) ms"))
    return times


def text_of(times):
    """Median and range."""
    if not times:
        return "–"
    return f"{statistics.median(times):.3g} ({min(times):.3g}–{max(times):.3g})"


def ratio(times, mine):
    return statistics.median(a / b for a, b in zip(times, mine)) if times else None


def compare(options):
    print(f"{options.threads} threads, {options.rounds} rounds; ms per call: median of the rounds "
          f"(lowest–highest); load average before the run: {os.getloadavg()[0]:.1f}\n")
    print("| workload | sluice | PyTorch | times faster | goal | by hand | speed against it |")
    print("|---|---|---|---|---|---|---|")
    for workload in options.workloads or WORKLOADS:
        title, goal = WORKLOADS[workload]
        times = measure(options, workload)
        mine = times["sluice"]
        faster, against = ratio(times["torch"], mine), ratio(times["hand"], mine)
        print(f"| {title} | {text_of(mine)} | {text_of(times['torch'])} "
              f"| {f'**{faster:.2f}**' if faster else '–'} | {goal:g} | {text_of(times['hand'])} "
              f"| {f'{100 * against:.0f} %' if against else '–'} |", flush=True)


def curve(options):
    settings = ["--threads", str(options.threads), "--seconds", str(options.seconds)]

    def custom(formula, rows, task, dim):
        command = [*shlex.split(options.program), *settings, "--formula", formula,
                   "--dim", str(dim), "--task", task, "--rows", str(rows)]
        times, memory = [], 0
        for _ in range(options.rounds):
            output, memory = run(command)
            times.append(float(output.split()[1]))
        return statistics.median(times), memory

    dim = 6
    print(f"Scoring, RealNVP of 6 layers, {dim} features, {options.threads} threads:\n")
    print("| rows | ms | ns per row | peak memory less the data, MB |")
    print("|---|---|---|---|")
    for rows in (1000, 4000, 16000, 64000, 256000):
        time, memory = custom(REALNVP + "*6", rows, "score", dim)
        rest = memory - 4 * rows * (dim + dim + 1)  # rows in, room for results
        print(f"| {rows:,} | {time:.4g} | {1e6 * time / rows:.4g} | {rest / 2**20:.1f} |",
              flush=True)
    print("\nA training step of 1,000 rows by the number of layers:\n")
    print("| layers | ms | ms per layer |")
    print("|---|---|---|")
    for layers in (2, 4, 8, 16, 32):
        time, _ = custom(f"{REALNVP}*{layers}", 1000, "step", dim)
        print(f"| {layers} | {time:.4g} | {time / layers:.4g} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="bench_workloads, as built")
    parser.add_argument("--torch", metavar="COMMAND")
    parser.add_argument("--hand", metavar="PROGRAM")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=1, help="per program, workload and round")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=" ".join(WORKLOADS))
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.workloads if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {unknown[0]}; there are {', '.join(WORKLOADS)}")
    if options.curve:
        curve(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
