#!/bin/sh
# Columns that cannot be what they are declared: angles over too many turns, labels that are none;
# categories written as numbers; names that two columns have; decimal commas; draws that no number of the model's precision can hold.
. "$(dirname "$0")/shell.sh"

# ---- categories that are numbers: y is normal with mean 0, 2 or 4 by the region 3, 7 or 12 ----
awk 'BEGIN {srand(7); split("12 3 7", region, " ")
  print "y,region,wide"
  for (i = 0; i < 900; i++) {
    s = -6; for (k = 0; k < 12; k++) s += rand()
    c = i % 3; mean = region[c + 1] == 3 ? 0 : region[c + 1] == 7 ? 2 : 4
    printf "%.6f,%s,%.6f\n", mean + 0.5 * s, region[c + 1], i + 0.5}}' >d.csv
fit="--flow scale-loc --steps 400 --lr 0.02 --batch 256 --quiet --json -o m.safetensors"

for option in "--columns region:label,wide:skip" "--context region:label --columns wide:skip"; do
  # shellcheck disable=SC2086
  run 0 fit d.csv $option $fit
  run 0 info m.safetensors --json
  json
  check "$option: a condition for each number" test "$(value context_dim)" = 3
  check "the least first" test "$(value 'context_columns[0]')" = region=3
  check "by size, not as text" test "$(value 'context_columns[2]')" = region=12
done
for pair in 3,0 7,2 12,4; do
  run 0 sample m.safetensors -n 2000 --context-value region=${pair%,*}
  mean=$(awk 'NR > 1 {s += $1} END {print s / (NR - 1)}' out)
  check "given ${pair%,*} the mean is $mean" near "$mean" "${pair#*,}" 0.15
done
# The file's numbers are labels again, and a held-out file's.
run 0 score m.safetensors d.csv --summary --json
json
check "each row by its own label" near "$(value mean)" -0.73 0.1
head -300 d.csv >test.csv
# shellcheck disable=SC2086
run 0 fit d.csv --test test.csv --columns 'region: label, wide: skip' $fit
sed 's/,7,/,8,/' d.csv >other.csv
refused 'knows "3", "7", "12"' score m.safetensors other.csv
refused 'region' sample m.safetensors -n 3 --context-value region=8

refused 'no type' fit d.csv --context 'region: positive'
refused 'a second part' fit d.csv --columns 'region: label weight'
awk 'NR == 1 {print "y,k"} {print NR, NR}' OFS=, d.csv d.csv >many.csv
refused 'more than 1000' fit many.csv --columns 'k: label'
tail -n +2 d.csv >unnamed.csv
refused 'write a first line of names' fit unnamed.csv --columns '2: label, 3: skip'
sed '5s/,[0-9]*,/,nan,/' d.csv >hole.csv
refused 'row 4, column 2 is not a number' fit hole.csv --columns 'region: label, wide: skip'
check "where" grep -q 'hole.csv:5' err

# ---- angles: a column of many turns is no angle ----
awk 'BEGIN {print "a,b"; for (i = 0; i < 400; i++) printf "%.2f,%.4f\n", i * 1e4 + 0.25, i % 7 + i / 400}' >turns.csv
refused 'periods of periodic(0,1)' fit turns.csv --columns 'a: periodic(0,1)' --steps 5
check "names the column" grep -q '"a"' err
run 0 fit turns.csv --columns 'b: periodic(0,1)' --steps 5 --baselines=false --quiet -o turns.safetensors

# ---- a name of two columns is refused where something goes by it, and only there ----
awk 'BEGIN {srand(9); print "a,a,b"; for (i = 0; i < 400; i++) print rand() "," 9 + rand() "," rand()}' >twice.csv
sed '1s/.*/a,c,b/' twice.csv >once.csv
sed '1s/.*/c,a,b/' twice.csv >other.csv
tail -n +2 twice.csv >nameless.csv
fit="--flow scale-loc --steps 20 --baselines=false --quiet -o twice.safetensors"
both='columns 1 and 2 are both named "a"'
refused "twice.csv: $both" fit twice.csv $fit
refused '"a" is the name of columns 1 and 2; rename one of them, or write the number' \
  fit twice.csv --columns 'a: skip' $fit
refused '"a" is the name of columns 1 and 2' fit twice.csv --context a $fit
refused "$both" fit twice.csv --context 1 $fit
run 0 fit twice.csv --columns '2: skip' $fit
refused "twice.csv: $both" score twice.safetensors twice.csv
run 0 score twice.safetensors once.csv --summary --json
json
check "the first was fitted" test "$(value outside)" = 0
cp out first
run 0 fit twice.csv --columns '1: skip' $fit
run 0 score twice.safetensors once.csv --summary --json
check "the second is another" sh -c '! cmp -s out first'
run 0 score twice.safetensors other.csv --summary
run 0 fit twice.csv --columns '1: skip, b: skip' $fit
refused "twice.csv: $both" fit once.csv --valid twice.csv --steps 5
run 0 fit nameless.csv $fit

# ---- decimal commas ----
printf 'a;b\n1,5;2,5\n2,5;3,5\n' >comma.csv
refused 'decimal commas? write 1.5, not 1,5' fit comma.csv --steps 5
printf 'a;b\nx,y;2.5\nz;3.5\n' >words.csv
refused 'only conditions may; give it as --context' fit words.csv --steps 5

# ---- a misspelt base density ----
refused "--base: there is no base density 'studnt'; did you mean 'student'?" fit once.csv --base studnt

# ---- draws too large for a number are said, and the exit code says that there are some ----
awk 'BEGIN {srand(3); print "x"; for (i = 0; i < 500; i++) print exp(20 * (rand() + rand() - 1))}' >heavy.csv
run 0 fit heavy.csv --flow 'student(1)-scale-inverse(power(0.05))' --precision f32 --steps 5 \
  --baselines=false --quiet -o heavy.safetensors
run 1 sample heavy.safetensors -n 2000 -o rows.csv
check "they are counted" grep -q 'of 2000 rows drawn (the first is row' err
check "and named" grep -q 'too large for f32' err
check "all rows are written" test "$(wc -l <rows.csv)" = 2001
run 1 sample heavy.safetensors -n 2000 --json -o rows.csv
json
check "in the object too" test "$(value not_a_number)" -gt 0
finish
