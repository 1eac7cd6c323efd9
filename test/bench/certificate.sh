#!/usr/bin/env bash
# test/bench/certificate.sh BUILD N [IMAGE]: certifies a large image (default: a system's /usr/bin as one archive) and changes
# N random bytes of the certificate, one at a time; the image is changed too. None may be accepted.
set -euo pipefail
build=$1 count=$2 image=${3:-}
folder=$(mktemp -d /tmp/assay-bench-XXXXXX)
trap 'rm -rf "$folder"' EXIT
assay=$PWD/$build/assay
cd "$folder"
[ -n "$image" ] || { tar --sort=name -cf image.tar -C /usr share/doc/bash share/doc/coreutils share/perl5 2>/dev/null || true; image=image.tar; }
"$assay" keygen -o signer >keys
"$assay" keygen -o log-key >>keys
"$assay" log init log --key log-key --origin log.example/bench
"$assay" certify "$image" --policy scas-33117-firmware --key signer --log log -o cert.json >said || [ $? = 1 ] || [ $? = 4 ]
"$OLDPWD/$build/test/bench/certificate_bench" cert.json "$count"
vkey=$(sed 's/.*"verifierKey":"\([^"]*\)".*/\1/' log/log.json)
size=$(stat -c %s "$image") refused=0
for n in $(seq 100); do
  at=$((size * n / 101))
  cp "$image" changed
  printf "\\$(printf %o $((($(od -An -tu1 -j$at -N1 "$image")) ^ 1)))" | dd of=changed bs=1 seek=$at conv=notrunc status=none
  "$assay" verify cert.json --signer signer.pub --log-key "$vkey" --image changed >/dev/null 2>&1 || refused=$((refused + 1))
done
echo "$refused of 100 changed images refused"
[ $refused = 100 ]
