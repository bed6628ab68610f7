#!/bin/sh
# Installs what was built, uses it as a stranger would - by pkg-config, by CMake, by man - and takes
# it away again. Usage: cli_install.sh BUILD
. "$(dirname "$0")/shell.sh"

left_out "what is built so is not for installing"
prefix=$work/prefix
manifest=$build/install_manifest.txt
# The manifest of a real installation from this build stays what it was.
[ ! -f "$manifest" ] || cp "$manifest" kept
check "installs" cmake --install "$build" --prefix "$prefix" >log
mv "$manifest" installed
[ ! -f kept ] || mv kept "$manifest"

for file in bin/sluice include/sluice/sluice.h libsluice.a libsluice.so man1/sluice.1 \
  bash-completion/completions/sluice; do
  check "$file" test -n "$(find "$prefix" -path "*/$file")"
done
check "the command runs" "$prefix/bin/sluice" version >log
check "bash reads its completion" bash -n "$prefix/share/bash-completion/completions/sluice"
if command -v man >/dev/null; then
  man --warnings -l "$prefix/share/man/man1/sluice.1" 2>warnings >log
  check "the manual page has no faults: $(cat warnings)" test ! -s warnings
else
  echo "left out: no man to read the manual page"
fi

cat >main.c <<'EOF'
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
  check "links with the shared library" \
    cc main.c $(pkg-config --cflags --libs sluice) -o shared
  check "runs with the version that pkg-config says" \
    test "$(LD_LIBRARY_PATH=$libraries ./shared)" = "$(pkg-config --modversion sluice)"
else
  echo "left out: no pkg-config"
fi

cat >CMakeLists.txt <<'EOF'
cmake_minimum_required(VERSION 3.21)
project(stranger C)
find_package(sluice 0.1 REQUIRED)
foreach(kind sluice static)
  add_executable(with_${kind} main.c)
  target_link_libraries(with_${kind} PRIVATE sluice::${kind} m)
endforeach()
EOF
check "CMake finds it" cmake -S . -B stranger -DCMAKE_PREFIX_PATH="$prefix" >log
check "CMake builds with it" cmake --build stranger >log
for kind in sluice static; do check "runs with $kind" stranger/with_$kind >log; done

check "uninstalls" cmake -DMANIFEST="$work/installed" -P "$here/../cmake/uninstall.cmake" >log 2>&1
check "nothing is left" test -z "$(find "$prefix" -type f -o -type l)"
check "nor its folder of headers" test ! -d "$prefix/include/sluice"
finish
