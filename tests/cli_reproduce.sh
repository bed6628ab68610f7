#!/bin/sh
# The three documents made again, made short: each page is one file, with all its figures and tables.
. "$(dirname "$0")/shell.sh"
left_out "the commands of these scripts are tested each by itself"

if ! command -v gnuplot >/dev/null 2>&1; then
  check "gnuplot is asked for" sh "$here/../reproduce/pymc.sh" --quick "$build" pymc 2>err
  check "and missed" grep -q 'no gnuplot' err
  echo "skipped: no gnuplot, so no page is written"
  finish
fi
# document NAME FIGURES TABLES WORDS
document() {
  check "$1 runs" sh "$here/../reproduce/$1.sh" --quick "$build" "$1" 2>err || cat err
  page=$1/index.html
  check "$1: a page" grep -q '^<!doctype html>' "$page"
  check "$1: the report's style" grep -q 'prefers-color-scheme:dark' "$page"
  check "$1: $2 figures" test "$(grep -c '<figure>' "$page")" = "$2"
  check "$1: all pictures are inside" test "$(grep -c '<svg' "$page")" = "$2"
  check "$1: $3 tables" test "$(grep -c '<table>' "$page")" = "$3"
  check "$1: the document's number" grep -q "$4" "$page"
  check "$1: no scripts" sh -c "! grep -qi '<script' '$page'"
  check "$1: no network" sh -c "! grep -Eqi '(src|href)=[\"'\\'' ]*(https?:|//)' '$page'"
  check "$1: names are the page's own" test -z "$(grep -o ' id=["'\''][^"'\'']*' "$page" |
    sort | uniq -d | head -1)"
  for tag in html body table tr pre figure p h2 div; do
    check "$1: $tag is closed" test "$(grep -o "<${tag}[ >]" "$page" | wc -l)" = \
      "$(grep -o "</$tag>" "$page" | wc -l)"
  done
}
document pyro 29 1 '135 to 200 (impossible)'
document pymc 22 2 '<td>-1.777</td>'
document realnvp 8 1 '<td>0.505 (0.274 to 0.669)</td>'
finish
