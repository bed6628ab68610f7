#!/bin/sh
# Writes docs/reference/: the commands and topics as the command itself tells them, and the C
# interface from its header. `make reference` calls it; a test compares.
# Usage: reference.sh SLUICE HEADER FOLDER
set -eu
sluice=$1
header=$2
folder=$3
mkdir -p "$folder"

page() {
  printf '\n## %s\n\n```text\n' "$1"
  "$sluice" help "$1"
  echo '```'
}

{
  echo '# Commands and topics'
  echo
  echo 'What `sluice help` says, all of it. Made by `make reference`.'
  "$sluice" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | while read -r name; do page "$name"; done
} >"$folder/commands.md"

# Comments at the margin become text, and all else code; "---- title ----" a heading.
awk '
function code_end() { if (in_code) print "```"; in_code = 0 }
function say(line) {
  sub(/^ [*] ?/, "", line)
  sub(/ ?[*]\/$/, "", line)
  print line
}
BEGIN { print "# The C interface\n\nThe header `sluice/sluice.h`. Made by `make reference`." }
/^#if|^#endif|^#else|^#define SL_SLUICE_H|^#define SL_API|^#include|^extern "C"|^}$/ { next }
/^\/\* ----/ {
  code_end(); line = $0; gsub(/^\/\* -+ ?| ?-+ \*\/$/, "", line); print "\n## " line; next }
/^\/\*/ { code_end(); print ""; in_text = 1 }
in_text {
  line = $0
  sub(/^\/\* ?/, "", line)
  # indented lines are lists and grammars
  if (line ~ /^ \*  +/) { sub(/^ \*/, "   ", line); sub(/ ?\*\/$/, "", line); print line }
  else say(line)
  if ($0 ~ /\*\/$/) in_text = 0
  next
}
/^$/ { if (in_code) blank = 1; next }
{
  if (!in_code) print "\n```c"
  else if (blank) print ""
  in_code = 1; blank = 0; print
}
END { code_end() }' "$header" >"$folder/c.md"
