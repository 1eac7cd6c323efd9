#!/usr/bin/env bash
# clang-tidy on the .cc files that changed since the last merge to main, and on one that includes each changed header.
# On main itself: those of the last commit. ASSAY_TIDY_ALL=1: all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${ASSAY_TIDY_ALL:-}" ]; then
  files=$(git ls-files '*.cc')
else
  base=$(git merge-base HEAD main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse -q --verify HEAD~1 || git hash-object -t tree /dev/null); fi
  files=$(git diff --name-only --diff-filter=d "$base" -- '*.cc')
fi
files=$(grep -v '^test/bench/' <<<"$files" || true)
[ -n "$files" ] || { echo "no source file changed"; exit 0; }
count=$(wc -l <<<"$files")
# A first commit or a large merge would take longer than all the tests: a fixed, evenly spread share of it is read.
most=${ASSAY_TIDY_MOST:-40}
if [ -z "${ASSAY_TIDY_ALL:-}" ] && [ "$count" -gt "$most" ]; then
  echo "$count files changed; reading every $(((count + most - 1) / most))th (ASSAY_TIDY_ALL=1 reads all)"
  files=$(awk -v n=$(((count + most - 1) / most)) 'NR % n == 0' <<<"$files")
fi
# Without the precompiled headers and joined sources, which would hide an include that is missing.
mkdir -p build
cmake -G Ninja -S . -B build/tidy -DASSAY_TESTS=ON >build/tidy.configure.log 2>&1 || { cat build/tidy.configure.log >&2; exit 1; }
xargs -P2 -n4 clang-tidy-19 -p build/tidy --quiet --warnings-as-errors='*' <<<"$files" 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
