// The file system that the boot loader of H3C and HPE switches (HPE 1920) keeps on their flash. Big endian.
//
//   erase blocks of 64 KiB: 63 entries of 8 bytes, one a block, in the first KiB; then the 63 blocks of 1 KiB
//   entry     flags (8), block before (24); next block (32, low 24 bits); 0xffffff none
//   entry 0   holds instead the sizes of erase block and block: 0x10000400
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

namespace assay::unpack::h3cvfs {
namespace {

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {{"\x10\0\x04\0\xff\xff\xff\xff\x3f\xff\xff\xff"sv}};
constexpr uint64_t kErase = 64 << 10, kBlock = 1 << 10, kBlocks = 63, kEntry = 128, kName = 32;
constexpr uint32_t kNone = 0xffffff;
constexpr size_t kMostDepth = 16;

bool says(uint8_t flags, uint8_t what) { return (flags & what) == 0; }
bool is_live(uint8_t flags) { return says(flags, 0x80) && says(flags, 0x40) && !says(flags, 0x20); }
bool is_folder(Bytes entry) { return says(entry[0], 2); }

uint64_t place_of(uint64_t block) { return kErase * (block / kBlocks) + kBlock * (1 + block % kBlocks); }
uint64_t place_in_table(uint64_t block) { return kErase * (block / kBlocks) + 8 * (block % kBlocks); }

// Follows every chain once. Without a sink it keeps nothing but what measure wants to know.
class Walk {
 public:
  explicit Walk(Bytes b, Sink* into = nullptr) : b_(b), into_(into) {}

  Result<void> run() {
    const uint64_t root = place_of(0);
    const uint32_t first = TRY(b_.be<uint32_t>(root + 28, "root's block"));
    const Bytes entry = TRY(b_.slice(root, kEntry, "root's entry"));
    if (!says(entry[0], 0x80)) return fail(Fault::kMalformed, "root's entry", entry.base());
    const auto blocks = TRY(chain(first));
    keep(blocks);
    if (into_) into_->range(Range::kHeader, 0, 8);
    if (into_) claim(entry);
    return folder("", blocks, 0);
  }

  uint64_t length() const { return kErase * (last_ / kBlocks + 1); }
  bool has_files() const { return has_files_; }
  bool has_whole_file() const { return has_whole_file_; }

 private:
  using Blocks = std::vector<uint32_t>;

  // The blocks of a chain, from its first on; every one is in use and names the one before it. So none is met twice,
  // and chains that share a block share their first: no chain of another is walked again.
  Result<Blocks> chain(uint32_t first) {
    Blocks blocks;
    uint32_t before = kNone;
    for (uint32_t block = first; block != kNone;) {
      if (into_) TRY_VOID(into_->step());
      const uint64_t at = place_in_table(block);
      const uint32_t back = TRY(b_.be<uint32_t>(at, "block's entry"));
      if (place_of(block) + kBlock > b_.size()) return fail(Fault::kTruncated, "block", b_.base() + at);
      if (block == 0 || !says(static_cast<uint8_t>(back >> 24), 0x80) || (back & kNone) != before)
        return fail(Fault::kMalformed, "block " + std::to_string(block) + " is not of the chain", b_.base() + at);
      if (before == kNone && !firsts_.insert(block).second)
        return fail(Fault::kMalformed, "block " + std::to_string(block) + " is another's too", b_.base() + at);
      blocks.push_back(block);
      before = block;
      block = TRY(b_.be<uint32_t>(at + 4, "block's entry")) & kNone;
    }
    return blocks;
  }

  void keep(const Blocks& blocks) {
    for (const uint32_t block : blocks) {
      last_ = std::max(last_, block);
      if (into_) into_->range(Range::kHeader, place_in_table(block), 8);
    }
  }

  // An entry up to the end of its name; what is behind the name only where it says nothing.
  void claim(Bytes entry) {
    const uint64_t at = entry.base() - b_.base(),
                   used = std::min(kEntry, kName + entry.text_field(kName, 96, "")->size() + 1);
    into_->range(Range::kHeader, at, used);
    if (is_run(entry.head(kEntry, used))) into_->range(Range::kPadding, at + used, kEntry - used);
  }

