#!/bin/sh
# The shared library exports exactly the SL_API functions of the header, and the library keeps no
# writable global state (no mutable data in any of its objects).
# Usage: exported_symbols.sh HEADER SHARED_LIBRARY STATIC_LIBRARY
set -eu
header=$1 shared=$2 static=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A declaration may span lines; the name is what stands before its first parenthesis.
tr '\n' ' ' <"$header" | sed 's/#define SL_API [^ ]*//g' | tr ';{}' '\n\n\n' |
  sed -n 's/.*SL_API [^(]*[ *]\(sl_[a-z0-9_]*\)(.*/\1/p' | sort -u >"$folder/declared"
nm -D --defined-only "$shared" | awk '{print $3}' | grep -v '^_\(init\|fini\)$' |
  sort -u >"$folder/exported"
[ -s "$folder/declared" ] || { echo "no SL_API function found in $header"; exit 1; }
if ! diff "$folder/declared" "$folder/exported" >"$folder/difference"; then
  echo "declared in the header (<) against exported by the library (>):"
  grep '^[<>]' "$folder/difference"
  exit 1
fi

# A symbol's line is "address flags section<tab>size name". Tables of pointers are relocated once,
# then read-only: .data.rel.ro.
objdump -t "$static" | awk -F '\t' 'NF == 2 {
  n = split($1, left, " "); split($2, right, " ")
  writable = left[n] ~ /^(\.(data|bss|tdata|tbss)|\*COM\*)/ && left[n] !~ /^\.data\.rel\.ro/
  if (writable && right[1] !~ /^0+$/)
    print right[2], "in", left[n]
}' >"$folder/writable"
if [ -s "$folder/writable" ]; then
  echo "writable global state in the library:"
  cat "$folder/writable"
  exit 1
fi
echo "$(wc -l <"$folder/declared") functions, no writable state"
