#!/bin/sh
# Runs what the documents tell to type: every ```sh block of README.md and docs/, those of one
# document in one folder, compiles the ```c blocks of the README and of the guide for C, and looks
# for the output that the README shows. Usage: cli_docs.sh BUILD
. "$(dirname "$0")/shell.sh"
PATH=$build:$PATH
root=$(dirname "$here")

left_out "the other scripts do the same work, shorter"
drawing=.
if ! command -v gnuplot >/dev/null; then
  echo "left out: figures, for want of gnuplot"
  drawing='^sluice plot|^sluice report'
fi

# blocks LANGUAGE FILE: the lines of its fenced blocks.
blocks() { awk -v mark="\`\`\`$1" '$0 == "```" {on = 0} on; $0 == mark {on = 1}' "$2"; }

for document in "$root"/README.md "$root"/docs/*.md "$root"/docs/guides/*.md; do
  name=$(basename "$document")
  blocks sh "$document" >"all_$name"
  if [ "$drawing" = . ]; then cp "all_$name" "commands_$name"
  else grep -vE "$drawing" "all_$name" >"commands_$name"; fi
  [ -s "commands_$name" ] || continue
  mkdir -p "folder_$name"
  if (cd "folder_$name" && sh -eu "../commands_$name" >"../log_$name" 2>&1); then good; else
    bad "$document: $(tail -5 "log_$name")"
  fi
  check "$name: no line of commands is longer than 100" \
    test -z "$(awk 'length > 100' "commands_$name")"
done

# Last digits are a processor's own, and steps follow them: lines are alike but for numbers. Which
# flow is chosen, and how large it is, does not hang on them.
alike() {
  sed -E -e '/^flow /b' -e 's/^( +[0-9]+ parameters, [0-9]+ columns), .*/\1/' -e t \
    -e 's/-?[0-9]+(\.[0-9]+)?/N/g; s/ +/ /g' "$1"
}
blocks text "$root/README.md" | grep -vx -e '' -e '\.\.\.' -e '```' >shown
check "the README shows output" test "$(wc -l <shown)" -gt 20
alike log_README.md | sort -u >printed
alike shown | sort -u >promised
check "README.md: is printed no more: $(comm -13 printed promised | head -3)" \
  test -z "$(comm -13 printed promised)"

sh "$root/docs/reference.sh" "$sluice" "$root/include/sluice/sluice.h" reference
for page in commands.md c.md; do
  check "docs/reference/$page is of today; else: make reference" \
    cmp -s "reference/$page" "$root/docs/reference/$page"
done

# What documents name is there: calls, and files of the source.
cd "$root" || exit 1
for name in $(grep -hoE '\bsl_[a-z0-9_]+\b' README.md docs/*.md docs/guides/*.md | sort -u); do
  case $name in sl__*) where=src ;; *) where=include/sluice ;; esac
  check "documents name $name" grep -rqE "\b$name" "$where"
done
for path in $(grep -hoE '\b(src|tests|examples|bench)/[A-Za-z0-9_/]+\.[a-z]+' README.md docs/*.md \
  docs/guides/*.md | sort -u); do
  case $path in *NAME*) ;; *) check "documents name $path" test -e "$path" ;; esac
done
cd "$work" || exit 1

{
  printf '#include <stdio.h>\n#include "sluice/sluice.h"\nint main(void) {\n'
  printf 'static double rows[5000 * 6], new_rows[10 * 6], result[10];\n'
  blocks c "$root/README.md"
  echo '}'
} >readme.c
check "the program of README.md" cc -std=c17 -Werror -fsyntax-only -I"$root/include" readme.c

blocks c "$root/docs/guides/c.md" >main.c
cc -std=c17 -I"$root/include" main.c "$build/libsluice.a" -lm -pthread -o main 2>log ||
  bad "docs/guides/c.md: $(cat log)"
[ ! -x main ] || check "the program of docs/guides/c.md" sh -c './main | grep -q "first new row"'
finish
