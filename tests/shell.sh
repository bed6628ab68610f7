# What the shell tests of the command share. Usage, on top of a test: . "$(dirname "$0")/shell.sh"
# $1 is the build folder. Each check counts; the last line is "N passed, M failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
sluice=$build/sluice
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

under_sanitizers() { grep -q '^SLUICE_SANITIZE:[^=]*=.' "$build/CMakeCache.txt"; }
# fewer ALL FEW: prints the first number, or under sanitizers, ten times as slow, the second.
fewer() { if under_sanitizers; then echo "$2"; else echo "$1"; fi; }
# left_out WHY: under sanitizers the script ends here, saying so.
left_out() {
  under_sanitizers || return 0
  echo "left out under sanitizers: $1"
  exit 0
}
good() { passed=$((passed + 1)); }
bad() {
  failed=$((failed + 1))
  echo "FAILED: $*"
}
# check WHAT COMMAND...: the command must succeed.
check() {
  what=$1
  shift
  if "$@"; then good; else bad "$what"; fi
}
# run CODE ARGUMENTS...: sluice must end with CODE; its streams go to out and err.
run() {
  wanted=$1
  shift
  "$sluice" "$@" >out 2>err
  got=$?
  if [ "$got" -eq "$wanted" ]; then good; else
    bad "sluice $*: exit $got instead of $wanted"
    sed 's/^/  /' err
  fi
}
# interrupted_at TEXT ARGUMENTS...: as run, but Ctrl-C comes when it has said the text.
interrupted_at() {
  text=$1
  shift
  : >err
  "$sluice" "$@" >out 2>err &
  process=$!
  tries=0
  while ! grep -q "$text" err && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -INT $process
  wait $process
  got=$?
  check "sluice $* at '$text': interrupted exits 130, not $got" test $got -eq 130
}
# interrupted ARGUMENTS...: when it has said something of its steps.
interrupted() { interrupted_at step "$@"; }
# refused TEXT ARGUMENTS...: exit 2, nothing on standard output, one line on standard error that begins
# with "sluice: " (formulas: two more, the source and a caret), contains TEXT, and has a "; " before the mend.
refused() {
  text=$1
  shift
  run 2 "$@"
  check "sluice $*: no results" test ! -s out
  lines=$(wc -l <err)
  check "sluice $*: one line, not $lines" test "$lines" -eq 1 -o "$lines" -eq 3
  case $(head -1 err) in
    "sluice: "*"; "*) good ;;
    *) bad "sluice $*: says $(head -1 err)" ;;
  esac
  if grep -qF -- "$text" err; then good; else bad "sluice $*: '$text' is not in: $(cat err)"; fi
}
# json [FILE]: flattens the JSON in FILE (default: out) into "path<TAB>type<TAB>value" lines in flat.
json() {
  if awk -f "$here/json.awk" "${1:-out}" >flat; then good; else
    bad "no JSON: $(head -c 200 "${1:-out}")"
  fi
}
# has PATH TYPE...: a line for the path, of one of the types.
has() {
  path=$1
  shift
  for type in "$@"; do
    if awk -F'\t' -v p="$path" -v t="$type" '$1 == p && $2 == t {f = 1} END {exit !f}' flat; then
      good
      return
    fi
  done
  bad "JSON has no $path of type $*"
}
# value PATH: prints it.
value() { awk -F'\t' -v p="$1" '$1 == p {print $3}' flat; }
# near A B TOLERANCE
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN {d = a - b; if (d < 0) d = -d; exit !(d <= t)}'; }
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}
