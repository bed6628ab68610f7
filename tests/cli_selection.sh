#!/bin/sh
# Which columns of a file are taken for what, how a mistake in that is told, and options that have no
# meaning for some models.
. "$(dirname "$0")/shell.sh"

awk 'BEGIN {srand(9); print "x,y,label,w"; for (i = 0; i < 300; i++)
  printf "%.6f,%.6f,%d,%d\n", rand() + rand(), rand() - rand() + i % 2, i % 2, 1 + i % 3}' >d.csv
run 0 fit d.csv --context label --columns 'w: weight' --steps 20 --quiet -o m.safetensors
check "a conditional model" test -s m.safetensors

# score: a header with some of the names is about them; the order tells nothing then.
cut -d, -f1,2,4 d.csv >without.csv
refused 'without.csv: no column "label", a condition; add it, or give --context-value label' score \
  m.safetensors without.csv
run 0 score m.safetensors without.csv --context-value label=1
check "a condition aside" test "$(wc -l <out)" = 300
cut -d, -f1,3 d.csv >short.csv
refused 'short.csv: no column "y"' score m.safetensors short.csv
awk -F, 'BEGIN {OFS = ","} {print $3, $2, $1}' d.csv >other.csv
run 0 score m.safetensors other.csv
cp out by_name
(echo 'p,q,r'; tail -n +2 d.csv | cut -d, -f1-3) >strange.csv
run 0 score m.safetensors strange.csv
check "none of the names: by order" cmp out by_name
check "which is said" grep -q 'taken in its order' err
cut -d, -f4 d.csv >c.csv
run 0 sample m.safetensors --context c.csv
check "so it is of conditions" grep -q 'taken in its order' err

# fit: columns of other files by name; errors name the file.
run 0 fit d.csv --context label --columns 'w: weight' --test other.csv --valid other.csv --steps 5 \
  --baselines=false --quiet --json
json
check "no weight is fine" test "$(value test.rows)" = 300
refused 'without.csv: no column "label", a condition' fit d.csv --context label \
  --columns 'w: weight' --test without.csv
refused 'short.csv: no column "y"' fit d.csv --context label --columns 'w: weight' --valid short.csv
refused 'c.csv: 1 column, but other.csv wants 3' fit other.csv --test c.csv
tail -n +2 c.csv >bare.csv
refused 'bare.csv: no column "w"' fit d.csv --columns 'w: weight' --test bare.csv

# Conditions have neither types nor other parts.
for word in real 'periodic(0,360)' weight data skip; do
  refused '--context:1:8: a condition has no type and no other part' fit d.csv --context "label: $word"
done
run 0 fit d.csv --context 'label: context' --steps 5 --quiet --json

# Words that are nearly right.
for pair in 'Positive positive' 'circular(0,360) periodic(0,360)' 'int integer' 'FLOAT real' \
  'ignore skip' 'Interval(0,1) interval'; do
  refused "did you mean \"${pair#* }\"" fit d.csv --columns "x: ${pair%% *}"
done
refused 'columns of 0 and 1' fit d.csv --columns 'x: category'

# Options without meaning.
awk 'BEGIN {srand(2); print "a,b"; for (i = 0; i < 300; i++) print rand() * 360 "," rand() * 24}' >angles.csv
types='a: periodic(0,360), b: periodic(0,24)'
refused 'leave --flow and --base out' fit angles.csv --columns "$types" --flow 'maf(rqs)*2'
refused 'leave --flow and --base out' fit angles.csv --columns "$types" --base 'student(3)'
run 0 fit angles.csv --columns "$types" --steps 5 --quiet -o a.safetensors
refused '--temperature has no meaning for periodic columns' sample a.safetensors --temperature 0.5
run 0 sample a.safetensors --temperature 1
run 0 info a.safetensors --json
json
check "the circle's layers" test -n "$(value 'circle[0].name')"
check "have parameters" test "$(value 'circle[0].parameters')" -gt 0
run 0 info a.safetensors
check "also for people" grep -q 'circle' out
run 0 fit d.csv --columns x,y --flow 'gaussian_mixture(3)-lu' --steps 5 --quiet -o g.safetensors
refused '--temperature has no meaning for the base density' sample g.safetensors --temperature 0.5

# Inside a typed model there are features, not columns.
run 0 fit d.csv --columns 'x: positive, y: data' --steps 5 --quiet -o t.safetensors
run 0 sample t.safetensors -n 2 --upto 1
check "features" test "$(head -1 out)" = feature1,feature2
run 0 sample t.safetensors -n 2
check "columns" test "$(head -1 out)" = x,y

# Rows that a fit accepts have a score.
awk 'BEGIN {srand(4); print "p,big"; for (i = 0; i < 300; i++) print rand() "," exp(9 * rand())
  print "0.99999999,3"; print "1e-50,4"; print "0.5,1e60"}' >edge.csv
run 0 fit edge.csv --columns 'p: interval(0,1), big: positive' --steps 5 -o e.safetensors
check "float64 is chosen" grep -q 'than float32 can tell' err
run 0 score e.safetensors edge.csv
check "all rows have a score" test "$(grep -c inf out)" = 0
finish
