#!/bin/sh
# Which folder may include which: base <- kernels <- graph <- nn <- flow <- infer <- api <-
# plot <- cli; stan stands on nn beside flow, target on stan; io stands on base, and whoever reads or
# writes files uses io. A room's sub-folders count as the room. Fails on any other edge.
# Usage: include_edges.sh SOURCE_FOLDER
set -eu
cd "$1"
bad=0
checked=0

allowed() {
  case "$1" in
    base) echo base ;;
    io) echo base io ;;
    kernels) echo base kernels ;;
    graph) echo base kernels graph ;;
    nn) echo base kernels graph nn ;;
    flow) echo base kernels graph nn flow io ;;
    stan) echo base kernels graph nn stan io ;;
    target) echo base kernels graph nn stan io target ;;
    infer) echo base kernels graph nn flow stan target infer io ;;
    api) echo base kernels graph nn flow stan target infer io api ;;
    plot) echo base kernels graph nn flow stan target infer io api plot ;;
    cli) echo base kernels graph nn flow stan target infer io api plot cli ;;
    *) echo "" ;;
  esac
}

for file in $(find src -name '*.[ch]' -o -name '*.def' -o -name '*.inl'); do
  folder=${file#src/}
  folder=${folder%%/*}
  checked=$((checked + 1))
  for included in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
    case "$included" in
      sluice/sluice.h) continue ;;
      */*) target=${included%%/*} ;;
      *) target=$folder ;;
    esac
    if ! allowed "$folder" | tr ' ' '\n' | grep -qx "$target"; then
      echo "$file: src/$folder may not include \"$included\""
      bad=1
    fi
  done
done

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
