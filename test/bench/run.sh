#!/usr/bin/env bash
# ./dev bench [NAME]: the benchmarks of this folder, or the one that is named. build/release is built by ./dev.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${ASSAY_BUILD:-build/release}
case "${1:-inspect}" in
  inspect)
    ninja -C "$build" --quiet decode_once
    exec python3 test/bench/inspect_images.py "$build" ;;
  functions)
    python3 test/bench/code/corpus.py build/corpus
    exec python3 test/bench/code/score.py "$build/assay" build/corpus ;;
  lift)
    ninja -C "$build" --quiet lift_bench
    test/lift/corpus.sh .cache/lift mipsel mips64el
    for pair in mips32-le:mipsel mips64-le:mips64el; do
      find ".cache/lift/${pair#*:}" -type f -perm -u+x -path '*bin/*' -print0 | sort -z | xargs -0 "$build/test/lift_bench" "${pair%:*}"
    done ;;
  verdicts)
    ASSAY_WORLDS=${ASSAY_WORLDS:-20000} exec "$build/test/test_certify" --gtest_filter='VerdictLaws.*' ;;
  fairness)
    FAIRNESS=all exec test/certify/fairness_test.py test_names_in_real_images_decide_nothing "$build/assay" ;;
  *)
    echo "test/bench/run.sh: no benchmark is called $1; there are: verdicts, fairness, inspect, functions, lift" >&2
    exit 2 ;;
esac
