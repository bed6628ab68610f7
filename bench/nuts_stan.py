#!/usr/bin/env python3
"""Stan's own sampler on the posteriors of bench_nuts, for `bench_nuts --against FILE`.

Usage: bench/nuts_stan.py path/to/sluice POSTERIORS PROGRAMS [NAME ...] >stan.txt

Needs PyStan 3 (pip install pystan), which compiles each program. 4 chains, 1,000 draws after 1,000
of warm-up, Stan's defaults. `sluice summary` computes R-hat and ESS, so that both samplers are
judged by the same formulas. A line for each posterior: name, gradients after the warm-up, all
gradients, divergences, worst R-hat and least bulk ESS of the quantities that the reference has,
seconds of compilation (0 if PyStan had compiled the program before). Seconds of sampling are left
out: PyStan's own traffic with its chains takes most of them.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy
import stan

CHAINS, WARMUP, DRAWS = 4, 1000, 1000


def write_chains(folder, names, draws):
    for chain in range(CHAINS):
        path = os.path.join(folder, f"chain_{chain + 1}.csv")
        numpy.savetxt(path, draws[:, WARMUP:, chain].T, delimiter=",", header=",".join(names),
                      comments="", fmt="%.17g")


def judge(sluice, names, draws, wanted):
    """Worst R-hat and least ESS of the wanted columns that move."""
    with tempfile.TemporaryDirectory() as folder:
        write_chains(folder, names, draws)
        done = subprocess.run([sluice, "summary", os.path.join(folder, "chain_%d.csv"), "--all",
                               "--json", "--quiet"], capture_output=True, text=True)
    rows = [row for row in json.loads(done.stdout)["parameters"]
            if row["name"] in wanted and row["rhat"] is not None]
    return max(float(row["rhat"]) for row in rows), min(float(row["ess_bulk"]) for row in rows)


def sample(sluice, root, programs, name):
    folder = os.path.join(root, name)
    with open(os.path.join(folder, "info.json")) as file:
        info = json.load(file)
    with open(os.path.join(folder, info["data_file"])) as file:
        data = json.load(file)
    with open(os.path.join(folder, "reference.json")) as file:
        reference = json.load(file)["posteriordb_names"]
    with open(os.path.join(programs, info["model"] + ".stan")) as file:
        program = file.read()
    begin = time.monotonic()
    model = stan.build(program, data=data, random_seed=1)
    build = time.monotonic() - begin
    fit = model.sample(num_chains=CHAINS, num_warmup=WARMUP, num_samples=DRAWS, save_warmup=True)
    names = list(fit.sample_and_sampler_param_names) + list(fit.constrained_param_names)
    steps = fit._draws[names.index("n_leapfrog__")]
    divergent = fit._draws[names.index("divergent__"), WARMUP:]
    wanted = {re.sub(r"[\[\],]+", ".", each).rstrip(".") for each in reference}
    rhat, ess = judge(sluice, names, fit._draws, wanted)
    print(f"{name} {steps[WARMUP:].sum():.0f} {steps.sum():.0f} {divergent.sum():.0f} {rhat:.4f} "
          f"{ess:.1f} {build:.1f}", flush=True)


def main():
    sluice, root, programs = sys.argv[1:4]
    for name in sys.argv[4:] or sorted(os.listdir(root)):
        if os.path.exists(os.path.join(root, name, "reference.json")):
            sample(sluice, root, programs, name)


if __name__ == "__main__":
    main()
