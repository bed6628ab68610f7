#!/bin/sh
# `sluice report`: one page that needs nothing else, with words of strangers as words only.
. "$(dirname "$0")/shell.sh"

run 0 data moons -n 300 -o moons.csv
sed '1s/.*/<b>x<\/b>,y \& z/' moons.csv >named.csv
run 0 fit named.csv -o m.safetensors --steps 60 --quiet --flow 'coupling(affine,hidden=8)*2' --seed 5 --threads 1
run 0 info m.safetensors --json
json
check "the command is kept" test "$(value training.command_line)" = \
  "sluice fit named.csv --flow 'coupling(affine,hidden=8)*2' --steps 60 --seed 5"
has 'training.history.loss[0]' number
has 'training.history.valid[0]' number

refused 'add -o report.html' report m.safetensors
refused 'no model' report named.csv -o r.html
refused 'report needs MODEL' report -o r.html
refused 'a page of HTML' report m.safetensors -o r.pdf
refused 'no column is named' report m.safetensors --columns '' -o r.html
mkdir empty
PATH=$work/empty "$sluice" report m.safetensors -o r.html 2>err
check "exit 2 without gnuplot" test $? = 2
check "how to get it" grep -q 'apt install gnuplot-nox' err
check "and no page" test ! -e r.html

if ! command -v gnuplot >/dev/null 2>&1; then
  echo "skipped: no gnuplot, so no page is written"
  finish
fi
run 0 report m.safetensors --data named.csv -o r.html
check "quiet" test ! -s out -a ! -s err
check "a page" grep -q '^<!doctype html>' r.html
check "no scripts" sh -c '! grep -qi "<script" r.html'
check "no network" sh -c '! grep -Eqi "(src|href)=[\"'\''] *(https?:|//)" r.html'
check "names are words" grep -q '&lt;b&gt;x&lt;/b&gt;' r.html
check "and nothing else" sh -c '! grep -q "<b>" r.html'
check "six figures" test "$(grep -c '<figure>' r.html)" = 6
check "all pictures are inside" test "$(grep -c '<svg' r.html)" = 6
check "names of their parts are the page's own" test -z "$(grep -oE " id=['\"][^'\"]*" r.html |
  sort | uniq -d)"
grep -oE "(href=['\"]#|url\(#)[^'\")]*" r.html | sed 's/.*#//' | sort -u >referred
grep -oE " id=['\"][^'\"]*" r.html | sed "s/.*['\"]//" | sort -u >named
check "parts are referred to" test -s referred
check "and those that are referred to are there" test -z "$(comm -23 referred named)"
check "verdict" grep -q 'class="verdict"' r.html
check "scores" grep -q 'test rows' r.html
check "command" grep -q 'sluice fit named.csv.* --seed 5 -o m.safetensors' r.html
run 0 report m.safetensors -o -
check "to standard output" grep -q '^<!doctype html>' out
check "dark" grep -q 'prefers-color-scheme:dark' r.html
check "paper" grep -q '@media print' r.html
for tag in html body table figure pre style; do
  check "$tag is closed" test "$(grep -o "<$tag[ >]" r.html | wc -l)" = "$(grep -o "</$tag>" r.html | wc -l)"
done
run 0 vi --mode plain --target pot1 --flow 'scale-loc' --steps 200 -o q.safetensors --quiet
run 0 report q.safetensors -o q.html --json
json
check "figures of a fit to a target" test "$(value figures)" -ge 4
check "its weights" grep -q 'importance weight' q.html
check "its scores" grep -Eq '<td>ELBO</td><td>[^<]*</td>|<td>ELBO</td>' q.html
check "with errors" test "$(grep -A2 '<td>log evidence</td>' q.html | grep -c '[0-9]</td>')" -ge 1

# ---- what cannot be drawn is said, and not counted ----
run 0 vi --mode plain --target pot1 --flow 'scale-loc' --steps 1 -o short.safetensors --quiet
run 0 report short.safetensors -o short.html --json
json
check "only what is there is counted" test "$(value figures)" = "$(grep -c '<figure>' short.html)"
check "the reason" grep -q 'kind loss is left out: .*holds no course of the loss' short.html

# ---- of a conditional model ----
awk 'BEGIN {srand(4); print "x,c"; for (i = 0; i < 300; i++) {c = rand(); print c + rand() "," c}}' >given.csv
"$sluice" fit given.csv --context c -o given.safetensors --steps 20 --flow scale-loc >out 2>/dev/null # may be bad
check "the terminal's name" grep -q 'Gaussian of x given c' out
run 0 report given.safetensors --context-value c=0.5 -o given.html
check "is the page's" grep -q '<td>Gaussian of x given c</td>' given.html

# ---- draws beside a fit, on the program's own scale ----
echo 'parameters {real<lower=0> tau; vector[2] theta;}
model {tau ~ gamma(3, 1); theta ~ normal(0, 1);}' >p.stan
"$sluice" nuts p.stan -o draws.csv --draws 200 --warmup 200 --chains 2 --quiet >out # too few to be trusted
run 0 vi --mode plain p.stan --flow 'scale-loc' --steps 200 -o s.safetensors --quiet
run 0 report s.safetensors --data draws.csv -o s.html
check "tau beside tau" grep -q '<td>tau, rows</td>' s.html
check "calibration" grep -q 'Calibration' s.html
run 0 plot s.safetensors --data draws.csv -o s.gp
check "both are drawn" grep -q "title 'draws.csv'" s.gp
finish
