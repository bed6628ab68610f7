#!/bin/sh
# Help: every command and topic has a page of lines that fit a terminal, what is not known suggests
# the nearest, and completion scripts name every command. Usage: cli_help.sh BUILD
. "$(dirname "$0")/shell.sh"

run 0 help
check "the overview: lines of at most 92 columns" test -z "$(awk 'length > 92' out)"
names=$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' out)
check "the overview lists commands and topics" test "$(echo "$names" | wc -w)" -ge 18
for name in $names; do
  run 0 help "$name"
  check "help $name: lines of at most 92 columns" test -z "$(awk 'length > 92' out)"
done
for topic in formulas columns targets verdicts; do
  check "topic $topic" sh -c "echo '$names' | grep -qx $topic"
  run 0 help $topic
  check "topic $topic: lines of at most 92 columns" test -z "$(awk 'length > 92' out)"
done
run 0 help formulas
check "formulas names the layers" grep -q planar out
run 0 help targets
check "targets names the standard ones" grep -q pot4 out
run 0 help verdicts
for word in Good Fair Poor Bad 'Not to be trusted' certified usable Different; do
  check "verdicts explains $word" grep -q "$word" out
done
run 2 help formulae
check "a suggestion" grep -q 'did you mean "formulas"?' err
refused 'did you mean --target?' vi -target pot1
refused 'give it as --target pot1' vi pot1
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
  for name in fit nuts verdicts pot4 moons planar corner adamw; do
    check "$shell completes $name" grep -q "[ ']$name[ ']" out
  done
done

# completed WORDS...: what bash makes of the last of them, blanks between.
run 0 help --completion bash
cp out bash_completion
completed() {
  bash -c '. ./bash_completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; \
    echo "${COMPREPLY[*]}"' completed "$@"
}
if command -v bash >/dev/null; then
  check "bash: a command" test "$(completed sluice sco)" = score
  check "bash: an option" test "$(completed sluice fit d.csv --optim)" = --optimizer
  check "bash: its values" test "$(completed sluice vi --target pot)" = 'pot1 pot2 pot3 pot4'
  check "bash: kinds of figures" test "$(completed sluice plot --kind cor)" = corner
  check "bash: layers" test "$(completed sluice flows plan)" = planar
  check "bash: toys" test "$(completed sluice data moo)" = moons
  check "bash: files, blanks in them too, are left to readline" \
    test -z "$(completed sluice fit 'my r')"
  check "bash: which completes them" grep -q '^complete -o default ' bash_completion
fi
# The first call of an autoloaded function runs the whole file, and must complete as later ones do.
if command -v zsh >/dev/null; then
  run 0 help --completion zsh
  mkdir zsh_functions
  cp out zsh_functions/_sluice
  cat >first.zsh <<'EOF'
fpath=($PWD/zsh_functions $fpath)
autoload -U _sluice
compadd() { print -r -- "$*" }
_files() { print files }
words=(sluice vi --target '')
CURRENT=4
_sluice
words=(sluice fit '')
CURRENT=3
_sluice
EOF
  zsh -f first.zsh >completed
  check "zsh completes at the first TAB" grep -q '^-- pot1 pot2' completed
  check "zsh completes files" grep -qx files completed
fi
finish
