#!/bin/sh
# Help: every command and topic has a page of lines that fit a terminal, what is not known suggests
# the nearest, and completion scripts name every command. Usage: cli_help.sh BUILD
set -eu
sluice=$1/sluice
fail() { echo "cli_help.sh: $1" >&2; exit 1; }

names=$("$sluice" help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
[ "$(echo "$names" | wc -w)" -ge 18 ] || fail "the overview lists too little: $names"
for name in $names; do
  "$sluice" help "$name" >page.$$ || fail "no page on $name"
  long=$(awk 'length > 100' page.$$)
  rm page.$$
  [ -z "$long" ] || fail "help $name has long lines: $long"
done
for topic in formulas columns targets verdicts; do
  echo "$names" | grep -qx "$topic" || fail "no topic $topic"
done
"$sluice" help formulas | grep -q planar || fail "formulas does not name the layers"
"$sluice" help targets | grep -q pot4 || fail "targets does not name the standard ones"
"$sluice" help formulae 2>&1 | grep -q 'did you mean "formulas"?' || fail "no suggestion"
code=0
"$sluice" help nothing-like-it 2>/dev/null || code=$?
[ $code = 2 ] || fail "an unknown topic gave $code"

"$sluice" help --man | grep -q '^\.SS "sluice fit DATA"' || fail "the manual page lacks fit"
for shell in bash zsh fish; do
  script=$("$sluice" help --completion $shell)
  for name in fit nuts verdicts; do
    echo "$script" | grep -q "[ ']$name[ ']" || fail "$shell does not complete $name"
  done
done
