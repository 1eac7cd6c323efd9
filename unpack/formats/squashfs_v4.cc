// Inodes of SquashFS 4.0, and directory listings of all versions.
//
// Inode: type, mode, user index, group index (16 bits each), time, number (32), then by type. Types 1 to 7 are
// directory, file, link, block and character device, pipe, socket; 8 to 14 the same with more fields. A listing is a
// sequence of runs: a header (count - 1, block of the inodes, base number) and its entries. Source: Linux,
// Documentation/filesystems/squashfs.rst, fs/squashfs/squashfs_fs.h.
#include "unpack/formats/squashfs.h"

#include <array>

namespace assay::unpack::squashfs {
namespace {

constexpr uint32_t kLongestTarget = 65535;

uint64_t device_number(uint32_t stored) {
  const uint64_t major = stored >> 8 & 0xfff, minor = (stored & 0xff) | (stored >> 12 & 0xfff00);
  return major << 32 | minor;
}

Result<void> read_directory(Image& image, Position& at, bool extended, Inode& node) {
  const Order order = image.super().order;
  uint64_t start = 0;
  if (!extended) {
    const auto raw = TRY(image.take<16>(at));
    Fields f(raw, order);
    start = f.take(32);
    node.links = f.take32();
    node.size = f.take(16);
    node.at.offset = static_cast<uint32_t>(f.take(16));
  } else {
    const auto raw = TRY(image.take<24>(at));
    Fields f(raw, order);
    node.links = f.take32();
    node.size = f.take(32);
    start = f.take(32);
    f.take(32 + 16);  // parent, index entries
    node.at.offset = static_cast<uint32_t>(f.take(16));
    node.xattrs = f.take32();
  }
  node.at.block = image.super().directory_table + start;
  return {};
}

Result<void> read_file(Image& image, Position& at, bool extended, Inode& node) {
  const Order order = image.super().order;
  if (!extended) {
    const auto raw = TRY(image.take<16>(at));
    Fields f(raw, order);
    node.start = f.take(32);
    node.fragment = f.take32();
    node.fragment_offset = f.take32();
    node.size = f.take(32);
    node.links = 1;
  } else {
    const auto raw = TRY(image.take<40>(at));
    Fields f(raw, order);
    node.start = f.take(64);
    node.size = f.take(64);
    f.take(64);  // bytes in holes
    node.links = f.take32();
    node.fragment = f.take32();
    node.fragment_offset = f.take32();
    node.xattrs = f.take32();
  }
  node.at = at;
  return {};
}

Result<void> read_link(Image& image, Position& at, bool extended, Inode& node) {
  node.links = static_cast<uint32_t>(TRY(image.number(at, 4)));
  node.size = TRY(image.number(at, 4));
  if (node.size > kLongestTarget)
    return fail(Fault::kMalformed, "link target of " + std::to_string(node.size) + " bytes", at.block);
  node.target = TRY(image.text(at, node.size));
  if (extended) node.xattrs = static_cast<uint32_t>(TRY(image.number(at, 4)));
  return {};
}

Result<void> read_special(Image& image, Position& at, bool device, bool extended, Inode& node) {
  node.links = static_cast<uint32_t>(TRY(image.number(at, 4)));
  if (device) node.device = device_number(static_cast<uint32_t>(TRY(image.number(at, 4))));
  if (extended) node.xattrs = static_cast<uint32_t>(TRY(image.number(at, 4)));
  return {};
}

}  // namespace

Result<Inode> read_inode_v4(Image& image, Position at) {
  constexpr Kind kKinds[] = {Kind::kDirectory,  Kind::kFile, Kind::kSymlink, Kind::kBlockDevice,
                             Kind::kCharDevice, Kind::kFifo, Kind::kSocket};
  const Position start = at;
  const auto raw = TRY(image.take<16>(at));
  Fields f(raw, image.super().order);
  const uint64_t type = f.take(16);
  if (type < 1 || type > 14) return fail(Fault::kMalformed, "inode type " + std::to_string(type), start.block);
  const bool extended = type > 7;
  Inode node;
  node.kind = kKinds[(type - 1) % 7];
  node.mode = static_cast<uint32_t>(f.take(16) & 07777);
  const auto user = static_cast<uint32_t>(f.take(16)), group = static_cast<uint32_t>(f.take(16));
  node.mtime = f.take32();
  node.number = f.take32();
  node.uid = TRY(image.id(user, false));
  node.gid = TRY(image.id(group, true));
  switch (node.kind) {
    case Kind::kDirectory:
      TRY_VOID(read_directory(image, at, extended, node));
      break;
    case Kind::kFile:
      TRY_VOID(read_file(image, at, extended, node));
      break;
    case Kind::kSymlink:
      TRY_VOID(read_link(image, at, extended, node));
      break;
    default:
      TRY_VOID(read_special(image, at, node.device.has_value() || type % 7 == 4 || type % 7 == 5, extended, node));
  }
  return node;
}

Listing Image::list(const Inode& directory) const {
  // From version 3 on, the size counts three bytes for "." and "..", which are not stored.
  const uint64_t uncounted = super_.major >= 3 ? 3 : 0;
  return {.at = directory.at, .left = directory.size > uncounted ? directory.size - uncounted : 0};
}

Result<DirectoryEntry> Image::next(Listing& listing) {
  // Sizes in bytes of header and entry, by version.
  constexpr uint32_t kHeader[] = {0, 4, 4, 9, 12}, kEntry[] = {0, 3, 3, 5, 8};
  const uint16_t version = super_.major;
  const Position start = listing.at;
  const auto spend = [&](uint64_t bytes) -> Result<void> {
    if (bytes > listing.left) return fail(Fault::kMalformed, "directory ends inside an entry", start.block);
    listing.left -= bytes;
    return charge(1);
  };
  if (listing.run == 0) {
    std::array<std::byte, 12> raw{};
    TRY_VOID(spend(kHeader[version]));
    TRY_VOID(read(listing.at, std::span(raw).first(kHeader[version])));
    Fields f(raw, super_.order);
    listing.run = static_cast<uint32_t>(f.take(version == 4 ? 32 : 8)) + 1;
    listing.block = f.take(version <= 2 ? 24 : 32);
    if (listing.run == 0 || listing.run > 256)
      return fail(Fault::kMalformed, "directory run of " + std::to_string(listing.run) + " entries", start.block);
  }
  std::array<std::byte, 8> raw{};
  TRY_VOID(spend(kEntry[version]));
  TRY_VOID(read(listing.at, std::span(raw).first(kEntry[version])));
  Fields f(raw, super_.order);
  DirectoryEntry entry;
  const uint64_t offset = f.take(version == 4 ? 16 : 13);
  f.take(version == 4 ? 32 : 3);  // number's difference and type
  const uint64_t length = f.take(version == 4 ? 16 : 8) + 1;
  if (length > 256) return fail(Fault::kMalformed, "name of " + std::to_string(length) + " bytes", start.block);
  TRY_VOID(spend(length));
  entry.inode = listing.block << 16 | offset;
  entry.name = TRY(text(listing.at, length));
  --listing.run;
  return entry;
}

}  // namespace assay::unpack::squashfs
