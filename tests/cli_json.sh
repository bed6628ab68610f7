#!/bin/sh
# Every command's --json object: valid JSON with the keys that scripts rely on.
. "$(dirname "$0")/shell.sh"

frame() { # COMMAND: what every object has
  json
  check "command is $1" test "$(value command)" = "$1"
  has version text
  has seed number
  has seconds number
}
scored() { # KEY
  has "$1.log_prob" number
  has "$1.se" number
  has "$1.log_prob_standardized" number
  has "$1.rows" number
}

run 0 version --json
frame version
run 0 data --json
frame data
has 'data[0].name' text
has 'data[0].entropy' number
run 0 data moons -n 3 --json --seed 5
frame data
check "seed is told" test "$(value seed)" = 5
check "three rows" test "$(value samples)" = 3
run 0 flows --json
frame flows
for key in name sample log_prob source; do has "flows[0].$key" text; done
has 'flows[0].arguments' array
run 0 help --json
frame help

run 0 data moons -n 300 -o d.csv
run 0 fit d.csv -o m.safetensors --steps 60 --json --quiet
check "nothing is said with --quiet" test ! -s err
frame fit
for key in flow verdict; do has $key text; done
for key in parameters steps rows dim rows_per_second; do has $key number; done
for key in train valid test gaussian gaussian_mixture; do scored $key; done
check "300 rows in all" test $(($(value train.rows) + $(value valid.rows) + $(value test.rows))) = 300
test_log_prob=$(value test.log_prob)
run 0 info m.safetensors --json
frame info
for key in flow base; do has $key text; done
for key in dim context_dim parameters format_version; do has $key number; done
for key in columns layers; do has $key array; done
has training object
check "the record is of this fit" near "$(value training.test.log_prob)" "$test_log_prob" 1e-12
run 0 score m.safetensors d.csv --json
frame score
check "a log density for each row" test "$(value log_prob)" = 300
run 0 score m.safetensors d.csv --json --summary
frame score
for key in mean se rows; do has $key number; done
head -2 d.csv >first.csv
run 0 score m.safetensors first.csv --json --summary
frame score
check "of one row no error is known" test "$(value rows)" = 1
has se null
run 0 score m.safetensors first.csv --summary
check "nor shown" grep -q '^standard error  *-$' out
run 0 sample m.safetensors -n 4 --json --with-log-prob
frame sample
check "four rows" test "$(value samples)" = 4
has not_a_number number
check "four densities" test "$(value log_prob)" = 4
check "columns by name" test "$(value 'columns[0]')" = x
run 0 sample m.safetensors -n 2 --json
has 'samples[1][1]' number
finish
