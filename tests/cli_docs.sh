#!/bin/sh
# Runs what the documents tell to type: every ```sh block of README.md and docs/, those of one
# document in one folder, and compiles the ```c block of the guide for C. Usage: cli_docs.sh BUILD
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

blocks c "$root/docs/guides/c.md" >main.c
cc -std=c17 -I"$root/include" main.c "$build/libsluice.a" -lm -pthread -o main 2>log ||
  bad "docs/guides/c.md: $(cat log)"
[ ! -x main ] || check "the program of docs/guides/c.md" sh -c './main | grep -q "first new row"'
finish
