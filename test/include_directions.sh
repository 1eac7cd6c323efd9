#!/usr/bin/env bash
# A room includes only the rooms that docs/design.md lets it use. Reads every #include "room/…" and fails on one that
# goes up or sideways; the table here is the design's.
set -euo pipefail
cd "$(dirname "$0")/.."
awk '
BEGIN {
  may["core"] = ""
  may["store"] = "core"
  may["elf"] = "core"
  may["code"] = "core elf"
  may["unpack"] = "core elf"
  may["system"] = "core elf"
  may["checks"] = "core"
  may["engine"] = "core store elf unpack code system checks"
  may["report"] = "core"
  may["certify"] = "core store checks engine"
  may["cli"] = "core store elf unpack code checks engine report certify"
  bad = 0
}
FNR == 1 { room = FILENAME; sub("/.*", "", room); seen[room]++ }
/^#include "/ {
  split($0, part, "\"")
  target = part[2]
  if (target !~ "/") { printf "%s:%d: %s: an include names its room\n", FILENAME, FNR, target; bad = 1; next }
  sub("/.*", "", target)
  if (target != room && index(" " may[room] " ", " " target " ") == 0) {
    printf "%s:%d: %s must not include %s\n", FILENAME, FNR, room, target; bad = 1
  }
}
END {
  for (room in seen) if (!(room in may)) { printf "%s: a room that the table does not know\n", room; bad = 1 }
  exit bad
}' $(git ls-files '*.cc' '*.h' | grep -v '^test/\|^demo/\|^tools/')
echo "include directions hold"
