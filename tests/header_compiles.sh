#!/bin/sh
# The public header, alone, as C99, C11 and C++11, by every compiler here, without a warning; and every
# call and type in it carries the prefix.
set -u
header=$(cd "$(dirname "$0")/.." && pwd)/include/sluice/sluice.h
tried=0
for compiler in gcc clang; do
  command -v $compiler >/dev/null || continue
  for standard in c99 c11; do
    $compiler -std=$standard -Wall -Wextra -pedantic -Werror -fsyntax-only -x c "$header" || exit 1
    tried=$((tried + 1))
  done
done
for compiler in g++ clang++; do
  command -v $compiler >/dev/null || continue
  # A C++ program that uses it, so that the linkage is seen too.
  printf '#include "%s"\nint main() { return sl_version() == SL_VERSION_NUMBER ? 0 : 1; }\n' "$header" |
    $compiler -std=c++11 -Wall -Wextra -pedantic -Werror -S -o - -x c++ - | grep -q 'sl_version' || exit 1
  tried=$((tried + 1))
done
if grep -nE '^#define ' "$header" | grep -vE '#define SL_'; then exit 1; fi
[ $tried -gt 0 ] && echo "$tried compilations"
