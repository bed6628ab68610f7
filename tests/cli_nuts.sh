#!/bin/sh
# sluice nuts, mix, pathfinder: files that other commands read, JSON, the same bits, refusals, runs
# that are killed or cannot write.
. "$(dirname "$0")/shell.sh"

# read_back ARGUMENTS...: of a run that was cut short somewhere; what is left may be too little.
read_back() {
  "$sluice" "$@" >out 2>err
  code=$?
  check "sluice $*: exit $code" test "$code" -le 1
}

# A posterior with a known mean: 8 of 10 successes under a flat prior, beta(9, 3).
cat >coin.stan <<'STAN'
data { int<lower=0> n; int<lower=0> k; }
parameters { real<lower=0, upper=1> theta; }
transformed parameters { real odds = theta / (1 - theta); }
model { k ~ binomial(n, theta); }
generated quantities { int next = bernoulli_rng(theta); }
STAN
echo '{"n": 10, "k": 8}' >coin.json

run 0 nuts coin.stan --data coin.json -o draws.csv --json --quiet --seed 2
json
check "nothing is said with --quiet" test ! -s err
for key in command verdict metric target; do has $key text; done
for key in chains divergences treedepth_hits gradient_evaluations seconds seed; do has $key number; done
check "the mean of beta(9, 3)" near "$(value 'parameters[0].mean')" 0.75 0.02
check "draws and header" test "$(grep -vc '^#' draws.csv)" = 4001
check "columns" grep -q '^lp__,.*,energy__,chain__,theta,odds,next$' draws.csv
check "what was learned" grep -q '^# Step size = ' draws.csv
# What CmdStanPy 1.3 insists on: an algorithm, and one line with "metric =", of the numbers below.
check "the algorithm" grep -q '^# algorithm = hmc$' draws.csv
check "the metric's form" test "$(grep 'metric =' draws.csv)" = '# metric = diag_e'
check "the metric's name" grep -q '^# metric_kind = fisher_low_rank$' draws.csv
run 0 summary draws.csv
check "summary reads it" grep -q '^odds ' out
cp draws.csv first.csv
run 0 nuts coin.stan --data coin.json -o draws.csv --quiet --seed 2 --threads 1
grep -v Elapsed first.csv | grep -v seconds >a
grep -v Elapsed draws.csv | grep -v seconds >b
check "the same file on one thread" cmp -s a b

run 0 nuts coin.stan --data coin.json -o 'chain_%d.csv' --save-warmup --quiet --chains 2 --seed 2
check "a file for each chain" test -s chain_1.csv -a -s chain_2.csv
run 0 summary 'chain_%d.csv' --json
json
check "warm-up is passed over" test "$(value draws)" = 1000
for format in npy safetensors; do
  run 0 nuts coin.stan --data coin.json -o draws.$format --quiet --seed 2
  check "$format is there" test -s draws.$format
  check "$format alone" test ! -e draws.$format.part.csv
done
run 0 compare draws.safetensors draws.csv --quiet
run 0 summary draws.npy --chains 4 --json
json
check "NPY has the model's quantities" test "$(value parameters)" = 3
check "which are those of the other files" near "$(value 'parameters[0].mean')" 0.75 0.02
for metric in unit_e diag_e dense_e fisher_diag; do
  run 0 nuts coin.stan --data coin.json --metric $metric --quiet --seed 3
done
run 0 nuts coin.stan --data coin.json --init pathfinder --quiet --seed 3
echo 0.5 >start.csv
run 0 nuts coin.stan --data coin.json --init start.csv --quiet --seed 3
run 1 nuts --target funnel --metric diag_e --quiet
check "a poor run says so" grep -q 'Not to be trusted' out
check "advice that there is" test "$(grep -c 'low-rank' out)" = 0

run 0 pathfinder --target gaussian55 --draws 500 -o way.csv --json
json
for key in elbo khat ess gradient_evaluations log_evidence.value; do has $key number; done
check "the evidence is 0" near "$(value log_evidence.value)" 0 0.1

run 0 vi --mode plain --target gaussian55 --flow scale-loc --steps 500 --lr 0.05 -o q.safetensors --quiet
run 0 nuts --target gaussian55 --precondition q.safetensors --quiet --json
json
check "the flow is told" test "$(value precondition)" != null
run 0 mix --target gaussian55 --precondition q.safetensors --quiet --json
json
has jump_acceptance number

