#!/bin/sh
# Words in a table: labels as conditions, on the command line of fit, score and sample; refused as data,
# left out, unknown; weights of held-out rows; mixed columns as somebody has them who comes from a
# measurement.
. "$(dirname "$0")/shell.sh"

# y is normal with standard deviation 0.5 and mean 0, 2 or 4 by the species; n is a count, w a tiny
# weight, as cross sections have it.
awk 'BEGIN {srand(5); split("virginica setosa versicolor", label, " ")
  print "y,species,n,w"
  for (i = 0; i < 900; i++) {
    s = -6; for (k = 0; k < 12; k++) s += rand()
    c = i % 3; printf "%.6f,%s,%d,%.4fe-60\n", 2 * c + 0.5 * s, label[c + 1], 4 * rand(), 1 + i % 5}}' >d.csv

run 0 fit d.csv --context species --columns 'w: weight, n: skip' --flow scale-loc --steps 400 --lr 0.02 \
  --batch 256 --quiet --json -o m.safetensors
run 0 info m.safetensors --json
json
check "a condition for each label" test "$(value context_dim)" = 3
check "in order" test "$(value 'context_columns[0]')" = species=setosa
check "the last" test "$(value 'context_columns[2]')" = species=virginica
for pair in virginica,0 setosa,2 versicolor,4; do
  run 0 sample m.safetensors -n 2000 --context-value species=${pair%,*}
  mean=$(awk 'NR > 1 {s += $1} END {print s / (NR - 1)}' out)
  check "given ${pair%,*} the mean is $mean" near "$mean" "${pair#*,}" 0.15
done
run 0 sample m.safetensors -n 3 --context-value ' species = "setosa" '

# score: by name in any order, by labels in a file of their own, or one for all rows.
run 0 score m.safetensors d.csv
cp out scores
awk -F, 'BEGIN {OFS = ","} {print $4, $2, $1}' d.csv >other.csv
run 0 score m.safetensors other.csv
check "in another order" cmp out scores
cut -d, -f2 d.csv >species.csv
cut -d, -f1 d.csv >y.csv
run 0 score m.safetensors y.csv --context species.csv
check "labels of a file" cmp out scores
run 0 sample m.safetensors --context species.csv
check "a row for each label" test "$(wc -l <out)" = 901
grep -v setosa d.csv >two.csv
run 0 score m.safetensors two.csv
check "a file that lacks a label" test "$(wc -l <out)" = 600

# Labels that nobody knows.
sed 's/setosa/setosum/' d.csv >bad.csv
known='it knows "setosa", "versicolor", "virginica"'
refused "bad.csv:3: row 2: \"setosum\" is no \"species\" that the fit knows; $known" score m.safetensors bad.csv
refused "\"setosum\" is no \"species\"" fit d.csv --context species --columns y --test bad.csv --steps 5
refused "knows no \"setos\" as \"species\"; $known" sample m.safetensors --context-value species=setos
refused "knows no \"\" as \"species\"" sample m.safetensors --context-value species=
refused 'as in species=setosa' sample m.safetensors --context-value setosa
refused '--context-value species=setosa' sample m.safetensors
refused 'no column "species", a condition' score m.safetensors y.csv
refused 'its first is "species"' sample m.safetensors --context-value kind=setosa

refused 'no file; a table that has the column "species" needs no --context' score m.safetensors d.csv \
  --context species
refused 'is --context-value species=...' sample m.safetensors --context species=setosa

# Words elsewhere.
refused 'd.csv: column "species" holds words ("setosa"), and only conditions may' fit d.csv
refused 'only conditions may' fit d.csv --columns 'species: positive'
refused 'only conditions may' fit d.csv --columns 'species: weight'
run 0 fit d.csv --columns 'species: skip' --steps 5 --quiet
refused 'items are separated by commas' fit d.csv --columns 'y: positive; species: skip'
refused 'only numbers stand here' fit d.csv --columns 'y: periodic(0,2pi)'
refused 'categories are no data: condition on them' fit d.csv --columns 'species: categorical'
awk -F, '{print $1 "," (NR == 1 ? "species" : NR)}' d.csv >numbers.csv
run 2 score m.safetensors numbers.csv
check "numbers where labels were" grep -q '"2" is no "species"' err
printf 'a,b\n1,x\n2,x\n' >one.csv
refused 'is "x" in all rows' fit one.csv --context b
awk 'BEGIN {print "x,id"; for (i = 0; i < 1500; i++) print i % 7 ",id" i}' >ids.csv
refused 'more than 1000 different words' fit ids.csv --context id
tail -n +2 d.csv >bare.csv
refused 'bare.csv:2:1: a column of words needs a header' fit bare.csv --context 2
printf 'a,b\n1,x\n2,\n' >missing.csv
refused 'missing.csv:3:3: missing value' fit missing.csv --context b
sed '1s/species/kind=1/' d.csv >equals.csv
refused "'=' stands between a column and a label" fit equals.csv --context kind=1

# Weights of a held-out file count: only the rows of species versicolor have one.
awk -F, 'BEGIN {OFS = ","} {if (NR > 1) $4 = ($2 == "versicolor") * 3; print}' d.csv >heavy.csv
grep -e versicolor -e species d.csv | cut -d, -f1-3 >heavy_alone.csv
fit="fit d.csv --context species --steps 20 --baselines=false --quiet --json --flow scale-loc"
run 0 $fit --columns 'w: weight, n: skip' --test heavy.csv
json
weighted=$(value test.log_prob)
run 0 $fit --columns 'w: weight, n: skip' --test heavy_alone.csv
json
check "weighted mean $weighted is that of the rows with weight" near "$weighted" "$(value test.log_prob)" 1e-6
sed '2s/,[^,]*$/,-1/' heavy.csv >negative.csv
refused 'the weight of row 1 of the test rows is negative' $fit --columns 'w: weight, n: skip' \
  --test negative.csv
finish
