#!/usr/bin/env bash
# Makes the demonstration's router image from nothing but what stands here: make.sh FILE.
#
#   TRX header, 28 bytes    CRC-32 of the rest; offsets of the two partitions
#   uImage                  "kernel": a gzip'd text, not a program
#   SquashFS (xz)           root/, with keys and password hashes made at run time, and two programs compiled from
#                           httpd.c and telnetd.c for the machine this runs on (nothing here is ever started)
#
# What is wrong with it is wrong on purpose: each line of the report about it can be traced to a line here or in root/.
set -euo pipefail
cd "$(dirname "$0")"
out=$(realpath -m "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-router-XXXXXX")
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1500000000 TZ=UTC LC_ALL=C
root=$work/root

copy_root() {
  cp -R root "$root"
  mkdir -p "$root"/{bin,sbin,lib,dev,proc,tmp,usr/bin,usr/sbin,var,etc/ssl}
  ln -s busybox "$root/bin/sh"
  find "$root" -type d -exec chmod 755 {} +
  find "$root" -type f -exec chmod 644 {} +
  chmod 755 "$root"/etc/init.d/* "$root"/usr/sbin/* "$root"/www/cgi-bin/* "$root"/etc/hotplug.d/*/*
  chmod 600 "$root/etc/shadow"
  chmod 777 "$root/etc/cron/daily.sh" # world-writable, and cron runs it as root
}

compile() {
  cc -O1 -w -fno-stack-protector -U_FORTIFY_SOURCE -no-pie -fno-pie -z execstack -z norelro -s \
    -Wl,--build-id=none -Wl,-rpath,/tmp/lib -o "$root/$2" "$1"
  chmod 755 "$root/$2"
}

# A key of 1024 bits in the image, and a certificate for it that ended in 2015.
make_keys() {
  openssl genrsa -out "$root/etc/ssl/httpd.key" 1024 2>/dev/null
  openssl req -new -key "$root/etc/ssl/httpd.key" -subj "/O=Example/CN=router.lan" -out "$work/request" 2>/dev/null
  mkdir "$work/ca"
  : >"$work/ca/index"
  cat >"$work/ca.cnf" <<CNF
[ca]
default_ca = d
[d]
database = $work/ca/index
new_certs_dir = $work/ca
serial = $work/ca/serial
default_md = sha256
policy = p
[p]
organizationName = optional
commonName = supplied
CNF
  echo 01 >"$work/ca/serial"
  openssl ca -batch -selfsign -config "$work/ca.cnf" -startdate 20100101000000Z -enddate 20150101000000Z \
    -keyfile "$root/etc/ssl/httpd.key" -in "$work/request" -notext -out "$root/etc/ssl/httpd.crt" \
    2>"$work/said" || { cat "$work/said" >&2; return 1; }
}

make_passwords() {
  local hash
  hash=$(openssl passwd -1 -salt abcdefgh admin)
  sed -i "s|@HASH@|$hash|" "$root/etc/shadow"
}

# A kernel stands here as text: enough to see a uImage unpacked and its checksums hold.
make_kernel() {
  printf 'Linux version 3.10.14 (builder@example) (gcc version 4.6.3) #1 Fri Jul 14 02:40:00 UTC 2017\n' >"$work/vmlinux"
  seq 1 20000 >>"$work/vmlinux"
  gzip -9n <"$work/vmlinux" >"$work/vmlinux.gz"
  mkimage -A mips -O linux -T kernel -C gzip -a 0x80000000 -e 0x80000000 -n "Linux Kernel Image" -d "$work/vmlinux.gz" \
    "$work/uimage" >/dev/null
}

pack_image() {
  mksquashfs "$root" "$work/rootfs" -comp xz -b 131072 -all-root -no-xattrs -no-progress -quiet -noappend \
    -p "dev/console c 600 0 0 5 1" -p "dev/ttyS0 c 600 0 0 4 64" >/dev/null
  python3 - "$work/uimage" "$work/rootfs" "$out" <<'PY'
import struct, sys, zlib
kernel, rootfs = (open(name, "rb").read() for name in sys.argv[1:3])
kernel += bytes(-(28 + len(kernel)) % 4096)
rootfs += bytes(-(28 + len(kernel) + len(rootfs)) % 4096)
body = struct.pack("<HH3I", 0, 1, 28, 28 + len(kernel), 0) + kernel + rootfs
header = struct.pack("<4sII", b"HDR0", 12 + len(body), zlib.crc32(body) ^ 0xFFFFFFFF)
open(sys.argv[3], "wb").write(header + body)
PY
}

copy_root
compile httpd.c usr/sbin/httpd
compile telnetd.c usr/sbin/telnetd
make_keys
make_passwords
make_kernel
pack_image