run 0 pathfinder --target gaussian55 -o way.csv --quiet --no-psis
check "the weights are left out" grep -q '^Chosen without weights' out
check "names in a file" grep -q '^x1,x2,lp__' way.csv
echo 'parameters { vector[2] z; } model { z ~ normal(0, 1); }' >pair.stan
run 0 nuts pair.stan --quiet --seed 1 --json -o names.csv
json
first=$(value 'parameters[0].name')
run 0 summary names.csv --json
json
check "an index in brackets" test "$first" = 'z[1]'
check "with dots in the file" grep -q ',z.1,z.2$' names.csv
check "one name of a quantity" test "$(value 'parameters[0].name')" = "$first"

run 1 nuts coin.stan --data coin.json --draws 3 --quiet
check "a table of few draws" grep -q '^theta ' out
check "too few to say" grep -q '3 draws a chain are too few' out
run 1 nuts coin.stan --data coin.json --draws 1 --json --quiet
json
check "an object of one draw" test "$(value trusted)" = false

# Draws of several trajectories: given, or by the warm-up where it mixes slowly.
run 0 nuts coin.stan --data coin.json --json --quiet --seed 2 --trajectories 3
json
check "trajectories as told" test "$(value trajectories_per_draw)" = 3
"$sluice" nuts --target funnel --quiet --seed 1 --trajectories 8 --adapt-delta 0.8 -o slow.csv >out 2>err
"$sluice" summary slow.csv >again 2>err
check "the file says of how many" grep -q '^# Adaptation terminated; trajectories 8, ' slow.csv
check "E-BFMI of the run and of its file" \
  test "$(grep '^E-BFMI' out)" = "$(grep '^E-BFMI' again)"
check "E-BFMI of one trajectory" awk '/^E-BFMI/ {f = $2 < 0.6} END {exit !f}' again
run 0 nuts coin.stan --data coin.json --json --quiet --seed 2
json
check "one where chains mix" test "$(value trajectories_per_draw)" = 1
run 1 nuts --target funnel --quiet --seed 1
check "more where they do not" grep -q '^[2-8] trajectories from one draw to the next, as the' out
run 1 nuts --target funnel --quiet --seed 1 --thin 2
check "thinning is as it was" test "$(grep -c 'trajectories from one' out)" = 0
run 1 nuts --target funnel --quiet --seed 1 --thin 2 --trajectories 0
check "even where 0 is typed" test "$(grep -c 'trajectories from one' out)" = 0
run 1 nuts --target funnel --quiet --seed 1 --thin 1
check "no thinning, typed" grep -q '^[2-8] trajectories from one draw to the next, as the' out

# Draws that are left out are trajectories in between: a run and its files agree on E-BFMI.
for format in csv safetensors; do
  "$sluice" nuts --target funnel --quiet --seed 1 --thin 8 --draws 4000 -o thin.$format >out 2>err
  "$sluice" summary thin.$format >again 2>err
  check "E-BFMI of draws apart, $format" test "$(grep '^E-BFMI' out)" = "$(grep '^E-BFMI' again)"
done
# Energies with a correlation of 0.9 from draw to draw, once as they are and once as every eighth.
awk 'BEGIN {
  srand(1)
  print "lp__,energy__,x"
  for (r = 0; r < 4000; r++) {
    energy = 0.9 * energy + rand() + rand() + rand() - 1.5
    printf "%.9g,%.9g,%.9g\n", -energy, energy, rand()
  }
}' >dense.csv
{ echo '# thin = 8'; cat dense.csv; } >apart.csv
least() { awk '/^E-BFMI/ {print $2}' "$1"; }
"$sluice" summary dense.csv >dense 2>err
"$sluice" summary apart.csv >apart 2>err
check "E-BFMI of draws side by side" near "$(least dense)" 0.2 0.06
check "and of draws apart" near "$(least apart)" 0.026 0.01
run 0 plot apart.csv --kind energy -o apart.gp
check "and in the figure" grep -q "least E-BFMI of a chain $(least apart)" apart.gp

