#include "unpack/formats/ubifs_nodes.h"

#include "core/hash.h"

#include <array>

namespace assay::unpack {
namespace {

constexpr uint32_t kUbifsMagic = 0x06101831;
constexpr uint64_t kLargestUbifsNode = 1 << 20;  // an index node with a fan-out of thousands stays below
constexpr uint32_t kSmallestUbifsBlock = 15 * 1024, kLargestBlock = 64 << 20;

// The fixed fields of each type.
constexpr std::array<uint32_t, 13> kSizes = {160, 48, 56, 56, 56, 28, 4096, 512, 64, 28, 32, 32, 24};

}  // namespace

Result<UbifsNode> read_ubifs_node(Bytes whole, uint64_t at) {
  const Bytes header = TRY(whole.slice(at, kUbifsHeaderSize, "node header"));
  if (*header.le<uint32_t>(0, "magic") != kUbifsMagic)
    return fail(Fault::kMalformed, "no magic of a node", header.base());
  const uint32_t length = *header.le<uint32_t>(16, "len");
  if (length < kUbifsHeaderSize || length > kLargestUbifsNode)
    return fail(Fault::kMalformed, "len " + std::to_string(length), header.base() + 16);
  const Bytes node = TRY(whole.slice(at, length, "node"));
  if (!checksum_holds(crc32_raw(*node.slice(8, length - 8, "node")), *header.le<uint32_t>(4, "crc")))
    return fail(Fault::kMalformed, "crc of a node does not match", header.base() + 4);
  const uint8_t type = header[20];
  if (type >= kSizes.size() || length < kSizes[type])
    return fail(Fault::kUnsupported, "node_type " + std::to_string(type) + " of " + std::to_string(length) + " bytes",
                header.base() + 20);
  return UbifsNode{static_cast<UbifsType>(type), *header.le<uint64_t>(8, "sqnum"), node};
}

Result<UbifsSuper> read_ubifs_super(Bytes from) {
  const UbifsNode node = TRY(read_ubifs_node(from, 0));
  if (node.type != UbifsType::kSuper) return fail(Fault::kMalformed, "the first node is no superblock", from.base());
  UbifsSuper super;
  super.key_hash = node.bytes[26];
  super.key_format = node.bytes[27];
  super.flags = node.word(28);
  super.min_io = node.word(32);
  super.block = node.word(36);
  super.count = node.word(40);
  super.most = node.word(44);
  super.log_blocks = node.word(56);
  super.lpt_blocks = node.word(60);
  super.orphan_blocks = node.word(64);
  super.save_count = node.word(76);
  super.version = node.word(80);
  super.compression = node.half(84);
  if (super.block < kSmallestUbifsBlock || super.block > kLargestBlock || super.block % 8)
    return fail(Fault::kMalformed, "leb_size " + std::to_string(super.block), from.base() + 36);
  if (super.count < 3) return fail(Fault::kMalformed, "leb_cnt " + std::to_string(super.count), from.base() + 40);
  if (super.key_format != 0)
    return fail(Fault::kUnsupported, "key_fmt " + std::to_string(super.key_format), from.base() + 27);
  return super;
}

}  // namespace assay::unpack
