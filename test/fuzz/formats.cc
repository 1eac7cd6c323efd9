// Fuzz target: the driver and, through the registry, every format: adding a format adds it here. Checksums always hold.
// The first byte chooses the role, so that carving and stored files are walked too.
#include "test/fuzz/coverage.h"
#include "unpack/examine.h"

#include <algorithm>

namespace {

using namespace assay;

// Opens what was found, as the engine would, down to a small depth.
void open(Bytes content, unpack::Role role, unpack::LocalArena& arena, int depth) {
  const unpack::Budget budget{.bytes = 4 << 20, .entries = 2000, .steps = 200'000};
  const Unpacked found = unpack::examine(content, {}, role, {}, budget, arena);
  if (depth == 0) return;
  size_t opened = 0;
  for (const Entry& entry : found.entries) {
    if (!entry.has_content || entry.size == 0 || ++opened > 8) continue;
    // Entries stored as they are have no arena of their own here; decoded ones have.
    if (entry.place.arena != arena.id()) continue;
    const std::string copy(arena.view(entry.place.at, entry.place.size).text());
    open(Bytes(copy), entry.node.kind == Kind::kPart ? unpack::Role::kPart : unpack::Role::kFile, arena, depth - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  checksums_ignored = true;
  static unpack::LocalArena arena(24 << 20,
                                  1);  // one for all runs: reserving it anew would cost more than most of them
  arena.truncate(0);
  const Bytes content(std::as_bytes(std::span(data + 1, size - 1)));
  open(content, static_cast<unpack::Role>(data[0] % 3), arena, 2);
  fuzz::count_edges();
  return 0;
}
