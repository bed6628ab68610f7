#!/bin/sh
# A fit that is killed and resumed ends in the same bits as one that was not; Ctrl-C saves the best so far.
. "$(dirname "$0")/shell.sh"
fit="fit d.csv --flow coupling(affine,hidden=64x64)*4 --steps $(fewer 1500 300) --batch 128 --patience 0 --seed 2"

run 0 data pinwheel -n 2000 --seed 1 -o d.csv
run 0 $fit --quiet -o whole.safetensors

# Killed once the first checkpoint is there, and again during the resumed run.
"$sluice" $fit --quiet --checkpoint state --checkpoint-every 50 -o killed.safetensors &
process=$!
tries=0
while [ ! -s state ] && [ $tries -lt 600 ]; do sleep 0.05; tries=$((tries + 1)); done
kill -9 $process 2>/dev/null
wait $process 2>/dev/null
check "killed before its end" test ! -e killed.safetensors
check "a checkpoint is there" test -s state
run 0 $fit --quiet --resume state --checkpoint state --checkpoint-every 50 -o resumed.safetensors
check "resumed ends in the same bits" cmp whole.safetensors resumed.safetensors
refused 'd.csv' fit d.csv --steps 10 --resume d.csv --quiet

# Ctrl-C.
interrupted fit d.csv --steps 100000000 --patience 0 --max-seconds 0 -o stopped.safetensors
check "the table of the best so far" grep -q '  test ' out
run 0 score stopped.safetensors d.csv --summary
interrupted fit d.csv --steps 100000000 --patience 0 --max-seconds 0 -o whole.safetensors
check "a file that was there is as it was" cmp whole.safetensors resumed.safetensors
check "where both are" grep -q 'is in whole.unfinished.safetensors; whole.safetensors is as it was$' err
run 0 score whole.unfinished.safetensors d.csv --summary
finish
