#!/usr/bin/env python3
"""Stan's own sampler on the posteriors of bench_nuts, for `bench_nuts --against FILE`.

Usage: bench/nuts_stan.py [--seed N] SLUICE POSTERIORS PROGRAMS FOLDER [NAME ...] >stan.txt

Needs g++ and Stan's compiler and headers, which `pip install httpstan` brings. Programs and draws
are kept in FOLDER, and what is there already is not made again. nuts_stan.cpp is compiled as CmdStan
compiles its programs. PyStan itself is not used: it failed to parse its chains' messages on one of
these posteriors, and that traffic takes most of a small model's seconds.

4 chains one after another, 1,000 draws after 1,000 of warm-up, Stan's defaults. `sluice summary`
computes R-hat and ESS, so that both samplers are judged by the same formulas. A line for each
posterior: name, gradients after the warm-up, all gradients, divergences, worst R-hat and least bulk
ESS of the quantities that the reference has, seconds of the four chains, seconds of compilation.
Seconds are those of the processor.
"""
import argparse
import importlib.util
import json
import os
import resource
import subprocess
import tempfile

CHAINS, WARMUP = 4, 1000
HERE = os.path.dirname(os.path.abspath(__file__))


def httpstan():
    return importlib.util.find_spec("httpstan").submodule_search_locations[0]


def timed(command, **options):
    """Seconds of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compile_cpp(source, output):
    # the old string type is that of the libraries in httpstan's wheel
    return timed(["g++", "-O3", "-std=c++17", "-w", "-I" + os.path.join(httpstan(), "include"),
                  "-D_REENTRANT", "-DBOOST_DISABLE_ASSERTS", "-D_GLIBCXX_USE_CXX11_ABI=0", "-c",
                  source, "-o", output])


def build(folder, programs, model):
    """The program, and the seconds it took to compile; what all programs share is left out."""
    program, main = os.path.join(folder, model), os.path.join(folder, "main.o")
    note = program + ".seconds"
    if not os.path.exists(main):
        compile_cpp(os.path.join(HERE, "nuts_stan.cpp"), main)
    if not os.path.exists(note):
        libraries = os.path.join(httpstan(), "lib")
        source = os.path.join(programs, model + ".stan")
        seconds = timed([os.path.join(httpstan(), "stanc"), f"--name={model}_model",
                         f"--o={program}.cpp", source], stderr=subprocess.DEVNULL)
        seconds += compile_cpp(program + ".cpp", program + ".o")
        seconds += timed(["g++", program + ".o", main, "-o", program, "-L" + libraries,
                          "-Wl,-rpath," + libraries, "-ltbb", "-lsundials_cvodes",
                          "-lsundials_idas", "-lsundials_kinsol", "-lsundials_nvecserial"])
        os.remove(program + ".o")
        with open(note, "w") as file:
            file.write(str(seconds))
    with open(note) as file:
        return program, float(file.read())


def sample(program, data, folder, seed):
    """Seconds of the chains; their draws go to folder/chain_1.csv and so on."""
    note = os.path.join(folder, "seconds")
    if not os.path.exists(note):
        os.makedirs(folder, exist_ok=True)
        seconds = sum(timed([program, data, os.path.join(folder, f"chain_{chain}.csv"), str(seed),
                             str(chain)], stderr=subprocess.DEVNULL)
                      for chain in range(1, CHAINS + 1))
        with open(note, "w") as file:
            file.write(str(seconds))
    with open(note) as file:
        return float(file.read())


def judge(sluice, folder, wanted):
    """Gradients after the warm-up and in all, divergences, worst R-hat, least ESS."""
    leapfrogs, divergences = [0, 0], 0
    with tempfile.TemporaryDirectory() as kept:
        for chain in range(1, CHAINS + 1):
            with open(os.path.join(folder, f"chain_{chain}.csv")) as file:
                lines = [line for line in file if line.strip() and not line.startswith("#")]
            names = lines[0].strip().split(",")
            for i, line in enumerate(lines[1:]):
                row = line.split(",")
                leapfrogs[i >= WARMUP] += int(row[names.index("n_leapfrog__")])
                if i >= WARMUP:
                    divergences += int(row[names.index("divergent__")])
            with open(os.path.join(kept, f"chain_{chain}.csv"), "w") as file:
                file.writelines([lines[0]] + lines[1 + WARMUP:])
        done = subprocess.run([sluice, "summary", os.path.join(kept, "chain_%d.csv"), "--all",
                               "--json", "--quiet"], capture_output=True, text=True)
    rows = [row for row in json.loads(done.stdout)["parameters"] if row["name"] in wanted]
    missing = wanted - {row["name"] for row in rows}
    assert not missing, f"{folder} has no {', '.join(sorted(missing))}"
    rows = [row for row in rows if row["rhat"] is not None]  # constants have none
    return (leapfrogs[1], sum(leapfrogs), divergences, max(float(row["rhat"]) for row in rows),
            min(float(row["ess_bulk"]) for row in rows))


def do_one(sluice, root, programs, folder, seed, name):
    with open(os.path.join(root, name, "info.json")) as file:
        info = json.load(file)
    with open(os.path.join(root, name, "reference.json")) as file:
        wanted = set(json.load(file)["posteriordb_names"])
    program, compiling = build(folder, programs, info["model"])
    draws = os.path.join(folder, f"draws_{seed}", name)
    sampling = sample(program, os.path.join(root, name, info["data_file"]), draws, seed)
    after, all_of_them, divergences, rhat, ess = judge(sluice, draws, wanted)
    print(f"{name} {after} {all_of_them} {divergences} {rhat:.4f} {ess:.1f} {sampling:.3f} "
          f"{compiling:.1f}", flush=True)


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("places", nargs=4)
    options.add_argument("names", nargs="*")
    chosen = options.parse_args()
    sluice, root, programs, folder = chosen.places
    os.makedirs(folder, exist_ok=True)
    for name in chosen.names or sorted(os.listdir(root)):
        if os.path.exists(os.path.join(root, name, "reference.json")):
            do_one(sluice, root, programs, os.path.abspath(folder), chosen.seed, name)


if __name__ == "__main__":
    main()
