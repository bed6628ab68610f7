#!/bin/sh
# sluice vi in plain mode: its JSON, files that score and sample read, the tracker, refusals.
. "$(dirname "$0")/shell.sh"

run 0 vi --mode plain --target gaussian55 --flow scale-loc --steps 2000 --lr 0.03 --schedule cosine \
  --track 'loss,gradient_norm@100=trace.csv' -o q.safetensors --json --quiet --seed 3
json
check "nothing is said with --quiet" test ! -s err
for key in command flow verdict; do has $key text; done
for key in elbo log_evidence; do has $key.value number && has $key.se number; done
for key in khat ess gradient_evaluations loss_average seconds seed; do has $key number; done
check "the evidence is 0" near "$(value log_evidence.value)" 0 0.01
check "200,000 gradients" test "$(value gradient_evaluations)" = 200000
check "twenty rows of the tracker and a header" test "$(wc -l <trace.csv)" = 21
run 0 info q.safetensors --json
json
check "the record tells the target" test "$(value training.target)" = gaussian55
run 0 sample q.safetensors -n 50 -o rows.csv
run 0 score q.safetensors rows.csv
check "a density for each draw" test "$(wc -l <out)" = 50
run 0 sample q.safetensors -n 5 --upto 1
check "five draws after one layer" test "$(wc -l <out)" = 6
cp q.safetensors first.safetensors
run 0 vi --mode plain --target gaussian55 --flow scale-loc --steps 2000 --lr 0.03 --schedule cosine \
  -o q.safetensors --quiet --seed 3 --threads 1
check "the same file on one thread" cmp -s q.safetensors first.safetensors
run 1 vi --mode plain --target funnel --flow loc --steps 50 --quiet
check "a poor fit says so" grep -q 'not to be trusted' out

# Renyi's bound of order 1 is the ELBO.
elbo_by() {
  "$sluice" vi --mode plain --target gaussian55 --flow scale-loc --steps 300 --lr 0.03 --seed 3 \
    --quiet --json "$@" >out
  json
  value elbo.value
}
check "order 1" near "$(elbo_by --objective renyi --alpha 1)" "$(elbo_by --estimator stl)" 1e-9
check "by the path alone" near "$(elbo_by --objective renyi --alpha 1 --estimator reparameterized)" \
  "$(elbo_by)" 1e-9

# Wrapped optimisers are what they are called; a fit that has arrived ends.
by_optimizer() {
  "$sluice" vi --mode plain --target gaussian55 --flow scale-loc --steps 300 --lr 0.005 --seed 3 \
    --quiet --json "$@" >out
  json
  value elbo.value
}
check "momentum around sgd" near "$(by_optimizer --optimizer sgd --apply-momentum 0.9)" \
  "$(by_optimizer --optimizer momentum)" 1e-9
check "and Nesterov's" near "$(by_optimizer --optimizer sgd --apply-nesterov-momentum 0.9)" \
  "$(by_optimizer --optimizer nesterov_momentum)" 1e-9
gaussian="vi --mode plain --target gaussian55 --flow scale-loc --quiet"
run 0 $gaussian --lr 0.005 --steps 40000 --stop-parameters 0.001
check "it has arrived" grep -q 'Stopped after step [0-9]*: the drift of the parameters' out
run 1 $gaussian --lr 0.01 --stop-parameters 10 --stop-change absolute --stop-norm 1 --stop-every 30 \
  --max-norm 'layers.2.*=0.5'
check "PyMC3's looks" grep -q 'Stopped after step 30: the change of the parameters' out
refused '--stop-every is for --stop-parameters' $gaussian --stop-every 30
refused '--stop-norm is for --stop-change' $gaussian --stop-parameters 1 --stop-norm 2
refused 'has no matrices' $gaussian --max-norm 3
refused 'leave one out' $gaussian --apply-momentum 0.5 --apply-nesterov-momentum 0.5
refused '--max-norm is for --mode plain' vi --target gaussian55 --max-norm 3
refused '--stop-parameters is for --mode plain' vi --target gaussian55 --stop-parameters 1

