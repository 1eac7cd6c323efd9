#!/usr/bin/env bash
# ./dev bench [NAME]: the benchmarks of this folder, or the one that is named. build/release is built by ./dev.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${ASSAY_BUILD:-build/release}
case "${1:-inspect}" in
  inspect)
    ninja -C "$build" --quiet decode_once
    exec python3 test/bench/inspect_images.py "$build" ;;
  android)
    ninja -C "$build" --quiet decode_once
    exec python3 test/bench/android.py "$build" ;;
  code)
    ninja -C "$build" --quiet code_speed
    exec python3 test/bench/code_images.py "$build" ;;
  functions)
    python3 test/bench/code/corpus.py build/corpus
    exec python3 test/bench/code/score.py "$build/assay" build/corpus ;;
  lift)
    ninja -C "$build" --quiet lift_bench assay
    mkdir -p .cache
    shift || true
    exec test/lift/bench.sh "$build" "$@" ;;
  installers)
    exec python3 test/bench/installers.py "$build" ;;
  scan)
    ninja -C "$build" --quiet scan_bench
    exec test/bench/scan.sh "$build" ;;
  verdicts)
    ninja -C "$build" --quiet test_certify
    ASSAY_WORLDS=${ASSAY_WORLDS:-20000} exec "$build/test/test_certify" --gtest_filter='VerdictLaws.*' ;;
  fairness)
    FAIRNESS=all exec test/certify/fairness_test.py test_names_in_real_images_decide_nothing "$build/assay" ;;
  log)
    ninja -C "$build" --quiet log_bench
    # On the disk that holds the checkout: /tmp may be memory, where nothing is durable.
    mkdir -p .cache
    folder=$(mktemp -d "$PWD/.cache/bench-log-XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    "$build/test/bench/log_bench" "$folder" "${2:-10}" "${3:-200}" "${4:-10000000}" ;;
  certificate)
    ninja -C "$build" --quiet certificate_bench
    exec test/bench/certificate.sh "$build" "${2:-10000}" "${3:-}" ;;
  *)
    echo "test/bench/run.sh: no benchmark is called $1; there are: android, installers, scan, inspect, code, functions, lift, verdicts, fairness, log, certificate" >&2
    exit 2 ;;
esac
