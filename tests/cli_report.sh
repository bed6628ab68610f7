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
check "command" grep -q 'sluice fit named.csv' r.html
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
finish
