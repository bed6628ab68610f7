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
done
run 0 compare draws.safetensors draws.csv --quiet
for metric in unit_e diag_e dense_e fisher_diag; do
  run 0 nuts coin.stan --data coin.json --metric $metric --quiet --seed 3
done
run 0 nuts coin.stan --data coin.json --init pathfinder --quiet --seed 3
echo 0.5 >start.csv
run 0 nuts coin.stan --data coin.json --init start.csv --quiet --seed 3
run 1 nuts --target funnel --metric diag_e --quiet
check "a poor run says so" grep -q 'Not to be trusted' out

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

# ---- what cannot be ----
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
"$sluice" nuts --target funnel --draws 100000000 --thin 1000 -o cut.csv --quiet >out 2>err &
process=$!
sleep 4
kill -INT $process
wait $process
check "interrupted: 130" test $? = 130
check "it says so in the file" grep -q '^# Interrupted' cut.csv
read_back summary cut.csv
"$sluice" nuts --target funnel --draws 100000000 --thin 1000 -o cut.csv --quiet >out 2>err &
process=$!
sleep 4
kill -KILL $process
wait $process 2>/dev/null
read_back summary cut.csv
finish