# Steps that are halved where the density is narrow: as told, and by default in a flow's space only.
"$sluice" nuts --target funnel --quiet --seed 1 --halvings 8 --draws 200 -o halved.csv >out 2>err
check "halved as told" grep -q '^steps were halved up to 8 times where the energy changed too much; ' out
check "the file says so" grep -q '^# halvings = 8' halved.csv
"$sluice" nuts --target funnel --seed 1 --draws 200 --json --quiet >out 2>err
json
check "never by default" test "$(value irreversible)" = 0
refused "at most 28 together" nuts --target funnel --halvings 20 --max-treedepth 12 --precondition auto
refused "give a whole number from 0 to 20" nuts --target funnel --halvings 21

run 0 nuts coin.stan --data coin.json --quiet -o - --seed 2
check "the draws alone on standard output" test "$(grep -vc '^[#lp0-9-]' out)" = 0
"$sluice" nuts coin.stan --data coin.json -o - --seed 2 >out 2>err
check "the table beside them" grep -q '^theta ' err
refused 'share standard output' nuts coin.stan --data coin.json -o - --json

run 0 nuts --target gaussian55 --precondition auto -o auto.csv --seed 4
check "rounds are told" grep -q 'round 1: [0-9]* divergences$' err
check "what ended well is not said" test "$(grep -c 'rounds yet' err)" = 0
check "the acceptance aimed at" grep -q '^# delta = 0.995$' auto.csv
check "what it was sampled in" grep -q '^# precondition = auto$' auto.csv
run 0 nuts coin.stan --data coin.json --init start.csv --quiet -o start_draws.csv --seed 3
check "where it began" grep -q '^# init = start.csv$' start_draws.csv
run 0 mix --target gaussian55 --precondition q.safetensors --jumps 2 --quiet -o mixed.csv
check "jumps" grep -q '^# jumps = 2$' mixed.csv

# A density that is no number is named.
cat >root.stan <<'STAN'
parameters { real x; }
model { target += -0.5 * x * x + 0 * sqrt(x + 1.5); }
STAN
run 1 nuts root.stan --quiet --seed 1
check "NaN is named" grep -q 'divergences the log density or its gradient was not a number' out
run 1 nuts --density 'sqrt(-1-x^2)' --dim x --quiet
check "NaN at the start" grep -q 'the log density is not a number' err

# ---- what cannot be ----
# Nothing that is read is written over, and an older result stays until there is a new one.
cp coin.stan own.csv
refused 'would overwrite what TARGET' nuts own.csv --data coin.json -o own.csv
ln -s coin.json link.csv
refused 'would overwrite what --data' nuts coin.stan --data coin.json -o link.csv
refused 'would overwrite what --init' nuts coin.stan --data coin.json --init start.csv -o ./start.csv
refused 'would overwrite what --precondition' mix --target gaussian55 --precondition q.safetensors \
  -o q.safetensors
cp start.csv x.npy.part.csv
refused 'would overwrite what --init' nuts coin.stan --data coin.json --init x.npy.part.csv -o x.npy
check "the program is whole" cmp -s coin.stan own.csv
echo old >old.csv
run 2 nuts coin.stan --data coin.json --init strat.csv -o old.csv
run 2 nuts coin.stan --data coin.json --precondition coin.json -o old.csv
run 1 nuts --density 'log(-1-x^2)' --dim x --quiet -o old.csv
check "an older result stays" test "$(cat old.csv)" = old
for command in nuts mix pathfinder; do
  for name in x.json x.txt; do
    refused 'written as .csv, .npy or .safetensors' $command --target gaussian55 -o $name
  done
done
run 0 nuts --target gaussian55 -o capitals.NPY --quiet
check "an ending in capitals" test "$(head -c 6 capitals.NPY | tail -c 5)" = NUMPY
refused 'of no chains' pathfinder --target gaussian55 -o 'pf_%d.csv'
(
  ulimit -f 40
  exec "$sluice" nuts coin.stan --data coin.json -o short.csv --quiet >out 2>err
)
check "a disk that fills: 2" test $? = 2
check "a disk that fills: whole rows" test "$(tail -c 1 short.csv | wc -l)" = 1
check "a disk that fills: rows" test "$(grep -vc '^#' short.csv)" -gt 50
for format in npy safetensors; do
  (
    ulimit -f 40
    exec "$sluice" nuts coin.stan --data coin.json -o short.$format --quiet >out 2>err
  )
  check "$format on a disk that fills: 2" test $? = 2
  check "$format on a disk that fills: one message" test "$(wc -l <err)" = 1
  check "$format on a disk that fills: what stays" \
    grep -q "^sluice: short.$format.part.csv: .*; what was written before stays" err
  check "$format on a disk that fills: rows" test "$(grep -vc '^#' short.$format.part.csv)" -gt 50
  read_back summary short.$format.part.csv
