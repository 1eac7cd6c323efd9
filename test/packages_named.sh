#!/usr/bin/env bash
# Every library the program is linked with comes from a package that packages.txt names under [build]; a package that
# happens to be installed would hide a missing line.
set -euo pipefail
cd "$(dirname "$0")/.."
named=$(awk '/^\[/ { on = ($0 == "[build]"); next } on && NF && !/^#/ { print $1 }' packages.txt)
# What a named package depends on comes with it: in Debian 13 liblz4.pc asks for libxxhash too.
brought=$(for name in $named; do dpkg-query -W -f='${Depends},' "${name%%|*}" 2>/dev/null || true; done | tr ',' '\n' | awk '{print $1}')
bad=0 used=
# The libraries on the link line, resolved to the -dev package that owns the file the linker opened.
for library in $(ninja -C build/release -t commands assay | tail -1 | tr ' ' '\n' | grep -E '^(/usr/lib/.*\.(so|a)|-l)' | sort -u); do
  case $library in
    -l*) path=$(g++ -print-file-name="lib${library#-l}.so") ;;
    *) path=$library ;;
  esac
  path=$(realpath -s "$path")
  owner=$(dpkg-query -S "$path" 2>/dev/null | head -1 | cut -d: -f1 || true)
  [ -n "$owner" ] || owner=$(dpkg-query -S "$(readlink -f "$path")" 2>/dev/null | head -1 | cut -d: -f1 || true)
  used+="$owner "
  if ! grep -qx "$owner" <<<"$named" && ! grep -qx "$owner" <<<"$brought"; then
    echo "packages.txt does not name ${owner:-the owner of $path}, which the program is linked with ($path)"
    bad=1
  fi
done
# And the other way round: a library that nothing is linked with does not belong there; these are headers and tools.
for name in $(grep -- '-dev$' <<<"$named"); do
  case " $used libcli11-dev libp11-kit-dev nlohmann-json3-dev " in *" $name "*) ;; *)
    echo "packages.txt names $name, which the program is not linked with"
    bad=1 ;;
  esac
done
[ $bad = 0 ] && echo "packages.txt names every library's package"
exit $bad
