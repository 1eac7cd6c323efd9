// The file system that the boot loader of H3C and HPE switches (HPE 1920) keeps on their flash. Big endian.
//
//   erase blocks of 64 KiB: 63 entries of 8 bytes, one a block, in the first KiB; then the 63 blocks of 1 KiB
//   entry     flags (8), block before (24); next block (32, low 24 bits); 0xffffff none. Entry 0 holds instead the
//   sizes
//             of erase block and block: 0x10000400
//   block 0   the root's file entry; its first block of names is stated there
//   names     entries of 128 bytes: 0 flags  6 year (16), month, day, hour, minute, second  16 length  20 block and
//             24 number of the folder's entry  28 first block  32 name (96)
//   flags     0 says yes, as erased flash is all ones: 0x80 used, 0x40 written whole, 0x20 deleted, 0x02 folder
//
// A file counts where its chain is as long as its length says and every block names the one before it.
// Source: openwrt/firmware-utils src/mkh3cvfs.c.
#include "core/text.h"
#include "unpack/describe.h"

#include <algorithm>
#include <set>
#include <vector>

namespace assay::unpack {
namespace {

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {{"\x10\0\x04\0\xff\xff\xff\xff\x3f\xff\xff\xff"sv}};
constexpr uint64_t kErase = 64 << 10, kBlock = 1 << 10, kBlocks = 63, kEntry = 128;
constexpr uint32_t kNone = 0xffffff;
constexpr size_t kMostDepth = 16;

bool says(uint8_t flags, uint8_t what) { return (flags & what) == 0; }

uint64_t place_of(uint64_t block) { return kErase * (block / kBlocks) + kBlock * (1 + block % kBlocks); }

// The blocks of a chain, from its first on; every one is in use and names the one before it.
Result<std::vector<uint32_t>> chain(Bytes b, uint32_t first) {
  std::vector<uint32_t> blocks;
  uint32_t before = kNone;
  for (uint32_t block = first; block != kNone;) {
    const uint64_t at = kErase * (block / kBlocks) + 8 * (block % kBlocks);
    const uint32_t back = TRY(b.be<uint32_t>(at, "block's entry"));
    if (place_of(block) + kBlock > b.size()) return fail(Fault::kTruncated, "block", b.base() + at);
    if (!says(static_cast<uint8_t>(back >> 24), 0x80) || (back & kNone) != before || blocks.size() > b.size() / kBlock)
      return fail(Fault::kMalformed, "block " + std::to_string(block) + " is not of the chain", b.base() + at);
    blocks.push_back(block);
    before = block;
    block = TRY(b.be<uint32_t>(at + 4, "block's entry")) & kNone;
  }
  return blocks;
}

struct File {
  std::string path;
  bool folder = false;
  uint64_t at = 0;  // of its entry
  std::vector<uint32_t> blocks;
  uint64_t length = 0;
};

struct Volume {
  std::vector<File> files;
  std::vector<Error> problems;
  std::set<uint32_t> held;  // blocks of names
  uint32_t last = 1;
  uint64_t length() const { return kErase * (last / kBlocks + 1); }
};

class Walk {
 public:
  explicit Walk(Bytes b) : b_(b) {}

  Result<Volume> run() {
    const uint64_t root = place_of(0);
    const uint32_t first = TRY(b_.be<uint32_t>(root + 28, "root's block"));
    if (!says(b_[root], 0x80)) return fail(Fault::kMalformed, "root's entry", b_.base() + root);
    TRY_VOID(folder("", first, 0));
    return std::move(volume_);
  }

 private:
  void keep(const std::vector<uint32_t>& blocks) {
    for (const uint32_t block : blocks) volume_.last = std::max(volume_.last, block);
  }

  Result<void> folder(const std::string& path, uint32_t first, size_t depth) {
    const auto blocks = TRY(chain(b_, first));
    keep(blocks);
    for (const uint32_t block : blocks) {
      if (!volume_.held.insert(block).second)
        return fail(Fault::kMalformed, "a folder is listed twice", place_of(block));
      for (uint64_t i = 0; i < kBlock / kEntry; ++i) entry(b_.head(kEntry, place_of(block) + i * kEntry), path, depth);
    }
    return {};
  }

  void entry(Bytes e, const std::string& above, size_t depth) {
    if (!says(e[0], 0x80) || !says(e[0], 0x40) || says(e[0], 0x20)) return;
    File f{.path = above, .folder = says(e[0], 2), .at = e.base() - b_.base()};
    f.path += (above.empty() ? "" : "/") + *e.text_field(32, 96, "");
    f.length = f.folder ? 0 : *e.be<uint32_t>(16, "");
    const uint32_t first = *e.be<uint32_t>(28, "");
    auto blocks = chain(b_, first & kNone);
    if (blocks && !f.folder && blocks->size() != std::max<uint64_t>(1, (f.length + kBlock - 1) / kBlock))
      blocks = fail(Fault::kMalformed, "its chain is not as long as it is", e.base() + 16);
    if (!blocks) {
      volume_.problems.push_back({blocks.error().fault, escape(f.path) + ": " + blocks.error().what, f.at});
    } else {
      keep(*blocks);
      f.blocks = *std::move(blocks);
    }
    volume_.files.push_back(f);
    if (!f.folder || f.blocks.empty()) return;
    if (depth + 1 >= kMostDepth)
      return volume_.problems.push_back({Fault::kLimit, "folders are nested too deep", f.at});
    if (auto done = folder(f.path, first & kNone, depth + 1); !done)
      volume_.problems.push_back(std::move(done).error());
  }

  Bytes b_;
  Volume volume_;
};

bool is_whole(const File& f) { return !f.folder && f.length > 0 && !f.blocks.empty(); }

Result<Measured> measure(Bytes from) {
  const Volume v = TRY(Walk(from).run());
  if (v.files.empty()) return fail(Fault::kForeign, "no file", from.base());
  return Measured{std::min(v.length(), from.size()), std::ranges::any_of(v.files, is_whole)};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Volume v = TRY(Walk(whole).run());
  for (uint64_t at = 0; at < v.length(); at += kErase) into.range(Range::kHeader, at, kBlock);
  into.range(Range::kHeader, place_of(0), kBlock);
  for (const uint32_t block : v.held) into.range(Range::kHeader, place_of(block), kBlock);
  for (const Error& problem : v.problems) into.problem(problem);
  for (const File& f : v.files) {
    TRY_VOID(into.step(1 + f.blocks.size()));
    Node node;
    node.kind = f.folder ? Kind::kDirectory : Kind::kFile;
    node.path = f.path;
    Content content;
    if (!f.folder && f.blocks.empty() && f.length > 0) content = unreadable();
    for (uint64_t i = 0; !f.folder && i < f.blocks.size() && i * kBlock < f.length; ++i)
      content.extents.push_back(whole.head(std::min(kBlock, f.length - i * kBlock), place_of(f.blocks[i])));
    TRY_VOID(into.node(std::move(node), std::move(content)));
  }
  return {};
}

}  // namespace

extern const Format kH3cVfs;
const Format kH3cVfs = {.id = "h3cvfs",
                        .title = "H3C flash file system (HPE 1920)",
                        .version = 1,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "files and folders; every block is held against the one before it",
                        .limits = "times, whose zone is not stored; erase blocks of another size; deleted files",
                        .source = "openwrt/firmware-utils src/mkh3cvfs.c",
                        .checked = "foreign tool: openwrt's mkh3cvfs, by hand; own builder in the tests"};

}  // namespace assay::unpack
