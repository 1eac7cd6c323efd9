#!/usr/bin/env bash
# test/lift/bench.sh BUILD [CPU…]: runs lift_bench over the programs of each CPU and puts its rows into the table of
# docs/lifters.md. Fails where a lifter and the emulator disagree.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
shift
cpus=("$@")
[ ${#cpus[@]} -gt 0 ] || read -ra cpus < <("$build/test/lift_bench" --list)
failed=0
for cpu in "${cpus[@]}"; do
  if ! test/lift/programs.sh "$cpu" .cache/lift "$build/assay" >".cache/lift-$cpu.programs"; then
    echo "$cpu: left out" >&2
    continue
  fi
  if row=$(xargs -0 "$build/test/lift_bench" "$cpu" <".cache/lift-$cpu.programs" 2>".cache/lift-$cpu.log"); then
    echo "$row"
  else
    failed=1
    echo "$row"
    cat ".cache/lift-$cpu.log" >&2
  fi
  grep -q "^| $cpu | " docs/lifters.md || sed -i "/^|---|/a | $cpu | " docs/lifters.md
  sed -i "s#^| $cpu | .*#${row//&/\\&}#" docs/lifters.md
done
exit $failed
