// Inodes of SquashFS 1.x, 2.x and 3.x: bit fields, laid out as a compiler of the image's byte order would.
//
// All begin with type:4, mode:12, then indices of user and group (4 bits each in version 1, 8 in 2 and 3); version 3
// adds time and number. Version 1 packs two more things into the type: which sixteen users are meant, and type 0 for
// pipes and sockets, whose kind and user group follow.
// Source: squashfs-tools, squashfs_compat.h (layout facts only).
#include "unpack/formats/squashfs.h"

#include <array>

namespace assay::unpack::squashfs {
namespace {

enum Type : uint8_t { kDirectory = 1, kFile, kLink, kBlock, kCharacter, kPipe, kSocket, kLongDirectory, kLongFile };

// Bytes of the inode before its lists and texts, by type; 0: no such type in this version.
constexpr uint32_t kSizes[4][10] = {
    {},
    {4, 14, 15, 5, 5, 5, 0, 0, 0, 0},
    {0, 15, 24, 6, 6, 6, 4, 4, 18, 0},
    {0, 28, 32, 18, 18, 18, 16, 16, 31, 40},
};
constexpr uint32_t kLongest = 40;

Kind kind_of(uint8_t type) {
  switch (type) {
    case kDirectory:
    case kLongDirectory:
      return Kind::kDirectory;
    case kLink:
      return Kind::kSymlink;
    case kBlock:
      return Kind::kBlockDevice;
    case kCharacter:
      return Kind::kCharDevice;
    case kPipe:
      return Kind::kFifo;
    case kSocket:
      return Kind::kSocket;
    default:
      return Kind::kFile;
  }
}

struct Head {
  uint8_t type = 0, stored_type = 0;
  uint32_t user = 0, group = 0;
  bool group_is_user = false;
};

Head read_head(Fields& f, uint16_t version, Inode& node) {
  Head h;
  const unsigned width = version == 1 ? 4 : 8;
  h.stored_type = h.type = static_cast<uint8_t>(f.take(4));
  node.mode = static_cast<uint32_t>(f.take(12));
  h.user = static_cast<uint32_t>(f.take(width));
  h.group = static_cast<uint32_t>(f.take(width));
  h.group_is_user = h.group == (version == 1 ? 15u : 255u);
  if (version == 1 && h.type == 0) {
    h.type = static_cast<uint8_t>(f.take(4));
    h.user += 16 * static_cast<uint32_t>(f.take(4));
  } else if (version == 1) {
    h.user += 16 * ((h.type - 1u) / 5);
    h.type = static_cast<uint8_t>((h.type - 1) % 5 + 1);
  }
  if (version == 3) {
    node.mtime = f.take32();
    node.number = f.take32();
  }
  return h;
}

void read_directory(Fields& f, const Super& super, bool longer, Inode& node) {
  if (super.major == 3) node.links = f.take32();
  node.size = f.take(longer ? 27 : 19);
  node.at.offset = static_cast<uint32_t>(f.take(13));
  if (super.major < 3) node.mtime = f.take32();
  node.at.block = super.directory_table + f.take(super.major == 3 ? 32 : 24);
}

void read_file(Fields& f, const Super& super, bool longer, Inode& node) {
  if (super.major == 3) node.links = longer ? f.take32() : 1;
  if (super.major < 3) node.mtime = f.take32();
  node.start = f.take(super.major == 3 ? 64 : 32);
  if (super.major > 1) {
    node.fragment = f.take32();
    node.fragment_offset = f.take32();
  }
  node.size = f.take(longer ? 64 : 32);
}

}  // namespace

Result<Inode> read_inode_v123(Image& image, Position at) {
  const Super& super = image.super();
  const Position start = at;
  std::array<std::byte, kLongest> raw{};
  TRY_VOID(image.read(at, std::span(raw).first(1)));
  const auto stored = static_cast<uint8_t>(Fields(raw, super.order).take(4));
  const uint32_t size = super.major == 1 && stored > 0 ? kSizes[1][(stored - 1) % 5 + 1]
                        : stored < 10                  ? kSizes[super.major][stored]
                                                       : 0;
  if (size == 0) return fail(Fault::kMalformed, "inode type " + std::to_string(stored), start.block);
  TRY_VOID(image.read(at, std::span(raw).subspan(1, size - 1)));
  Fields f(raw, super.order);
  Inode node;
  const Head head = read_head(f, super.major, node);
  if (head.stored_type == 0 && head.type != kPipe && head.type != kSocket)
    return fail(Fault::kMalformed, "pipe or socket of type " + std::to_string(head.type), start.block);
  node.kind = kind_of(head.type);
  node.uid = TRY(image.id(head.user, false));
  node.gid = head.group_is_user ? node.uid : TRY(image.id(head.group, true));
  switch (node.kind) {
    case Kind::kDirectory:
      read_directory(f, super, head.type == kLongDirectory, node);
      return node;
    case Kind::kFile:
      read_file(f, super, head.type == kLongFile, node);
      node.at = at;
      return node;
    default:
      break;
  }
  if (super.major == 3) node.links = f.take32();
  if (node.kind == Kind::kSymlink) {
    node.size = f.take(16);
    node.target = TRY(image.text(at, node.size));
  } else if (node.kind == Kind::kBlockDevice || node.kind == Kind::kCharDevice) {
    const uint64_t device = f.take(16);
    node.device = (device >> 8) << 32 | (device & 0xff);
  }
  return node;
}

}  // namespace assay::unpack::squashfs
