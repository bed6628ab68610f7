#!/bin/sh
# Installs a Debian package into a clean root, uses the command there, and removes it. Needs root and
# debootstrap; make check-deb. Usage: deb.sh PACKAGE.deb
set -eu
package=$1
root=$(mktemp -d)
# What debootstrap mounts stays mounted when it is interrupted, and is not this script's to delete.
trap 'umount "$root/proc" "$root/sys" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { tail -5 "$root.log"; exit 1; }
rm -f "$root.log"
find "$root/usr" "$root/etc" | sort >"$root/before"
cp "$package" "$root/sluice.deb"
chroot "$root" dpkg -i /sluice.deb >/dev/null
chroot "$root" sh -euc '
  sluice version
  sluice data moons -n 2000 -o moons.csv
  sluice fit moons.csv --steps 300 -o m.safetensors --quiet >/dev/null
  sluice sample m.safetensors -n 3
  [ "$(ldconfig -p | grep -c libsluice.so.0)" -ge 1 ]'
[ -s "$root/usr/share/man/man1/sluice.1" ] || [ -s "$root/usr/share/man/man1/sluice.1.gz" ]
chroot "$root" dpkg -r sluice >/dev/null
find "$root/usr" "$root/etc" | sort | comm -13 "$root/before" - | grep -v -e ld.so.cache && {
  echo "deb.sh: left behind by the package" >&2; exit 1; }
echo "deb.sh: installed, used and removed"
