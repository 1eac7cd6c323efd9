#!/usr/bin/env bash
# ./dev demo: a real image from Debian, then a router image made here (router/make.sh), both inspected from an empty
# store. Ends with the report of the router image and the pages to open. Everything goes to build/demo and .cache/demo.
set -euo pipefail
cd "$(dirname "$0")/.."
assay=$PWD/build/assay
cache=$PWD/.cache/demo
out=$PWD/build/demo
mkdir -p "$cache" "$out"

say() { printf '\n== %s\n' "$*"; }

# Exit 1 says "findings", 4 "incomplete": both are answers here.
inspect() {
  local begun status=0
  begun=$(date +%s%N)
  "$assay" inspect --no-store "$@" || status=$?
  case $status in 0 | 1 | 4) ;; *) return "$status" ;; esac
  printf '(%s s, exit %s)\n' "$(awk -v ns=$(($(date +%s%N) - begun)) 'BEGIN { printf "%.1f", ns / 1e9 }')" "$status"
}

# The files of Debian's network installer for armhf boards, of the release that runs here: a kernel, an initrd, a boot
# script and a device tree for every board. The package is unpacked, never installed. Prints the folder.
installer() {
  local release package folder
  release=$(. /etc/os-release && echo "${VERSION_ID:-}")
  package=debian-installer-$release-netboot-armhf
  folder=$cache/$package
  if [ ! -d "$folder" ]; then
    (cd "$cache" && rm -f ./*.deb && { apt-get download -qq "$package" ||
      { as_root apt-get update -qq && apt-get download -qq "$package"; }; }) >"$cache/download.log" 2>&1 || return 1
    dpkg-deb -x "$cache/$package"_*.deb "$folder.part"
    mv "$folder.part" "$folder"
  fi
  find "$folder" -type d -path '*/debian-installer/armhf' -print -quit
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

say "Debian's installer for armhf boards"
if images=$(installer) && [ -n "$images" ]; then
  inspect "$images" --html "$out/installer.html" --json "$out/installer.json"
else
  echo "not shown: the package could not be downloaded (offline?); the reason stands in $cache/download.log:"
  tail -3 "$cache/download.log" | sed 's/^/  /'
fi

say "A router image made here"
demo/router/make.sh "$out/router.bin"
inspect "$out/router.bin" --html "$out/report.html" --json "$out/report.json"

say "Pages"
for page in installer.html report.html report.json; do
  [ -e "$out/$page" ] && echo "  $out/$page"
done
echo
echo "Look inside:  build/assay ls build/demo/router.bin"
echo "One file:     build/assay cat build/demo/router.bin etc/shadow"
