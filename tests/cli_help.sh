#!/bin/sh
# Help: every command and topic has a page of lines that fit a terminal, what is not known suggests
# the nearest, and completion scripts name every command. Usage: cli_help.sh BUILD
. "$(dirname "$0")/shell.sh"

run 0 help
names=$(sed -n 's/^  \([a-z-]*\) .*/\1/p' out)
check "the overview lists commands and topics" test "$(echo "$names" | wc -w)" -ge 18
for name in $names; do
  run 0 help "$name"
  check "help $name: lines of at most 100 columns" test -z "$(awk 'length > 100' out)"
done
for topic in formulas columns targets verdicts; do
  check "topic $topic" sh -c "echo '$names' | grep -qx $topic"
done
run 0 help formulas
check "formulas names the layers" grep -q planar out
run 0 help targets
check "targets names the standard ones" grep -q pot4 out
run 2 help formulae
check "a suggestion" grep -q 'did you mean "formulas"?' err
refused "no help on" help nothing-like-it

run 0 help --man
check "the manual page has fit" grep -q '^\.SS "sluice fit DATA"' out
for name in $names; do
  check "the manual page has $name" grep -qE "^\.SS (\"sluice )?$name[ \"]*" out
done
if command -v man >/dev/null; then
  cp out sluice.1
  man --warnings=all -l sluice.1 >/dev/null 2>err
  check "the manual page is right roff: $(head -1 err)" test ! -s err
fi
for shell in bash zsh fish; do
  run 0 help --completion $shell
  if command -v $shell >/dev/null; then check "$shell reads it" $shell -n out; fi
  for name in fit nuts verdicts; do
    check "$shell completes $name" grep -q "[ ']$name[ ']" out
  done
done
finish
