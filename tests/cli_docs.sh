#!/bin/sh
# Runs what the documents tell to type: every ```sh block of README.md and docs/, those of one
# document in one folder, and compiles the ```c block of the guide for C. Usage: cli_docs.sh BUILD
. "$(dirname "$0")/shell.sh"
PATH=$build:$PATH
root=$(dirname "$here")

if grep -q '^SLUICE_SANITIZE:[^=]*=.' "$build/CMakeCache.txt"; then
  echo "left out: the other scripts do the same work under sanitizers, shorter"
  exit 0
fi
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
  mkdir "folder_$name"
  if (cd "folder_$name" && sh -eu "../commands_$name" >../log 2>&1); then good; else
    bad "$document: $(tail -5 log)"
  fi
  check "$name: no line of commands is longer than 100" \
    test -z "$(awk 'length > 100' "commands_$name")"
done

sh "$root/docs/reference.sh" "$sluice" "$root/include/sluice/sluice.h" reference
for page in commands.md c.md; do
  check "docs/reference/$page is of today; else: make reference" \
    cmp -s "reference/$page" "$root/docs/reference/$page"
done

blocks c "$root/docs/guides/c.md" >main.c
cc -std=c17 -I"$root/include" main.c "$build/libsluice.a" -lm -pthread -o main 2>log ||
  bad "docs/guides/c.md: $(cat log)"
[ ! -x main ] || check "the program of docs/guides/c.md" sh -c './main | grep -q "first new row"'
finish