run 2 vi --mode plain --target pot1 --flow 'planar*x'
run 2 vi --mode plain --target pot1 --track lose
run 2 vi --mode plain --target pot1 --optimizer none
run 2 vi --mode plain --target pot1 --objective draws
run 2 vi --mode plain --target pot1 --objective iwae --estimator score
run 2 vi --mode plain --target none
run 2 vi --mode plain

# Options of another objective than the one asked for.
refused '--alpha is for --objective renyi' vi --mode plain --target pot1 --alpha 7
refused '--draws is for --objective draws' vi --mode plain --target pot1 --draws none.csv

# Draws: columns by name, parameters on their own scale; without a header, coordinates.
by_draws="vi --mode plain --objective draws --flow loc --steps 1500 --lr 0.05 --schedule cosine --quiet"
mean() { awk -F, -v c="$2" 'NR > 1 {sum += $c} END {print sum / (NR - 1)}' "$1"; }
awk 'BEGIN {for (i = 0; i < 100; i++) print (i % 2 ? 6 : 4) "," (i % 4 < 2 ? -4 : -2)}' >bare.csv
(echo y,x; cat bare.csv) >named.csv
two="--density -0.5*(x+3)^2-0.5*(y-5)^2 --dim x,y"
run 0 $by_draws $two --draws named.csv -o q.named.safetensors
run 0 sample q.named.safetensors -n 4000 -o rows.csv
check "x by its name" near "$(mean rows.csv 1)" -3 0.15
check "y by its name" near "$(mean rows.csv 2)" 5 0.15
"$sluice" $by_draws $two --draws bare.csv -o q.bare.safetensors >out 2>err
run 0 sample q.bare.safetensors -n 4000 -o rows.csv
check "x by its place" near "$(mean rows.csv 1)" 5 0.15
run 0 sample q.bare.safetensors -n 4000 -o rows.npy
"$sluice" $by_draws $two --draws rows.npy -o q.npy.safetensors >out 2>err
run 0 sample q.npy.safetensors -n 4000 -o rows.csv
check "x by its place in NPY" near "$(mean rows.csv 1)" 5 0.15
(echo y,z; cat bare.csv) >other.csv
refused 'no column "x"' $by_draws $two --draws other.csv

echo 'parameters { real<lower=0> s; } model { s ~ lognormal(4, 0.5); }' >s.stan
(echo s; awk 'BEGIN {for (i = 0; i < 100; i++) print exp(i % 2 ? 3.5 : 4.5)}') >s.csv
run 0 nuts s.stan --chains 2 --draws 500 --quiet --seed 1 -o nuts.csv
run 0 nuts s.stan --chains 2 --draws 500 --quiet --seed 1 -o nuts.safetensors
for draws in s.csv nuts.csv nuts.safetensors; do
  "$sluice" $by_draws s.stan --draws $draws -o q.s.safetensors >out 2>err
  run 0 sample q.s.safetensors -n 4000 --unconstrained -o rows.csv
  check "$draws: the mean of log s" near "$(mean rows.csv 1)" 4 0.25
done
# Without names they could be either where a parameter is constrained, and are where none is.
run 0 nuts s.stan --chains 2 --draws 500 --quiet --seed 1 -o nuts.npy
refused 'nuts.npy: its 1 columns have no names' $by_draws s.stan --draws nuts.npy
tail -n +2 s.csv >bare.s.csv
refused 'parameters of s.stan (1, and what is computed from them) or its coordinates (1); give draws' \
  $by_draws s.stan --draws bare.s.csv