  Result<void> folder(const std::string& path, const Blocks& blocks, size_t depth) {
    for (const uint32_t block : blocks)
      for (uint64_t i = 0; i < kBlock / kEntry; ++i) {
        const Bytes e = b_.head(kEntry, place_of(block) + i * kEntry);
        if (is_live(e[0])) TRY_VOID(entry(e, path, depth));
      }
    return {};
  }

  Result<void> entry(Bytes e, const std::string& above, size_t depth) {
    const auto blocks = chain_of(e);
    if (!blocks && blocks.error().fault == Fault::kLimit) return std::unexpected(blocks.error());
    has_files_ = true;
    if (blocks) {
      keep(*blocks);
      has_whole_file_ |= !is_folder(e) && *e.be<uint32_t>(16, "") > 0;
    }
    std::string path;
    if (into_) {
      path = above + (above.empty() ? "" : "/") + *e.text_field(kName, 96, "");
      TRY_VOID(give(e, path, blocks));
    }
    if (!is_folder(e) || !blocks || blocks->empty()) return {};
    if (depth + 1 < kMostDepth) return folder(path, *blocks, depth + 1);
    if (into_) into_->problem({Fault::kLimit, "folders are nested too deep", e.base() - b_.base()});
    return {};
  }

  Result<Blocks> chain_of(Bytes e) {
    auto blocks = TRY(chain(*e.be<uint32_t>(28, "") & kNone));
    const uint64_t length = *e.be<uint32_t>(16, "");
    if (!is_folder(e) && blocks.size() != std::max<uint64_t>(1, (length + kBlock - 1) / kBlock))
      return fail(Fault::kMalformed, "its chain is not as long as it is", e.base() + 16);
    return blocks;
  }

  Result<void> give(Bytes e, const std::string& path, const Result<Blocks>& blocks) {
    TRY_VOID(into_->step());
    claim(e);
    if (!blocks)
      into_->problem({blocks.error().fault, escape(path) + ": " + blocks.error().what, e.base() - b_.base()});
    Node node;
    node.kind = is_folder(e) ? Kind::kDirectory : Kind::kFile;
    node.path = path;
    return into_->node(std::move(node), is_folder(e) ? nothing() : content(*e.be<uint32_t>(16, ""), blocks));
  }

  Content content(uint64_t length, const Result<Blocks>& blocks) const {
    if (!blocks) return length > 0 ? unreadable() : nothing();
    Content content;
    for (uint64_t i = 0; i * kBlock < length; ++i)
      content.extents.push_back(b_.head(std::min(kBlock, length - i * kBlock), place_of((*blocks)[i])));
    return content;
  }

  Bytes b_;
  Sink* into_;
  std::set<uint32_t> firsts_;  // of all chains walked
  uint32_t last_ = 1;
  bool has_files_ = false, has_whole_file_ = false;
};

Result<Measured> measure(Bytes from) {
  Walk walk(from);
  TRY_VOID(walk.run());
  if (!walk.has_files()) return fail(Fault::kForeign, "no file", from.base());
  return Measured{std::min(walk.length(), from.size()), walk.has_whole_file()};
}

// What no chain in use holds is not claimed: free entries and blocks are padding where they are erased, else unknown.
Result<void> unpack(Bytes whole, Sink& into) { return Walk(whole, &into).run(); }

}  // namespace

extern const Format kH3cVfs;
const Format kH3cVfs = {.id = "h3cvfs",
                        .title = "H3C flash file system (HPE 1920)",
                        .version = 2,
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .reads = "files and folders; every block is held against the one before it, and has one owner",
                        .limits = "times, whose zone is not stored; erase blocks of another size; deleted files",
                        .source = "openwrt/firmware-utils src/mkh3cvfs.c",
                        .checked = "foreign tool: openwrt's mkh3cvfs, by hand; own builder in the tests"};

}  // namespace assay::unpack::h3cvfs
