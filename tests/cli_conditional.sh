#!/bin/sh
# Conditional flows at the command: fit, score and sample with --context, for formulas without
# networks of their own too; conditions from a file, from the data, and on the command line.
. "$(dirname "$0")/shell.sh"

# y is normal given c, with mean 2 c and standard deviation 0.5; c has the values 0 and 1.
awk 'BEGIN {srand(5); print "y,c"; for (i = 0; i < 2000; i++) {
  s = -6; for (k = 0; k < 12; k++) s += rand()
  c = i % 2; print 2 * c + 0.5 * s "," c}}' >d.csv
printf 'c\n1\n' >one.csv
cut -d, -f1 d.csv >y.csv
cut -d, -f2 d.csv >c.csv

for formula in scale-loc 'lu-scale' 'coupling(affine,hidden=16)'; do
  run 0 fit d.csv --context c --flow "$formula" --steps 400 --lr 0.02 --batch 256 --quiet -o m.safetensors
  run 0 info m.safetensors --json
  json
  check "$formula: one condition" test "$(value context_dim)" = 1
  check "$formula: the data is one column" test "$(value dim)" = 1
  run 0 score m.safetensors d.csv --summary --json
  json
  # Minus the entropy of the normal distribution: -log(0.5 sqrt(2 pi e)) = -0.7258.
  check "$formula: scores $(value mean)" near "$(value mean)" -0.7258 0.05

  run 0 sample m.safetensors -n 2000 --context-value c=1 -o s.csv
  mean=$(awk 'NR > 1 {s += $1} END {print s / (NR - 1)}' s.csv)
  check "$formula: given c=1 the mean is $mean" near "$mean" 2 0.08
  run 0 sample m.safetensors -n 2000 --context one.csv -o t.csv
  check "$formula: a file says the same as the option" cmp s.csv t.csv
  run 0 sample m.safetensors --context c.csv -o t.csv
  check "$formula: a row for each condition" test "$(wc -l <t.csv)" = 2001
  run 0 sample m.safetensors -n 5 --context-value ' c = 0 ' --with-log-prob -o t.csv
  cut -d, -f2 t.csv | tail -n +2 >told
  cut -d, -f1 t.csv >rows.csv
  run 0 score m.safetensors rows.csv --context-value c=0
  paste -d, told out | awk -F, '{d = $1 - $2; if (d < 0) d = -d; if (d > w) w = d} END {exit !(w < 1e-3)}'
  check "$formula: drawn rows score what they were drawn with" test $? -eq 0
done

# Conditions aside are those of the data.
run 0 score m.safetensors d.csv
cp out scores
run 0 score m.safetensors y.csv --context c.csv
check "conditions of a file of their own" cmp out scores
run 0 score m.safetensors d.csv --context-value c=1 --gradient
check "one condition for all rows" test "$(wc -l <out)" = 2000
check "in place of the data's own, which is said" grep -q 'd.csv: its column "c" is not read; --context-value' err
cut -d, -f1 out >given
run 0 score m.safetensors d.csv --context c.csv
check "so is it of a file" grep -q 'd.csv: its column "c" is not read; --context says' err
run 0 score m.safetensors y.csv --context-value c=1
check "the same as without that column" cmp out given
check "where there is nothing to say" test ! -s err
run 1 sample m.safetensors -n 3 --context-value c=3e38
check "absurd conditions are suspected first" grep -q 'check the conditions' err

refused "--context-value: the model has no condition \"d\"" sample m.safetensors --context-value d=1
refused "has no '='" sample m.safetensors --context-value 1
refused "'' is no number" sample m.safetensors --context-value c=
refused "'inf' is no number" sample m.safetensors --context-value c=inf
refused 'given twice' sample m.safetensors --context-value c=1,c=2
refused 'give one of the two' sample m.safetensors --context-value c=1 --context one.csv
refused 'condition "c" is 1e+39 in row 1, beyond' sample m.safetensors --context-value c=1e39
refused 'condition "c" is 1e+39 in row 1, beyond' score m.safetensors y.csv --context-value c=1e39
refused "the model is conditional; give --context FILE with its conditions, or --context-value c=..." \
  sample m.safetensors
refused '2000 conditions for 3 rows' sample m.safetensors --context c.csv -n 3
refused 'no column "c", a condition' score m.safetensors y.csv
refused 'there is none' fit y.csv --flow 'scale(hidden=4)' --steps 5

"$build/example_04_conditional" scale-loc 600 >out
check "the example fits" test $? -eq 0
check "the example's four conditions" test "$(grep -c 'given c' out)" = 4
worst=$(sed -n 's/.*mean *\([-0-9.]*\) (true *\([-0-9.]*\)).*/\1 \2/p' out |
  awk '{d = $1 - $2; if (d < 0) d = -d; if (d > w) w = d} END {print w}')
check "the example's means are off by $worst" near "$worst" 0 0.06
finish