done
run 2 nuts
run 2 nuts coin.stan --data coin.json --metric none
run 2 nuts coin.stan --data coin.json --chains 2 --save-warmup -o one.csv
run 2 nuts coin.stan --data coin.json --precondition none.safetensors
run 1 nuts --density 'log(-1-x^2)' --dim x --quiet
check "no point to start from" grep -q 'found no point to start from' err
run 1 nuts --density '0*x' --dim x --quiet
check "an improper density" grep -q 'no finite integral' err
if [ -w /dev/full ]; then
  run 2 nuts coin.stan --data coin.json -o /dev/full --quiet
  check "a full disk is one message" test "$(wc -l <err)" = 1
fi

# ---- a run that is interrupted or killed leaves what it has ----
# background ARGUMENTS...: sluice in the background, as `process`.
background() {
  "$sluice" "$@" --quiet >out 2>err &
  process=$!
}
# wait_for FILE ROWS: till it has so many.
wait_for() {
  tries=0
  while [ "$(cat "$1" 2>/dev/null | grep -vc '^#')" -lt "$2" ] && [ $tries -lt 1200 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
}
endless="--draws 100000000 --thin 100"
background nuts --target funnel $endless -o cut.csv
wait_for cut.csv 20
kill -INT $process
wait $process
check "interrupted: 130" test $? = 130
check "it says so in the file" grep -q '^# Interrupted' cut.csv
check "it says so" grep -q '^sluice: interrupted; the draws so far are in cut.csv' err
read_back summary cut.csv
rm cut.csv
background nuts --target funnel $endless -o cut.csv
wait_for cut.csv 20
kill -KILL $process
wait $process 2>/dev/null
read_back summary cut.csv
background nuts --target funnel --warmup 100000000 --save-warmup --chains 1 -o warm.csv
wait_for warm.csv 20
kill -KILL $process
wait $process 2>/dev/null
refused 'warm-up but no draws' summary warm.csv
# NPY and safetensors, whose blocks cannot grow, have their draws in a CSV beside them till the end.
for format in npy safetensors; do
  file=cut.$format
  background nuts --target gaussian55 $endless -o $file
  wait_for $file.part.csv 100
  kill -KILL $process
  wait $process 2>/dev/null
  check "$format killed: chains are told" grep -q ',energy__,chain__,' $file.part.csv
  read_back summary $file.part.csv
  check "$format killed: a table" grep -q '^x1 ' out
  rm $file.part.csv
  background nuts --target gaussian55 $endless -o $file
  wait_for $file.part.csv 100
  kill -INT $process
  wait $process
  check "$format interrupted: 130" test $? = 130
  check "$format interrupted: it is there" grep -q "the draws so far are in $file$" err
  check "$format interrupted: alone" test ! -e $file.part.csv
  read_back summary $file
  rm $file
  # What cannot be written in the end is left where it is.
  background nuts --target gaussian55 $endless -o $file
  wait_for $file.part.csv 100
  mkdir $file
  kill -INT $process
  wait $process
  check "$format cannot be written: 2" test $? = 2
  check "$format cannot be written: what remains" \
    grep -q "^sluice: the draws remain in $file.part.csv: $file: " err
  read_back summary $file.part.csv
done

# More draws than there is address space for; sanitizers end a program that asks for so many.
if ! under_sanitizers; then
  run 1 nuts --target gaussian55 --draws 1000000000 --chains 10000 --quiet
  check "what would take less memory" \
    grep -q 'no memory for 1000000000 draws of 10000 chains, 9 numbers each; take fewer --draws, or .*--thin' err
fi

# Pathfinder has no draws before its end. A shell's background jobs have SIGINT ignored.
background pathfinder --target funnel --paths 2000 --elbo-draws 100000 -o long.csv
sleep 1
kill -INT $process
wait $process
check "pathfinder interrupted: 130" test $? = 130
check "pathfinder says so" grep -q '^sluice: interrupted; nothing is saved' err
check "pathfinder saves nothing" test ! -e long.csv
finish