echo 'parameters { matrix[2, 1] m; } model { to_vector(m) ~ normal(3, 1); }' >m.stan
run 0 nuts m.stan --chains 2 --draws 500 --quiet --seed 1 -o nuts.npy
"$sluice" $by_draws m.stan --draws nuts.npy -o q.m.safetensors >out 2>err
run 0 sample q.m.safetensors -n 4000 -o rows.csv
check "m by its place" near "$(mean rows.csv 2)" 3 0.25
echo 'parameters { simplex[3] p; } model { }' >p.stan
"$sluice" nuts p.stan --draws 100 --quiet --seed 1 -o nuts.npy >out 2>err
refused '(3, and what is computed from them) or its coordinates (2)' $by_draws p.stan --draws nuts.npy
refused '3 columns without names for the 2 coordinates' $by_draws m.stan --draws nuts.npy
printf 's\n1\n-1\n' >wrong.csv
refused 'row 2' $by_draws s.stan --draws wrong.csv

# A name that promises another format than the one model file there is, and a device without room, are
# refused before anything is fitted: these fits would outlast the day.
long="vi --mode plain --target pot1 --steps 4000000000"
refused 'give -o q.safetensors' $long -o q.txt
mkdir d.x
refused 'give -o d.x/q.safetensors' $long -o d.x/q.npy
refused 'give -o ./q.safetensors' $long -o ./q
refused 'give -o q.safetensors' vi --target pot1 -o q.csv
check "nothing was written" test ! -e q.txt -a ! -e q -a ! -e q.csv
if [ -c /dev/full ]; then
  refused '/dev/full: cannot be written: ' $long -o /dev/full
fi
run 0 vi --mode plain --target gaussian55 --flow scale-loc --steps 2000 --lr 0.03 --schedule cosine \
  --quiet -o /dev/null

# Ctrl-C: what was reached is kept, and where is said.
interrupted vi --mode plain --target pot1 --flow 'planar*8' --steps 100000000 -o stopped.safetensors
check "where the best is" grep -q '^interrupted: the best so far is in stopped.safetensors$' err
check "what stopped it" grep -q '^Stopped after step [0-9]*: interrupted$' out
run 0 sample stopped.safetensors -n 3

# What a file holds already is not replaced by a fit that was not finished.
interrupted vi --mode plain --target pot1 --flow 'planar*8' --steps 100000000 -o q.safetensors
check "the older file is as it was" cmp -s q.safetensors first.safetensors
check "where both are" grep -q \
  '^interrupted: the best so far is in q.unfinished.safetensors; q.safetensors is as it was$' err
run 0 sample q.unfinished.safetensors -n 3

# Going back can be switched off, and its times are counted. Adam at 0.3 throws this fit off often.
rough="vi --mode plain --target pot1 --flow planar*8 --steps 3000 --samples 20 --lr 0.3 --json --quiet"
run 0 $rough
json
check "it went back" test "$(value restored)" -gt 0
on=$(value loss_average)
run 0 $rough --go-back=on
json
check "it is on by itself" test "$(value loss_average)" = "$on"
"$sluice" $rough --go-back off >out 2>err
json
check "it did not go back" test "$(value restored)" = 0
check "another end" test "$(value loss_average)" != "$on"

# Where a run ends badly, the better of its end and its best place is kept: one that falls from 20 to
# 2 in its first hundred steps.
no_worse() {
  "$sluice" vi --mode plain --samples 20 --threads 1 --json --quiet "$@" --go-back on >out 2>err
  json
  with=$(value elbo.value)
  "$sluice" vi --mode plain --samples 20 --threads 1 --json --quiet "$@" --go-back off >out 2>err
  json
  check "$*: $with is not below $(value elbo.value)" \
    awk -v a="$with" -v b="$(value elbo.value)" 'BEGIN {exit !(a > b - 0.1)}'
}
no_worse --target pot4 --flow 'planar*10' --lr 0.5 --steps 150 --seed 1

refused '--go-back' vi --mode plain --target pot1 --go-back perhaps
refused 'did you mean off? give on|off' vi --mode plain --target pot1 --go-back no
refused 'did you mean on? give on|off' vi --mode plain --target pot1 --go-back true
refused '--go-back' vi --target pot1 --go-back off
refused "there is no function 'qqqqq'; take one of Stan's" \
  vi --mode plain --density '-qqqqq(x)' --dim x
finish
