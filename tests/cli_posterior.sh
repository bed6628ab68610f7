#!/bin/sh
# What one does with a fit to a Stan program: sample and score on its own scale, compare, resample,
# evidence; files that do not hold the program; the text in a file is not trusted.
. "$(dirname "$0")/shell.sh"

cat >m.stan <<'STAN'
data { int n; array[n] real y; }
parameters { vector[2] a; real<lower=0> top; }
transformed parameters { real half = top / 2; }
model { a ~ normal(0, 1); top ~ lognormal(1.3, 0.4); y ~ normal(0, 1); }
generated quantities { real u = uniform_rng(0, 1); }
STAN
echo '{"n": 1, "y": [0]}' >d.json
run 0 vi --mode plain m.stan --data d.json --flow scale-loc --steps 1500 --lr 0.02 --seed 2 \
  --schedule cosine --quiet -o q.safetensors
run 0 nuts m.stan --data d.json --quiet --seed 2 -o nuts.csv

# The defect that this was written for: constrained names above unconstrained numbers.
run 0 sample q.safetensors -n 2000 -o rows.csv
check "all parts by their names" test "$(head -1 rows.csv)" = "a.1,a.2,top,half,u"
check "top is positive, half of it is half, u is in 0 .. 1" awk -F, '
  NR > 1 {sum += $3; d = $4 - $3 / 2; if ($3 <= 0 || d > 1e-9 || d < -1e-9 || $5 < 0 || $5 > 1) exit 1}
  END {mean = sum / (NR - 1); exit !(mean > 3.5 && mean < 4.7)}' rows.csv
run 0 compare nuts.csv q.safetensors --json
json
check "four are compared" test "$(value parameters)" = 4
check "means are near" near "$(value 'parameters[2].mean_difference_in_sd')" 0 0.25
run 0 sample q.safetensors -n 2000 --unconstrained -o free.csv
check "coordinates say so" test "$(head -1 free.csv)" = \
  "unconstrained(a.1),unconstrained(a.2),unconstrained(top)"
paste -d, rows.csv free.csv >both.csv
check "top is exp of its coordinate" awk -F, '
  NR > 1 {d = log($3) - $8; if (d > 1e-6 || d < -1e-6) exit 1}' both.csv
run 0 sample q.safetensors -n 5 --upto 1
check "after one layer: coordinates" test "$(head -1 out)" = "$(head -1 free.csv)"
check "five of them" test "$(wc -l <out)" = 6
"$sluice" sample q.safetensors -n 5 --upto 0 --seed 4 >noise 2>err
"$sluice" sample q.safetensors -n 5 --upto 1 --seed 4 >one 2>err
check "another map than none" test "$(sed -n 2p noise)" != "$(sed -n 2p one)" -a "$(wc -l <one)" = 6
refused '--upto 999: the flow has ' sample q.safetensors -n 5 --upto 999
run 0 sample q.safetensors -n 4 --seed 1 -o one.csv
run 0 sample q.safetensors -n 4 --seed 1 --threads 1 -o two.csv
check "the same on one thread" cmp -s one.csv two.csv

# Scores are of the scale that the rows are on.
run 0 sample q.safetensors -n 50 --with-log-prob -o scored.csv
run 0 score q.safetensors scored.csv
paste -d, scored.csv out >both.csv
check "score agrees with sample" awk -F, '
  NR > 1 {d = $6 - prev; if (d > 1e-6 || d < -1e-6) exit 1} {prev = $7}' both.csv
run 0 sample q.safetensors -n 50 --with-log-prob --unconstrained -o free.csv
run 0 score q.safetensors free.csv
paste -d, free.csv out >both.csv
check "in coordinates too" awk -F, '
  NR > 1 {d = $4 - prev; if (d > 1e-6 || d < -1e-6) exit 1} {prev = $5}' both.csv
paste -d, scored.csv free.csv >both.csv
check "they differ by the log of top" awk -F, '
  NR > 1 {d = $10 - $6 - log($3); if (d > 1e-6 || d < -1e-6) exit 1}' both.csv
run 0 score q.safetensors nuts.csv --summary --json
json
check "draws of NUTS are scored" test "$(value rows)" = 4000
run 0 score q.safetensors free.csv --gradient
refused 'add --unconstrained' score q.safetensors scored.csv --gradient
printf 'a.1,a.2,top\n0,0,-1\n' >wrong.csv
refused 'row 1' score q.safetensors wrong.csv

# By weight.
run 0 sample q.safetensors -n 1000 --resample --json --quiet
json
for key in khat khat_threshold ess proposals; do has $key number; done
check "1000 rows" test "$(value samples)" = 1000
run 0 sample q.safetensors -n 100 --resample --distinct -o some.csv
check "k-hat is told" grep -q 'k-hat' err
check "no row twice" test "$(cut -d, -f1 some.csv | sort -u | wc -l)" = 101
run 1 vi --mode plain --target funnel --flow loc --steps 5 -o bad.safetensors --quiet
run 1 sample bad.safetensors -n 100 --resample -o bad.csv
check "rows are there all the same" test "$(wc -l <bad.csv)" = 101
refused '--upto' sample q.safetensors -n 10 --resample --upto 1
refused 'raise --proposals' sample q.safetensors -n 100 --resample --distinct --proposals 50

# Evidence: the priors integrate to 1, and y adds log normal(0 | 0, 1).
run 0 evidence q.safetensors --json
json
for key in log_evidence importance bridge; do has $key.value number && has $key.se number; done
for key in khat ess rhat posterior_draws gradient_evaluations; do has $key number; done
has verdict text
check "the evidence" near "$(value log_evidence.value)" -0.918939 0.03
run 0 evidence m.stan --data d.json --draws nuts.csv --flow triangular --json --quiet
json
check "from draws" near "$(value bridge.value)" -0.918939 0.05
run 1 evidence bad.safetensors
check "not to be trusted" grep -q 'not to be trusted' out
refused 'neither a fit nor draws' evidence m.stan --data d.json
refused 'leave it out' evidence q.safetensors --flow triangular
refused 'leave --target out' evidence q.safetensors --target pot1
refused 'leave --density out' evidence q.safetensors --density '-x^2' --dim x
run 2 evidence q.safetensors m.stan

# Without the program in the file.
run 0 vi --mode plain m.stan --data d.json --flow scale-loc --steps 1500 --lr 0.02 --seed 2 \
  --schedule cosine --quiet -o bare.safetensors --without-target
check "the file is without it" sh -c '! grep -q uniform_rng bare.safetensors'
refused '--model FILE' sample bare.safetensors -n 5
run 0 sample bare.safetensors -n 5 --unconstrained
check "coordinates say so" test "$(head -1 out)" = "$(cut -d, -f1-3 free.csv | head -1)"
run 0 sample bare.safetensors -n 4 --seed 1 --model m.stan --data d.json -o two.csv
check "the same rows with the program" cmp -s one.csv two.csv
echo 'parameters { real b; }' >other.stan
refused 'the target that the flow was fitted to' sample bare.safetensors --model other.stan

# A file that was edited.
sed 's/real<lower=0> top/real<lower=0> tip/' q.safetensors >edited.safetensors
run 2 sample edited.safetensors -n 5
refused 'did you mean robust' vi --mode robst --target pot1
refused 'did you mean funnel' vi --target funell
finish
