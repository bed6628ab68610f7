#!/bin/sh
# What `sluice nuts` says of warm-ups that diverge and of programs that refuse points, and what it
# takes for first points and flows.
. "$(dirname "$0")/shell.sh"

cat >schools.stan <<'PROGRAM'
data { int<lower=0> J; array[J] real y; array[J] real<lower=0> sigma; }
parameters { real mu; real<lower=0> tau; array[J] real theta; }
model { tau ~ cauchy(0, 5); mu ~ normal(0, 5); theta ~ normal(mu, tau); y ~ normal(theta, sigma); }
PROGRAM
echo '{"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}' >schools.json

# delta ARGUMENTS...: the acceptance that eight schools' draws aim at.
delta() {
  "$sluice" nuts schools.stan --data schools.json --draws 50 --json --quiet "$@" >out 2>err
  json
  value adapt_delta
}
raised=0
for seed in 1 2 3 4; do # which of them meet the neck in the warm-up depends on the last digits
  [ "$(delta --seed $seed)" = 0.8 ] || raised=$((raised + 1))
  check "not with Stan's metrics, seed $seed" test "$(delta --seed $seed --metric diag_e)" = 0.8
done
check "raised by some divergences" test $raised -gt 0
"$sluice" nuts --help | tr -s ' \n' ' ' >help
check "help: which metrics" grep -q 'without it, with a Fisher metric, 0.95' help
check "help: trajectories" grep -q '(with --trajectories 0) at all' help

# The edge of a program that declares no bound is no narrow place.
echo 'data { real y; } parameters { real mu; } model { y ~ normal(mu, sqrt(mu)); }' >edge.stan
echo '{"y": 1}' >edge.json
run 1 nuts edge.stan --data edge.json -o edge.csv --seed 1
check "what was seen" grep -q '^the warm-up diverged, so the draws aim at an acceptance of 0.99$' out
check "no cause is claimed" test "$(grep -c 'found a narrow place' out)" = 0
check "refusals are counted" grep -q 'In [0-9]* of the [0-9]* divergences the log density was -inf' out
check "the program is quoted" grep -q 'edge.stan:1:54: normal_lpdf: scale is nan' out
run 1 summary edge.csv
check "what was followed is not advised" test "$(grep -c -- '--adapt-delta' out)" = 0
run 1 nuts edge.stan --data edge.json --json --quiet --seed 1
json
check "and in --json" test "$(value divergences_refused)" -gt 0
# The neck of a funnel is within the program's bounds.
run 1 nuts --target funnel --adapt-delta 0.8 --json --quiet
json
check "a funnel diverges" test "$(value divergences)" -gt 0
check "and is not refused" test "$(value divergences_refused)" = 0

# Draws as first points: one of each chain, on the program's scale.
echo 'parameters { real<lower=0> s; } model { s ~ exponential(1); }' >scale.stan
run 0 nuts scale.stan -o run.csv --quiet
still="--warmup 0 --step-size 1e-9 --max-treedepth 1 --draws 4 --quiet"
run 1 nuts scale.stan --init run.csv -o there.csv $still
for chain in 1 2 3 4; do
  for file in run there; do
    awk -F, -v chain=$chain '!/^#/ && $8 == chain {print $9; exit}' $file.csv >$file.first
  done
  check "chain $chain starts at its first draw" near "$(cat there.first)" "$(cat run.first)" 1e-6
done
refused 'no column "s" among its' nuts scale.stan --init edge.csv -o no.csv
refused 'edge.json is data, no points' nuts scale.stan --init edge.json
refused 'edge.stan is a Stan program, no points' nuts scale.stan --init edge.stan
head -n 40 run.csv | grep -v '^#' | head -n 3 >two.csv
refused 'two.csv: 2 draws; give one for each of 4 chains' nuts scale.stan --init two.csv
refused 'run.csv is no model; --precondition takes' nuts scale.stan --precondition run.csv
refused 'scale.stan is no model; --precondition takes' nuts scale.stan --precondition scale.stan
finish
