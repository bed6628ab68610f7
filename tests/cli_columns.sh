#!/bin/sh
# Columns with types on the command line: fitted, described, drawn, scored, refused; the same bits with
# any number of threads and after a break.
. "$(dirname "$0")/shell.sh"

# 300 rows: id, a positive number, a probability, an angle around north, three shares, a count, a weight,
# a month, and a column with a difficult name.
awk 'function u() {return rand() * 0.9998 + 0.0001}
  BEGIN {
    srand(3)
    print "id,age,p,wind,s1,s2,s3,n,w,month,\"odd, name: x\""
    for (i = 1; i <= 300; i++) {
      a = -log(u()); b = -log(u()); c = -log(u()); t = a + b + c
      printf "%d,%.7g,%.7g,%.7g,%.9g,%.9g,%.9g,%d,%d,%d,%.7g\n", i, exp(2 * u()) - 0.9, u() ^ 2, \
        (340 + 60 * u()) % 360, a / t, b / t, c / t, int(-3 * log(u())), 1 + i % 2, int(12 * u()), u()
    }
  }' >d.csv
types='age: positive, p: interval(0,1), wind: periodic(0,360), s1..s3: simplex, n: count, w: weight,
  id: skip, month: periodic(0,12) integer, "odd, name: x": real'
flow='--flow lu-maf(rqs,hidden=16,bins=4)'

run 0 fit d.csv $flow --columns "$types" --steps 60 --batch 64 --quiet -o m.safetensors
run 0 info m.safetensors --json
json
check "nine columns" test "$(value dim)" = 9
check "eight features" test "$(value features)" = 8
check "the interval" test "$(value 'types[1]')" = 'interval(0,1)'
check "the shares" test "$(value 'types[5]')" = 'simplex(1)'
check "the month" test "$(value 'types[7]')" = 'periodic(0,12) integer'
check "the odd name" test "$(value 'columns[8]')" = 'odd, name: x'
check "a new format" test "$(value format_version)" = 2
run 0 info m.safetensors
check "types for people" grep -q 'wind: periodic(0,360)' out

run 0 sample m.safetensors -n 200 --with-log-prob -o s.csv
inside='NR > 1 && !($1 > 0 && $2 > 0 && $2 < 1 && $3 >= 0 && $3 < 360 && $4 > 0 && $5 > 0 && $6 > 0 &&
  ($4 + $5 + $6 - 1) ^ 2 < 1e-10 && $7 == int($7) && $7 >= 0 && $8 == int($8) && $8 >= 0 && $8 < 12) {
  print; bad = 1} END {exit bad}'
check "samples lie in the support" awk -F, "$inside" s.csv
run 0 sample m.safetensors -n 3 --upto 1
check "inside the flow there are features" test "$(head -1 out | tr -cd , | wc -c)" = 7
(echo 'age,p,wind,s1,s2,s3,n,month,"odd, name: x"' && tail -n +2 s.csv | cut -d, -f1-9) >rows.csv
tail -n +2 s.csv | cut -d, -f10 >drawn
run 0 score m.safetensors rows.csv
check "drawn rows score what they were drawn with" sh -c 'paste -d, drawn out |
  awk -F, "{d = \$1 - \$2; if (d * d > 1e-4 * (1 + \$1 * \$1)) bad++} END {exit bad > 4}"'

# By name in another order; a turn of the angle more; rows outside.
run 0 score m.safetensors d.csv
cp out scores
awk -F, 'BEGIN {OFS = ","} NR == 1 {print "\"odd, name: x\",month,n,s3,s2,s1,wind,p,age"; next}
  {print $11, $10, $8, $7, $6, $5, $4 + 360, $3, $2}' d.csv >other.csv
run 0 score m.safetensors other.csv
check "columns are found by name, angles wrapped" sh -c 'paste -d, scores out |
  awk -F, "{d = \$1 - \$2; if (d * d > 1e-6) bad = 1} END {exit bad}"'
(head -1 d.csv; echo '1,-1,0.5,10,0.2,0.3,0.5,1,1,3,0'; echo '2,1,0.5,10,0.2,0.3,0.5,1.5,1,3,0') >outside.csv
run 0 score m.safetensors outside.csv
check "outside there is nothing" test "$(cat out)" = "-inf
-inf"
check "which is said" grep -q '2 of 2 rows have density 0' err

# The same bits.
run 0 fit d.csv $flow --columns "$types" --steps 60 --batch 64 --quiet --threads 1 -o one.safetensors
check "one thread" cmp m.safetensors one.safetensors
fit="fit d.csv $flow --steps $(fewer 300 80) --batch 64 --patience 0 --baselines=false --quiet"
run 0 $fit --columns "$types" -o whole.safetensors
run 0 $fit --columns "$types" --checkpoint c --checkpoint-every 1 --max-seconds 0.1 -o part.safetensors
check "broken off" test "$(cmp -s whole.safetensors part.safetensors; echo $?)" = 1
run 0 $fit --columns "$types" --resume c -o resumed.safetensors
check "resumed ends in the same bits" cmp whole.safetensors resumed.safetensors
run 2 $fit --columns "$(echo "$types" | sed 's/n: count/n: integer/')" --resume c
check "other types are other data" grep -q 'the checkpoint was made' err

# One periodic column alone; shares alone; parts as ever; held-out rows in a file.
cut -d, -f4 d.csv >wind.csv
run 0 fit wind.csv --columns 'wind: periodic(0,360)' --steps 60 --quiet -o w.safetensors
run 0 sample w.safetensors -n 300
check "angles" awk 'NR > 1 && !($1 >= 0 && $1 < 360) {exit 1}' out
run 0 fit d.csv --columns 's1..s3: data simplex' --steps 10 --json --quiet
json
check "shares alone" test "$(value dim)" = 3
run 0 fit d.csv --columns 'age: positive' --context month --test d.csv --steps 5 \
  --baselines=false --json --quiet
json
check "a type leaves no column out" test "$(value dim)" = 10
check "all rows test" test "$(value test.rows)" = 300
(head -1 d.csv; echo '1,-1,0.5,10,0.2,0.3,0.5,1,1,3,0') >bad.csv
refused 'row 1, column 2 "age" of the test rows: -1 is not positive' fit d.csv \
  --columns 'age: positive' --test bad.csv --steps 5

# Refusals point into the text.
refused '--columns:1:6: there is no part or type "positiv"; did you mean "positive"' fit d.csv \
  --columns 'age: positiv'
check "a caret under the place" grep -q '^ *^$' err
refused '--columns:2:2: no column "wnd"; did you mean "wind"' fit d.csv --columns "id: skip,
 wnd: periodic(0,360)"
refused '--context:1:8: no column' fit d.csv --context 'month, z99'
refused 'row 1, column 1 "id" of x: 1 is on the border' fit d.csv --columns 'id: interval(1,300)'
finish
