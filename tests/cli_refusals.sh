#!/bin/sh
# Wrong requests and wrong inputs: exit 2 and one line that names the place, the cause and a mend.
. "$(dirname "$0")/shell.sh"

refused 'did you mean `sluice fit`' fitt
refused 'fit needs DATA' fit
refused 'one too many; version takes none' version now.json
refused 'for data write --data d.json' nuts m.stan d.json
refused "no variable 'x' here; list it among the coordinates' names" vi --density '-x^2' --dim y
refused 'unknown option' version -z
refused 'did you mean --threads?' fit d.csv --treads 2
refused '--stepz' fit d.csv --stepz 5
refused 'needs a value' fit d.csv --steps
refused 'steps' fit d.csv --steps 0
refused 'missing.csv' fit missing.csv
refused 'missing.safetensors' info missing.safetensors
refused 'did you mean "moons"' data moon
refused 'did you mean "coupling"' flows couplin

printf 'a,b\n1,2\n3,nan\n5,6\n' >nan.csv
refused 'nan.csv:3:3' fit nan.csv
printf 'a,b\n1,2\n3,-inf\n5,6\n' >inf.csv
refused 'inf.csv:3:3' fit inf.csv
printf 'a,b\n1,2\n3\n5,6\n' >ragged.csv
refused 'ragged.csv:3' fit ragged.csv
printf 'a,b\n1,2\n3,\n5,6\n' >empty.csv
refused 'empty.csv:3:3' fit empty.csv
printf 'a,b\n1,2\n3,x\n5,6\n' >word.csv
refused 'word.csv:3:3' fit word.csv
printf 'a,b\n1,2\n3,4\n5,6\n' >few.csv
refused 'few.csv: 3 rows are too few for 2 columns' fit few.csv
printf 'a\n1\n' >one.csv
refused 'one.csv: 1 row is too few for 1 column; give at least 20' fit one.csv
: >nothing.csv
refused 'nothing.csv' fit nothing.csv
awk 'BEGIN {print "a,b"; for (i = 0; i < 50; i++) print i * i ",7"}' >constant.csv
refused 'column 2 "b" is constant' fit constant.csv

"$sluice" data moons -n 200 -o d.csv
refused '--flow:1:' fit d.csv --flow 'coupling(affine'
refused '--flow:1:' fit d.csv --flow 'lu-couplin(affine)'
check "a caret under the place" grep -q '^ *^$' err
refused 'adan' fit d.csv --optimizer adan --steps 5
refused 'no column "z"' fit d.csv --columns z
refused 'no part' fit d.csv --columns 'x: nothing'
refused 'fraction' fit d.csv --valid 0.99
refused 'choose one' fit d.csv --steps 5 --epochs 2
refused 'f16' fit d.csv --precision f16
refused 'name of a table' fit d.csv --steps 5 -o d.csv
refused 'both want standard output' fit d.csv --steps 5 --json -o -
refused 'no/such/folder' fit d.csv --max-seconds 600 -o no/such/folder/m.safetensors
refused 'Is a directory' fit d.csv --steps 5 -o .
refused 'give -o m.safetensors' fit d.csv --max-seconds 600 -o m.model
refused 'give -o m.safetensors' fit d.csv --max-seconds 600 -o m
[ ! -c /dev/full ] || refused '/dev/full: cannot be written: ' fit d.csv --max-seconds 600 -o /dev/full
refused 'no/such/folder' fit d.csv --steps 5 --checkpoint no/such/folder/state
run 0 fit d.csv --steps 5 --quiet -o m.safetensors
# Steps too long leave the flow below a Gaussian: a result, printed and kept, but a failed one.
"$sluice" data moons -n 2000 -o many.csv
run 1 fit many.csv --steps 50 --lr 0.5 --flow 'coupling(affine)*8' --quiet -o bad.safetensors
check "the verdict is Bad" grep -q '^Bad: ' out
run 0 info bad.safetensors
refused 'declare the column periodic(low,high)' fit d.csv --steps 5 --flow 'coupling(circular)'
refused 'maps a circle, and the columns it would map are lines' fit d.csv --steps 5 \
  --flow 'uniform(low=-3.141592653589793,high=3.141592653589793)-coupling(circular)'
refused 'that --checkpoint wrote' fit d.csv --steps 5 --resume m.safetensors
head -c 100 m.safetensors >short.safetensors
refused 'short.safetensors' score short.safetensors d.csv
refused 'd.csv is no model; info takes MODEL' info d.csv
refused 'd.csv is no model; score takes MODEL DATA' score d.csv m.safetensors
refused 'd.csv is no model; sample takes MODEL' sample d.csv -n 3
refused 'd.csv is a table, no Stan program; `sluice fit`' nuts d.csv
refused 'd.csv is a table, no Stan program; `sluice fit`' vi d.csv
refused 'd.csv is a table, no Stan program; `sluice fit`' check d.csv
refused 'm.safetensors is a model that is fitted already' nuts m.safetensors
echo '{}' >d.json
refused 'd.json is data, no Stan program; give it as --data' vi d.json
echo 'data { int n; } parameters { real x; } model { x ~ normal(n, 1); }' >model.stan
refused '--data d.json' nuts model.stan
refused 'model.stan is no model' info model.stan
refused 'option -n, --rows: ' sample m.safetensors -n -3
refused 'option -n, --rows needs a value' sample m.safetensors -n
refused 'option --rows: ' sample m.safetensors --rows -3
printf 'a,b,c\n1,2,3\n' >three.csv
refused 'three.csv: 3 columns, but d.csv wants 2' fit d.csv --test three.csv
printf 'y,z\n1,2\n3,4\n' >half.csv
refused 'half.csv: no column "x" beside the others' fit d.csv --valid half.csv
refused 'three.csv: 3 columns, but the model wants 2' score m.safetensors three.csv
refused 'a table is CSV or NPY' score m.safetensors m.safetensors
refused 'a table is CSV or NPY' sample m.safetensors -n 5 -o s.json
refused 'not .txt; use .csv or .npy' sample none.safetensors -o s.txt
refused 'not .dat; use .csv or .npy' score none.safetensors d.csv -o no.such.dat
refused 'not .tsv; use .csv or .npy' data moons -o s.tsv
refused 'not .txt; use .csv or .npy' log-density --target pot1 --at d.csv -o s.txt
refused 'no/such/folder' sample none.safetensors -o no/such/folder/s.csv
run 0 sample m.safetensors -n 5 -o s.txt --format npy
mkdir -p ./a.b
run 0 sample m.safetensors -n 5 -o a.b/s
run 0 sample m.safetensors -n 5 -o a.b/.s
check "names that say nothing are CSV" cmp a.b/s a.b/.s
refused 'takes no conditions' sample m.safetensors --context d.csv
refused 'no/such/folder' sample m.safetensors -o no/such/folder/x.csv
refused 'the flow has 7 layers' sample m.safetensors --upto 99
check "a failed write leaves nothing behind" test -z "$(ls | grep -i tmp)"
finish
