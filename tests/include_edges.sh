#!/bin/sh
# Which folder may include which: base <- kernels <- graph <- nn <- flow <- infer <- api <-
# plot <- cli; stan stands on nn beside flow, target on stan; io stands on base, and whoever reads or
# writes files uses io. A room's sub-folders count as the room. Fails on any other edge.
# Usage: include_edges.sh SOURCE_FOLDER
set -eu
cd "$1"

# The rooms that each room may include.
rooms='base: base
io: base io
kernels: base kernels
graph: base kernels graph
nn: base kernels graph nn
flow: base kernels graph nn flow io
stan: base kernels graph nn stan io
target: base kernels graph nn stan io target
infer: base kernels graph nn flow stan target infer io
api: base kernels graph nn flow stan target infer io api
plot: base kernels graph nn flow stan target infer io api plot
cli: base kernels graph nn flow stan target infer io api plot cli'

# Prints each wrong edge, and last how many files there are.
edges=$(find src -name '*.[ch]' -o -name '*.def' -o -name '*.inl' | sort | awk -v rooms="$rooms" '
BEGIN {
  count = split(rooms, lines, "\n")
  for (i = 1; i <= count; i++) {
    words = split(lines[i], word, /:? /)
    for (w = 2; w <= words; w++) allowed[word[1], word[w]] = 1
  }
}
{
  file = $0
  split(file, parts, "/")
  room = parts[2]
  while ((getline line <file) > 0) {
    if (line !~ /^ *# *include *"/) continue
    split(line, pieces, "\"")
    target = pieces[2]
    if (target == "sluice/sluice.h" || target !~ /\//) continue
    sub(/\/.*/, "", target)
    if (!((room, target) in allowed))
      print file ": src/" room " may not include \"" pieces[2] "\""
  }
  close(file)
}
END { print NR }')
printf '%s\n' "$edges" | sed '$d'
checked=$(printf '%s\n' "$edges" | tail -n 1)
bad=0
[ "$edges" = "$checked" ] || bad=1

# The examples show the public header and nothing else.
for file in examples/*.c; do
  [ -e "$file" ] || continue
  checked=$((checked + 1))
  if grep -n '# *include *"' "$file" | grep -v '"sluice/sluice.h"'; then
    echo "$file: an example may include only sluice/sluice.h"
    bad=1
  fi
done

[ "$checked" -gt 200 ] || { echo "only $checked files found; is $1 the source folder?"; exit 1; }
echo "$checked files checked"
exit $bad
