#!/usr/bin/env python3
"""Fits by default options on real data sets and on the endless 2-D toys; prints the tables of docs/benchmarks.md.

    bench/quality.py build/release/sluice --data DIR [--seeds 1,2,3] [--sets city2d,flow5] [--lanes 2]
    bench/quality.py build/release/sluice --toys [--seeds 1,2,3]

DIR holds NAME_train.npy, NAME_val.npy, NAME_test.npy and BASELINES.json. Results depend on the seed, not on the number of
threads or the load, so several fits may run at once (--lanes); the times are then those of one lane of one thread.
"""
import argparse
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

GOALS = {"city2d": -0.97, "flow5": -4.19, "power6h1": 1.40, "diamonds7": 3.95, "magic10": -3.75, "higgs24": -23.2}
SETS = ["faithful", "city2d", "flow5", "power6h1", "diamonds7", "magic10", "higgs24", "miniboone43", "digits64"]
# Exact entropies in nats (tests/t_toys.c checks them) and the gap that is asked for.
TOYS = {"moons": (2.3939, 0.03), "circles": (3.268136, 0.03), "8gaussians": (2.83188, 0.03), "pinwheel": (2.3178, 0.03),
        "swissroll": (2.6697, 0.03), "rings": (2.623183, 0.03), "2spirals": (2.6455, 0.03), "checkerboard": (3.465736, 0.06)}


def fit(sluice, files, seed, threads, extra):
    command = [sluice, "fit", files[0], "--test", files[-1], "--seed", str(seed), "--json", "--quiet"] + extra
    if len(files) == 3:
        command += ["--valid", files[1]]
    if threads:
        command += ["--threads", str(threads)]
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode > 1 or not done.stdout:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    report = json.loads(done.stdout)
    report["wall"] = time.monotonic() - begin
    return report


def real(arguments):
    baselines = {b["name"]: b for b in json.load(open(os.path.join(arguments.data, "BASELINES.json")))}
    threads = 1 if arguments.lanes > 1 else arguments.threads
    with concurrent.futures.ThreadPoolExecutor(arguments.lanes) as pool:
        jobs = {(name, seed): pool.submit(fit, arguments.sluice, [os.path.join(arguments.data, f"{name}_{part}.npy") for part in ("train", "val", "test")],
                                          seed, threads, arguments.extra) for name in arguments.sets for seed in arguments.seeds}
        print("| set | rows x columns | goal | test log-likelihood by seed | median | se | mixture | flow | steps | seconds |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name in arguments.sets:
            runs = [jobs[name, seed].result() for seed in arguments.seeds]
            tests = [r["test"]["log_prob"] for r in runs]
            b = baselines[name]
            goal = GOALS.get(name, b["gmm_test_ll"] - b["gmm_se"])
            print(f"| {name} | {runs[0]['rows']} x {runs[0]['dim']} | {goal:.3f} | {' '.join(f'{t:.3f}' for t in tests)} | "
                  f"**{statistics.median(tests):.3f}** | {runs[0]['test']['se']:.3f} | {b['gmm_test_ll']:.3f} | `{runs[0]['flow']}` | "
                  f"{'/'.join(str(r['steps']) for r in runs)} | {statistics.median(r['wall'] for r in runs):.0f} |", flush=True)


def toys(arguments):
    print("| toy | entropy | allowed gap | gap by seed (test negative log-likelihood - entropy) | se | seconds |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.sets:
            entropy, allowed = TOYS[name]
            gaps, seconds = [], []
            for seed in arguments.seeds:
                files = [os.path.join(folder, f"{part}.npy") for part in ("train", "test")]
                for file, rows, which in zip(files, (1000000, 200000), (seed, seed + 1000)):
                    subprocess.run([arguments.sluice, "data", name, "-n", str(rows), "--seed", str(which), "-o", file], check=True)
                report = fit(arguments.sluice, files, seed, arguments.threads, ["--baselines=false"] + arguments.extra)
                gaps.append(-report["test"]["log_prob"] - entropy)
                seconds.append(report["wall"])
                se = report["test"]["se"]
            print(f"| {name} | {entropy:.4f} | {allowed} | {' '.join(f'{g:+.4f}' for g in gaps)} | {se:.4f} | {max(seconds):.0f} |", flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("sluice")
parser.add_argument("--data")
parser.add_argument("--toys", action="store_true")
parser.add_argument("--seeds", default="1,2,3")
parser.add_argument("--sets")
parser.add_argument("--lanes", type=int, default=1)
parser.add_argument("--threads", type=int, default=0)
parser.add_argument("extra", nargs="*", help="further options of `sluice fit`, after --")
arguments = parser.parse_args()
arguments.seeds = [int(s) for s in arguments.seeds.split(",")]
if arguments.toys:
    arguments.sets = arguments.sets.split(",") if arguments.sets else list(TOYS)
    toys(arguments)
elif arguments.data:
    arguments.sets = arguments.sets.split(",") if arguments.sets else SETS
    real(arguments)
else:
    parser.error("give --data DIR or --toys")
