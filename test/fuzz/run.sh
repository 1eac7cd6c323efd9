#!/usr/bin/env bash
# test/fuzz/run.sh BUILD SECONDS [TARGET…]: runs each fuzz target for that long, two at a time; new inputs go to
# .cache/fuzz/TARGET. They begin with seeds, made from the cases and small files of the distribution's tools. Fails on the
# first report. A run of a minute or more begins with the least inputs of earlier ones as well (corpus.sh), which alone take
# half a minute, and ends with what all of them reach of each format.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .cache/fuzz/seeds
test/fuzz/seeds.py .cache/fuzz/seeds
seconds=${2:-60}
short=$([[ $seconds =~ ^[0-5]?[0-9]$ ]] && echo yes || true)
for packed in test/fuzz/corpus/*.tar.xz; do
  [ -z "$short" ] || break
  folder=.cache/fuzz/corpus/$(basename "$packed" .tar.xz)
  rm -rf "$folder"
  mkdir -p "$folder"
  tar -xJf "$packed" -C "$folder"
done
[ "$1" != --seeds-only ] || exit 0
build=$1
shift 2
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(formats single_formats analyses inputs certificates code lift)

one() {
  local target=$1 folder=.cache/fuzz/$1
  local inputs=("$folder" ".cache/fuzz/seeds/$target")
  [ "$short" ] || inputs+=(".cache/fuzz/corpus/$target")
  mkdir -p "${inputs[@]}"
  # Seed 0 is libFuzzer's own choice; ./dev test fixes it, so that a run there can be repeated.
  if ! "$build/test/fuzz_$target" -seed="${ASSAY_FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=3000 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix=".cache/fuzz/$target-" "${inputs[@]}" >".cache/fuzz/$target.log" 2>&1; then
    tail -40 ".cache/fuzz/$target.log"
    echo "fuzz target $target reported; the input lies in .cache/fuzz" >&2
    return 1
  fi
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' ".cache/fuzz/$target.log") executions, $(sed -n 's/.*cov: \([0-9]*\).*/\1/p' ".cache/fuzz/$target.log" | tail -1) edges"
  [ -z "$short" ] && [[ $target == *formats ]] || return 0
  ASSAY_COVERAGE=.cache/fuzz/$target.edges "$build/test/fuzz_$target" -runs=0 -timeout=25 -rss_limit_mb=3000 "${inputs[@]}" >>".cache/fuzz/$target.log" 2>&1
  test/fuzz/coverage.py "$build/test/fuzz_$target" ".cache/fuzz/$target.edges"
}

failed=0 running=()
for target in "${targets[@]}"; do
  one "$target" &
  running+=($!)
  if [ ${#running[@]} = 2 ]; then
    for pid in "${running[@]}"; do wait "$pid" || failed=1; done
    running=()
  fi
done
for pid in "${running[@]}"; do wait "$pid" || failed=1; done
exit $failed
