// What is said of a file while its container is decoded is what a task of its own would say, and only what holds
// nothing further is forgotten.
#include "engine/leaves.h"

#include "engine/arena.h"
#include "unpack/sink.h"

#include <gtest/gtest.h>

namespace assay::engine {
namespace {

using unpack::Role;

std::string cpio_file(const std::string& name, const std::string& content) {
  char header[111];
  std::snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1u, 0100644u, 0u,
                0u, 1u, 0u, static_cast<unsigned>(content.size()), 0u, 0u, 0u, 0u,
                static_cast<unsigned>(name.size() + 1), 0u);
  std::string out = header + name + '\0';
  out.resize((out.size() + 3) / 4 * 4);
  out += content;
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

struct Opened {
  Unpacked unpacked;
  std::vector<Leaf> leaves;
};

// A container that decodes to these files.
Opened open_with(const std::vector<std::string>& files, bool forget, SharedArena& arena) {
  const std::string whole(64, 'w');
  const unpack::Keys keys;
  Opened out;
  Leaves leaves(keys, forget, out.leaves);
  unpack::Collector sink(Bytes(whole), {0, 0, whole.size(), true}, keys, {}, arena, &leaves);
  for (const std::string& content : files) {
    Node node;
    node.kind = Kind::kFile;
    node.path = "f" + std::to_string(out.unpacked.entries.size());
    EXPECT_TRUE(sink.output().write(std::as_bytes(std::span(content))));
    EXPECT_TRUE(sink.node(std::move(node), {{Bytes(whole)}, "codec"}));
  }
  out.unpacked = sink.finish("container", 1, true, true);
  return out;
}

TEST(Leaves, AreWhatATaskOfTheirOwnSays) {
  const std::string text(5000, 'x'), archive = cpio_file("a", "inner") + cpio_file("TRAILER!!!", ""),
                                     noise = std::string("\x80\x81\x82\x83") + std::string(3000, '\x90');
  const std::vector<std::string> files = {text, archive, noise, text};
  for (const bool forget : {false, true}) {
    auto made = SharedArena::create(1);
    ASSERT_TRUE(made);
    SharedArena arena = std::move(*made);
    arena.hold_back(forget ? 1 << 20 : 0);
    const Opened opened = open_with(files, forget, arena);
    const auto& entries = opened.unpacked.entries;
    ASSERT_EQ(entries.size(), 4u);
    ASSERT_EQ(opened.leaves.size(), 2u);  // not the archive, and of the same bytes one
    EXPECT_EQ(opened.leaves[0].entry, 0u);
    EXPECT_EQ(opened.leaves[1].entry, 2u);
    for (const Leaf& leaf : opened.leaves) {
      unpack::LocalArena own(1 << 20);
      const std::string& content = files[leaf.entry];
      const Unpacked alone = unpack::examine(Bytes(content), {0, 0, content.size(), true}, Role::kFile, {}, {}, own);
      EXPECT_EQ(pack(leaf.unpacked), pack(alone)) << leaf.entry;
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(entries[i].size, files[i].size()) << i;
      EXPECT_EQ(entries[i].sha256, sha256(Bytes(files[i]))) << i;
      EXPECT_EQ(entries[i].place.held, !forget || i == 1) << i;
      if (entries[i].place.held) {
        EXPECT_TRUE(arena.view(entries[i].place.at, entries[i].size).text() == files[i]) << i;
      }
    }
    if (forget) {
      EXPECT_EQ(arena.size(), archive.size());
    }
  }
}

// Whatever stands in it: a budget of nothing is no excuse to say less of a leaf, nor to take a container for one.
TEST(Leaves, StreamsAreNone) {
  auto made = SharedArena::create(1);
  ASSERT_TRUE(made);
  const std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\xc8\x04\0\xac\x2a\x93\xd8\x02\0\0\0", 22);  // "hi"
  const Opened opened = open_with({gzip}, true, *made);
  EXPECT_TRUE(opened.leaves.empty());
  EXPECT_TRUE(opened.unpacked.entries[0].place.held);
  unpack::LocalArena own(1 << 20);
  const Unpacked alone = unpack::examine(Bytes(gzip), {0, 0, gzip.size(), true}, Role::kFile, {}, {}, own);
  ASSERT_EQ(alone.entries.size(), 1u);
}

}  // namespace
}  // namespace assay::engine
