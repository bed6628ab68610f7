# What the scripts of this folder share: running sluice, and writing a page that needs nothing else.
# Usage, on top of a script called [--quick] BUILD FOLDER: . "$(dirname "$0")/page.sh"
# The page is FOLDER/index.html; models and numbers stay beside it. --quick takes few steps: it
# tries the script, and its numbers mean nothing.
set -eu
quick=false
if [ "$1" = --quick ]; then
  quick=true
  shift
fi
build=$(cd "$1" && pwd)
mkdir -p "$2"
cd "$2"
page=index.html
figures=0
size=
if ! command -v gnuplot >/dev/null 2>&1; then
  echo "skipped: no gnuplot, which draws the figures" >&2
  exit 0
fi

# ---- running ----

# steps N: N, or few.
steps() { if $quick; then echo $(($1 / 100 + 1)); else echo "$1"; fi; }
# sluice ARGUMENTS...: 1 is a verdict, and no failure.
sluice() { "$build/sluice" "$@" --quiet || [ $? -eq 1 ]; }
# shown ARGUMENTS...: the command as one would type it.
shown() {
  printf sluice
  for word; do
    case $word in
      *[!A-Za-z0-9_.,:/=@+-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  echo
}
# does NAME ARGUMENTS...: runs sluice, shows how, and keeps what it reports in NAME.json.
does() {
  name=$1
  shift
  { echo '<pre>' && shown "$@" | text && echo '</pre>'; } >>$page
  echo "  $name" >&2
  sluice "$@" --json >"$name.json"
}
# vi NAME ARGUMENTS...: fits a flow, NAME.safetensors.
vi() {
  fit=$1
  shift
  does "$fit" vi "$@" -o "$fit.safetensors"
}
# robust NAME ARGUMENTS...: the same in the default mode, which chooses the flow.
robust() { if $quick; then vi "$@" --max-seconds 0.2; else vi "$@"; fi; }
# number KEY NAME [DECIMALS]: of NAME.json; a dash if it is not there.
number() {
  sed -n 's/.*"'"$1"'": \({"value": \)\{0,1\}\(-\{0,1\}[0-9][-+.e0-9]*\).*/\2/p' "$2.json" |
    awk -v d="${3:-3}" '{printf "%.*f", d, $1; found = 1} END {if (!found) printf "–"}'
}
# words KEY NAME: of NAME.json.
words() { sed -n 's/.*"'"$1"'": "\([^"]*\)".*/\1/p' "$2.json"; }
# calculate EXPRESSION [DECIMALS]
calculate() { awk -v d="${2:-2}" "BEGIN {printf \"%.*f\", d, $1}"; }

# ---- writing ----

text() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
element() { printf '<%s>%s</%s>\n' "$1" "$(printf %s "$2" | text)" "${1%% *}" >>$page; }
section() { element h2 "$1"; }
say() { element p "$*"; }
# begin TITLE: the style is that of `sluice report`.
begin() {
  title=$1
  sluice vi --mode plain --target gaussian55 --flow loc --steps 1 -o style.safetensors >/dev/null
  sluice report style.safetensors -o style.html
  {
    printf '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    echo '<meta name="viewport" content="width=device-width,initial-scale=1">'
    echo "<title>$title</title>"
    sed -n '/^<style>/,/^<\/style>/p' style.html
    echo '<style>.beside{display:grid;gap:0 1rem;align-items:start;'
    echo 'grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}</style>'
    printf '</head>\n<body>\n'
  } >$page
  rm style.safetensors style.html
  element h1 "$title"
  if $quick; then element 'p class="verdict"' 'Made with few steps: the numbers mean nothing.'; fi
}
finish() {
  {
    echo '<footer>'
    "$build/sluice" version | head -1 | text
    echo '</footer>'
    printf '</body>\n</html>\n'
  } >>$page
  echo "$PWD/$page" >&2
}
# Figures between beside and beside_end stand in pairs where there is room; they are drawn small.
beside() {
  echo '<div class="beside">' >>$page
  size='--width 560 --height 490'
}
beside_end() {
  echo '</div>' >>$page
  size=
}
# figure CAPTION ARGUMENTS...: what `sluice plot` draws. The names that a picture refers to get its
# number, for a page has many; gnuplot's others go, and its titles, which the pointer would show.
figure() {
  caption=$1
  shift
  figures=$((figures + 1))
  # shellcheck disable=SC2086
  sluice plot "$@" $size --title '' -o figure.svg
  echo '<figure>' >>$page
  sed -n '/<svg/,$p' figure.svg | sed "s/ id=\"gnuplot_[^\"]*\"//
    s/gpDot/g${figures}_dot/g; s/gpPt/g${figures}_pt/g; s/\(text\|grey\)box/g${figures}_\1box/g
    s/<title>[^<]*<.title>//" >>$page
  element figcaption "$caption"
  echo '</figure>' >>$page
  rm figure.svg
}
# table HEAD..., then row CELL..., then table_end; columns are of numbers but for the first.
cells() {
  tag=$1
  shift
  printf '<tr>' >>$page
  for cell; do element "$tag" "$cell"; done
  echo '</tr>' >>$page
}
table() {
  echo '<div class="wide"><table><thead>' >>$page
  cells th "$@"
  echo '</thead><tbody>' >>$page
}
row() { cells td "$@"; }
table_end() { echo '</tbody></table></div>' >>$page; }
# within WIDTH COLUMN FILE: the header and the rows whose column is within +-WIDTH.
within() {
  awk -F, -v w="$1" -v name="$2" '/^#/ {next}
    !c {for (i = 1; i <= NF; i++) if ($i == name) c = i; print; next}
    $c >= -w && $c <= w' "$3"
}
# mean COLUMN FILE [DECIMALS]
mean() {
  awk -F, -v name="$1" -v d="${3:-2}" '/^#/ {next}
    !c {for (i = 1; i <= NF; i++) if ($i == name) c = i; next}
    {sum += $c; n++} END {printf "%.*f", d, sum / n}' "$2"
}
# keep PATTERN FILE: the first column, and those whose names match.
keep() {
  awk -F, -v OFS=, -v p="$1" '
    NR == 1 {for (i = 1; i <= NF; i++) if (i == 1 || $i ~ p) kept[++n] = i}
    {line = $1; for (i = 2; i <= n; i++) line = line OFS $kept[i]; print line}' "$2"
}
