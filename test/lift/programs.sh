#!/usr/bin/env bash
# test/lift/programs.sh CPU FOLDER ASSAY: lists the programs that the lifter of CPU is held against, each path ended by a
# zero byte. From the distribution where it has that CPU, compiled here from its sources where it has not, and out of the
# firmware images in ../shared/firmware where those are.
set -euo pipefail
cd "$(dirname "$0")/../.."
cpu=$1 folder=$2 assay=$3

distribution() {
  test/lift/corpus.sh "$folder" "$1" >&2
  # perl has two names
  find "$folder/$1" -type f '(' -path '*bin/*' -o -name 'libssl.so.*' ')' ! -name 'perl5*' -print0
}

compiled() {
  local program wanted=()
  for program in lua bzip2 minigzip dnsmasq lz4 zstd brssl; do wanted+=(--program "$program"); done
  local builds=(--build gcc-O2 --build gcc-Os --build gcc-O3-static)
  [ -e "build/corpus/$1/gcc-O3-static/brssl" ] || python3 test/bench/code/corpus.py "$PWD/build/corpus" --cpu "$1" "${builds[@]}" "${wanted[@]}" >&2
  find "build/corpus/$1/" -name full -print0
}

firmware() {
  [ -d ../shared/firmware ] || return 0
  local image name
  for image in ../shared/firmware/*.bin ../shared/firmware/*.img; do
    name=$folder/firmware/$(basename "$image")
    if [ ! -e "$name.done" ]; then
      mkdir -p "$name"
      "$assay" export "$image" -o "$name.tar" >/dev/null 2>&1 || true
      tar -x -f "$name.tar" -C "$name" --no-same-owner --wildcards '*busybox' '*httpd' '*dropbear' '*/libc.so*' \
        '*/libuClibc*' '*/libcrypto*' 2>/dev/null || true
      rm -f "$name.tar"
      touch "$name.done"
    fi
    find "$name" -type f -size +20k -print0
  done
}

# Instructions that compilers seldom emit, of our own: CPU, tool prefix, source, options.
assembled() {
  mkdir -p "$folder/rare"
  [ "$folder/rare/$1" -nt "test/lift/forms/$3.s" ] ||
    "$2-gcc" -nostdlib -static "${@:4}" -o "$folder/rare/$1" "test/lift/forms/$3.s" >&2
  printf '%s\0' "$folder/rare/$1"
}

case $cpu in
  mips32-be) compiled mips32-be; firmware ;;
  mips32-le) distribution mipsel; firmware ;;
  mips64-be) compiled mips64-be; assembled mips64-be mips64-linux-gnuabi64 mips64 ;;
  mips64-le) distribution mips64el; assembled mips64-le mips64el-linux-gnuabi64 mips64 ;;
  arm) distribution armel ;;
  thumb) distribution armhf ;;
  aarch64) distribution arm64 ;;
  x86) distribution i386 ;;
  x86-64) distribution amd64 ;;
  ppc32) compiled ppc32; assembled ppc32 powerpc-linux-gnu ppc32 ;;
  riscv64) distribution riscv64; assembled riscv64 riscv64-linux-gnu riscv -Wa,--defsym,WIDE=1 ;;
  riscv32) test/lift/riscv32.py "$folder/riscv32"; assembled riscv32 riscv64-linux-gnu riscv -march=rv32gc_zifencei -mabi=ilp32d -Wl,-melf32lriscv ;;
  *)
    echo "test/lift/programs.sh: no programs for $cpu" >&2
    exit 2 ;;
esac
