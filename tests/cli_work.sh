#!/bin/sh
# The command at work: fit, score, sample, pipes; the same bits again, and with any number of threads.
. "$(dirname "$0")/shell.sh"

run 0 data moons -n 400 --seed 1 -o d.csv
run 0 data moons -n 400 --seed 1 -o d.npy
run 0 fit d.csv -o a.safetensors --steps 80 --seed 3
check "a table on standard output" grep -q '  test ' out
check "the verdict" grep -qE '^(Good|Fair|Poor|Bad)' out
run 0 fit d.csv -o b.safetensors --steps 80 --seed 3 --threads 1 --quiet
check "the same file with one thread" cmp a.safetensors b.safetensors
run 0 fit d.csv -o b.safetensors --steps 80 --seed 3 --threads 5 --quiet
check "the same file with five threads" cmp a.safetensors b.safetensors
run 0 fit d.csv -o b.safetensors --steps 80 --seed 4 --quiet
check "another file with another seed" test "$(cmp -s a.safetensors b.safetensors; echo $?)" = 1

run 0 score a.safetensors d.csv
check "one density per line" test "$(wc -l <out)" = 400
cp out scores
"$sluice" score a.safetensors - <d.csv >out 2>err
check "standard input gives the same" cmp out scores
"$sluice" score a.safetensors - <d.npy >out 2>err
check "NPY on standard input gives the same" cmp out scores
run 0 score a.safetensors d.csv --threads 3
check "threads change nothing" cmp out scores
run 0 score a.safetensors d.csv --summary --json
json
mean=$(awk '{s += $1} END {printf "%.12g", s / NR}' scores)
check "the mean is the mean" near "$(value mean)" "$mean" 1e-6

run 0 sample a.safetensors -n 50 --with-log-prob -o s.csv
check "columns by name" test "$(head -1 s.csv)" = x,y,log_prob
tail -n +2 s.csv | cut -d, -f3 >drawn
cut -d, -f1,2 s.csv >rows.csv
run 0 score a.safetensors rows.csv
paste -d, drawn out | awk -F, '{d = $1 - $2; if (d < 0) d = -d; if (d > w) w = d} END {exit !(w < 1e-3)}'
check "drawn rows score what they were drawn with" test $? -eq 0
run 0 sample a.safetensors -n 20 --seed 9
cp out first
run 0 sample a.safetensors -n 30 --seed 9
check "more rows begin with the same" test "$(head -21 out)" = "$(cat first)"
run 0 sample a.safetensors -n 2000 --upto 0
spread=$(awk -F, 'NR > 1 {s += $1 * $1} END {print s / (NR - 1)}' out)
check "--upto 0 is the base noise" near "$spread" 1 0.15

# Columns: order by name, weights, a file to hold out.
awk -F, 'BEGIN {OFS = ","} {print $2, $1}' d.csv >swapped.csv
run 0 score a.safetensors swapped.csv
check "columns are found by name" cmp out scores
sed '1s/.*/p,q/' d.csv >others.csv
run 0 score a.safetensors others.csv
check "columns of other names go by their order" cmp out scores
check "which is said" grep -q "not the model's column names" err
"$sluice" fit d.csv --steps 80 --seed 3 -o - 2>err >piped.safetensors
check "-o - is the model and nothing else" cmp a.safetensors piped.safetensors
check "the table goes aside" grep -q '  test ' err
awk -F, 'BEGIN {OFS = ","} NR == 1 {print $0, "w"; next} {print $0, NR % 3}' d.csv >w.csv
run 0 fit w.csv --columns 'w: weight' --steps 20 --quiet -o w.safetensors
run 0 info w.safetensors --json
json
check "a weight is no data" test "$(value dim)" = 2
run 0 data moons -n 100 --seed 2 -o v.csv
run 0 fit d.csv --valid v.csv --test v.csv --steps 20 --json --quiet
json
check "all of the file trains" test "$(value train.rows)" = 400
check "the other file tests" test "$(value test.rows)" = 100
head -2 v.csv >single.csv
run 0 fit d.csv --valid v.csv --test single.csv --steps 20 --json --quiet -o single.safetensors
json
has test.se null
has valid.se number
has gaussian.se null
check "one row is no verdict" grep -q '"verdict": "Only one unseen row counts, ' out
run 0 info single.safetensors --json
json
has training.test.se null
run 0 fit d.csv --test single.csv --steps 20 --quiet
check "no standard error of one row" grep -q '^  test  *-\{0,1\}[0-9.]*  *-  *[-0-9.]*  *1$' out
run 0 fit d.csv --context y --steps 20 --quiet -o c.safetensors
run 0 score c.safetensors d.csv --summary
run 0 sample c.safetensors --context v.csv -o out
check "a row for each condition" test "$(wc -l <out)" = 101
printf 'y\n0.5\n' >one.csv
run 0 sample c.safetensors --context one.csv -n 5
check "one condition for all rows" test "$(wc -l <out)" = 6
refused '100 conditions for 5 rows' sample c.safetensors --context v.csv -n 5

# Rounded columns are noticed, and said.
awk 'BEGIN {srand(1); print "a,b"; for (i = 0; i < 300; i++) print int(rand() * 10) "," rand()}' >r.csv
run 0 fit r.csv --steps 20
check "rounding is noticed" grep -q 'column 1 "a" is rounded to multiples of 1' err
finish
