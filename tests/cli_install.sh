#!/bin/sh
# Installs what was built, uses it as a stranger would - by pkg-config, by CMake, by man - and takes
# it away again. Usage: cli_install.sh BUILD
set -eu
build=$1
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "cli_install.sh: $1" >&2; exit 1; }

if grep -q '^SLUICE_SANITIZE:[^=]*=.' "$build/CMakeCache.txt"; then
  echo "left out: what is built with sanitizers is not for installing"
  exit 0
fi
prefix=$folder/prefix
# The manifest of a real installation from this build stays what it was.
[ ! -f "$build/install_manifest.txt" ] || cp "$build/install_manifest.txt" "$folder/manifest"
cmake --install "$build" --prefix "$prefix" >/dev/null
cp "$build/install_manifest.txt" "$folder/installed"
if [ -f "$folder/manifest" ]; then cp "$folder/manifest" "$build/install_manifest.txt"
else rm "$build/install_manifest.txt"; fi

for file in bin/sluice include/sluice/sluice.h lib/libsluice.a lib/libsluice.so \
  share/man/man1/sluice.1 share/bash-completion/completions/sluice; do
  [ -e "$prefix/$file" ] || [ -e "$prefix/$(echo $file | sed 's,^lib/,lib/*/,')" ] ||
    find "$prefix" -path "*/$(basename $file)" | grep -q . || fail "$file was not installed"
done
"$prefix/bin/sluice" version >/dev/null
bash -n "$prefix/share/bash-completion/completions/sluice"
if command -v man >/dev/null; then
  man --warnings -l "$prefix/share/man/man1/sluice.1" 2>"$folder/warnings" >/dev/null || true
  [ ! -s "$folder/warnings" ] || { cat "$folder/warnings" >&2; fail "the manual page has faults"; }
else
  echo "left out: no man to read the manual page"
fi

cat >"$folder/main.c" <<'EOF'
#include <sluice/sluice.h>
#include <stdio.h>
int main(void) {
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  puts(sl_version_text());
  sl_context_free(context);
  return 0;
}
EOF
libraries=$(dirname "$(find "$prefix" -name libsluice.a)")
if command -v pkg-config >/dev/null; then
  export PKG_CONFIG_PATH="$libraries/pkgconfig"
  cc "$folder/main.c" $(pkg-config --cflags --libs sluice) -o "$folder/shared"
  LD_LIBRARY_PATH=$libraries "$folder/shared" | grep -qx "$(pkg-config --modversion sluice)" ||
    fail "the shared library does not run, or is of another version"
  cc "$folder/main.c" $(pkg-config --cflags sluice) "$libraries/libsluice.a" -lm -pthread -o "$folder/static"
  "$folder/static" >/dev/null
else
  echo "left out: no pkg-config"
fi

cat >"$folder/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.21)
project(stranger C)
find_package(sluice 0.1 REQUIRED)
foreach(kind sluice static)
  add_executable(with_${kind} main.c)
  target_link_libraries(with_${kind} PRIVATE sluice::${kind} m)
endforeach()
EOF
cmake -S "$folder" -B "$folder/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$folder/build" >/dev/null
"$folder/build/with_sluice" >/dev/null && "$folder/build/with_static" >/dev/null

cmake -DMANIFEST="$folder/installed" -P "$here/cmake/uninstall.cmake" >/dev/null 2>&1
left=$(find "$prefix" -type f -o -type l)
[ -z "$left" ] || fail "left behind: $left"
[ ! -d "$prefix/include/sluice" ] || fail "its folder of headers was left behind"
