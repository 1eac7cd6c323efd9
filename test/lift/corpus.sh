#!/usr/bin/env bash
# test/lift/corpus.sh FOLDER [ARCH…]: programs to read instructions from: Debian's busybox, dropbear, openssl with its
# libssl, lighttpd and nginx of each CPU, and bash and perl for more code, unpacked to FOLDER/ARCH/: of Debian 12, and of
# Debian 13 for riscv64, which came with it. Uses apt states of its own below FOLDER, so that the machine's list of architectures stays as it is. What is
# already there is not fetched again.
set -euo pipefail
folder=$(realpath -m "$1")
shift
arches=("$@")
[ ${#arches[@]} -gt 0 ] || arches=(armel armhf arm64 mipsel mips64el ppc64el i386 amd64)
missing=()
for arch in "${arches[@]}"; do [ -e "$folder/$arch/done" ] || missing+=("$arch"); done
[ ${#missing[@]} -gt 0 ] || exit 0

packages=(busybox-static busybox dropbear-bin openssl libssl3 lighttpd nginx bash perl-base)
suite=bookworm
case " ${missing[*]} " in
  " riscv64 ") suite=trixie packages=("${packages[@]/libssl3/libssl3t64}") ;;
  *" riscv64 "*) echo "test/lift/corpus.sh: riscv64 is of another release, fetch it alone" >&2; exit 2 ;;
esac
apt=$folder/apt-$suite
mkdir -p "$apt"/{lists/partial,cache/archives/partial,dpkg}
: >"$apt/dpkg/status"
list=$(IFS=,; echo "${missing[*]}")
options=(-o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
  -o "Dir::Cache::pkgcache=pkgcache.bin" -o "Dir::State::status=$apt/dpkg/status"
  -o "APT::Architectures=$list" -o "APT::Sandbox::User=root" -o "Acquire::Languages=none"
  -o "Dir::Etc::sourceparts=-" -o "Dir::Etc::sourcelist=$apt/sources.list")
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" >"$apt/sources.list"
apt-get "${options[@]}" update -qq
for arch in "${missing[@]}"; do
  mkdir -p "$folder/$arch/deb"
  for package in "${packages[@]}"; do
    (cd "$folder/$arch/deb" && apt-get "${options[@]}" download -qq "$package:$arch") || echo "no $package for $arch" >&2
  done
  for deb in "$folder/$arch"/deb/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$folder/$arch" --wildcards './bin/*' './sbin/*' './usr/bin/*' './usr/sbin/*' './usr/lib/*/libssl.so.*' 2>/dev/null || true; done
  touch "$folder/$arch/done"
done
