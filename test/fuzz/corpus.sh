#!/usr/bin/env bash
# test/fuzz/corpus.sh BUILD TARGET…: makes test/fuzz/corpus/TARGET.tar.xz anew: of all inputs that are here (what fuzzing
# has found in .cache/fuzz, seeds, the last corpus, and for formats the samples that the unit tests make) the fewest and
# smallest that reach the same. Run it after long fuzzing. Samples of real images are not among them: it hides them.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
shift
made=$(mktemp -d /tmp/assay-corpus-XXXXXX)
trap 'rm -rf "$made"' EXIT
mkdir -p "$made/formats" "$made/single_formats"
if [[ " $* " == *formats* ]]; then
  # Tests that look for real images, or for files of this folder, skip or fail there: only their samples matter.
  ASSAY_SEEDS=$made ASSAY_SOURCE=$made "$build/test/test_unpack" >"$made/log" 2>&1 || true
  [ -n "$(ls "$made/formats")" ] || { echo "test_unpack made no samples; see $made/log" >&2; trap - EXIT; exit 1; }
fi
test/fuzz/run.sh --seeds-only
for target in "$@"; do
  mkdir -p "$made/$target" "$made/least" ".cache/fuzz/$target"
  "$build/test/fuzz_$target" -merge=1 -max_len=16384 -timeout=25 -rss_limit_mb=3000 "$made/least" ".cache/fuzz/corpus/$target" \
    "$made/$target" ".cache/fuzz/seeds/$target" ".cache/fuzz/$target" >"$made/log" 2>&1 || { tail -20 "$made/log" >&2; exit 1; }
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$made/least" -c . | xz -9e >"test/fuzz/corpus/$target.tar.xz"
  echo "$target: $(find "$made/least" -type f | wc -l) inputs, $(stat -c %s "test/fuzz/corpus/$target.tar.xz") bytes packed"
  rm -rf "$made/least"
done
