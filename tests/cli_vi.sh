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

run 2 vi --mode plain --target pot1 --flow 'planar*x'
run 2 vi --mode plain --target pot1 --track lose
run 2 vi --mode plain --target pot1 --optimizer none
run 2 vi --mode plain --target pot1 --objective draws
run 2 vi --mode plain --target pot1 --objective iwae --estimator score
run 2 vi --mode plain --target none
run 2 vi --mode plain

# Ctrl-C: what was reached is kept, and where is said.
interrupted vi --mode plain --target pot1 --flow 'planar*8' --steps 100000000 -o stopped.safetensors
check "where the best is" grep -q '^interrupted: the best so far is in stopped.safetensors$' err
run 0 sample stopped.safetensors -n 3
finish
