// EROFS, the read-only file system of Android's system partitions. Little-endian.
//
//   1024  superblock: magic 0xe0f5e1e2, 4 crc32c, 8 compatible features, 12 block size (log2), 14 root's number,
//         24 time of making, 36 blocks, 40 first block of inodes, 44 of shared attributes, 80 incompatible features
//   an inode lies at its number times 32 behind the first block of inodes: 32 bytes (compact) or 64 (extended)
//   a directory's block: 12 bytes an entry (number, offset of the name, type), then the names
//
// Source: Linux fs/erofs/erofs_fs.h, dir.c; Documentation/filesystems/erofs.rst.
#include "unpack/formats/erofs.h"
#include "unpack/describe.h"
#include "unpack/formats/inode_tree.h"
#include "unpack/formats/tree_walk.h"

#include <algorithm>

namespace assay::unpack::erofs {
namespace {

using namespace erofs;

constexpr Magic kMagics[] = {{"\xe2\xe1\xf5\xe0", kSuperAt}};
constexpr uint64_t kLargestDirectory = 256 << 20, kLongestTarget = 65536;

std::string_view codec_name(const std::vector<Extent>& extents) {
  constexpr std::string_view kNames[] = {"lz4", "lzma", "deflate", "zstd"};
  for (const Extent& e : extents)
    if (e.how == Extent::kCompressed) return kNames[std::min<uint8_t>(e.algorithm, 3)];
  return std::ranges::any_of(extents, [](const Extent& e) { return e.how == Extent::kHole; }) ? "sparse" : "erofs";
}

// One block of a directory. The first name's offset tells how many entries there are.
Result<void> list_block(std::string_view block, uint64_t at, std::vector<Listed>& out) {
  const Bytes b(block);
  const uint16_t first = TRY(b.le<uint16_t>(8, "name offset"));
  if (first < 12 || first % 12 || first > block.size())
    return fail(Fault::kMalformed, "first name's offset is " + std::to_string(first), at);
  for (uint64_t i = 0; i < first / 12u; ++i) {
    const uint16_t from = *b.le<uint16_t>(i * 12 + 8, "");
    const bool last = i + 1 == first / 12u;
    const uint64_t to = last ? block.size() : *b.le<uint16_t>(i * 12 + 20, "");
    if (from < first || to < from || to > block.size())
      return fail(Fault::kMalformed, "name's offset is " + std::to_string(from), at);
    std::string_view name = block.substr(from, to - from);
    if (last) name = name.substr(0, name.find('\0'));
    out.push_back({std::string(name), *b.le<uint64_t>(i * 12, ""), at});
  }
  return {};
}

class Tree final : public TreeSource {
 public:
  Tree(Image& image, Sink& into) : image_(image), into_(into) {}

  Result<Found> find(uint64_t number) override {
    const Inode inode = TRY(image_.inode(number));
    Found out = TRY(found(inode, inode.at, 4));
    Node& node = out.node;
    node.xattrs = TRY(image_.attributes(inode));
    if (is_device(node.kind)) node.device = device_of_new(inode.place);
    if (node.kind == Kind::kSymlink) node.target = TRY(image_.read_small(inode, kLongestTarget));
    return out;
  }

  Result<std::vector<Listed>> list(uint64_t number) override {
    const Inode inode = TRY(image_.inode(number));
    const std::string all = TRY(image_.read_small(inode, kLargestDirectory));
    const uint64_t size = uint64_t{1} << image_.super().directory_bits;
    std::vector<Listed> out;
    for (uint64_t at = 0; at < all.size(); at += size)
      TRY_VOID(list_block(std::string_view(all).substr(at, size), inode.at, out));
    return out;
  }

  Result<Content> content(uint64_t number) override {
    const Inode inode = TRY(image_.inode(number));
    const auto extents = TRY(image_.extents(inode));
    if (std::ranges::all_of(extents, [](const Extent& e) { return e.how == Extent::kStored && e.length <= e.size; })) {
      Content content;
      for (const Extent& e : extents)
        content.extents.push_back(TRY(image_.whole().slice(e.physical, e.length, "content")));
      return content;
    }
    Content content;
    TRY_VOID(image_.read(inode, extents, into_.output(), &content.extents));
    content.codec = codec_name(extents);
    return content;
  }

 private:
  Image& image_;
  Sink& into_;
};

Result<Measured> measure(Bytes from) {
  const Super super = TRY(read_super(from));
  const auto holds = super_checksum_holds(from, super);
  if (holds && !*holds) return fail(Fault::kMalformed, "crc32c of the superblock does not match", from.base() + 1028);
  Image image(from, super, nullptr);
  const Inode root = TRY(image.inode(super.root));
  if (kind_of_mode(root.mode) != Kind::kDirectory) return fail(Fault::kMalformed, "root is no directory", root.at);
  return Measured{super.length(), holds.has_value()};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Super super = TRY(read_super(whole));
  into.range(Range::kHeader, 0, kSuperAt + super.fixed_size);
  if (const auto holds = super_checksum_holds(whole, super))
    into.integrity(checksum("superblock crc", "crc32c", *holds, kSuperAt + 4));
  into.note("block size", std::to_string(super.block_size()), kSuperAt + 12);
  into.note("made", utc_time(super.build_time), kSuperAt + 24);
  if (!super.label.empty()) into.note("label", super.label, kSuperAt + 64);
  Image image(whole, super, &into);
  Tree tree(image, into);
  return walk_tree(tree, super.root, into);
}

}  // namespace

extern const Format kErofs;
const Format kErofs = {
    .id = "erofs",
    .title = "EROFS file system",
    .version = 2,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads =
        "plain, inline and chunked files; compact and full indexes; big clusters, inline tails, fragments, shared "
        "clusters; lz4, lzma, deflate, zstd; attributes, shared and with long prefixes",
    .limits = "files on further devices; 48-bit layouts and metadata boxes of Linux 6.15 and later",
    .source = "Linux fs/erofs/erofs_fs.h",
    .checked = "foreign tool: mkfs.erofs (lz4; lzma, deflate and zstd where the installed one writes them)"};

}  // namespace assay::unpack::erofs
