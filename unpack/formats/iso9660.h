// The directory records of ISO 9660 (layout and sources: iso9660.cc).
#pragma once
#include "unpack/format.h"

#include <optional>

namespace assay::unpack {

constexpr uint64_t kIsoSector = 2048, kIsoSystemArea = 16 * kIsoSector;

enum class IsoNames : uint8_t { kPlain, kJoliet, kRockRidge };

struct IsoVolume {
  uint64_t blocks = 0, block = 0, end_of_descriptors = 0;
  uint32_t boot_catalog = 0;
  Bytes primary, joliet;  // descriptors; joliet may be empty
  bool confirmed = false;
};

struct IsoExtent {
  uint64_t first = 0, size = 0;  // in blocks; in bytes
};

struct IsoEntry {
  std::string name, target;
  Kind kind = Kind::kFile;
  std::vector<IsoExtent> extents;
  std::optional<uint32_t> mode, uid, gid, links;
  std::optional<int64_t> mtime;
  std::optional<uint64_t> device;
  uint64_t plain_size = 0;                   // zisofs: what it decodes to; 0: it is none
  bool relocated = false;                    // stands here only to be pointed at from its true place
  std::optional<uint64_t> system_use_block;  // further fields stand there
};

IsoExtent iso_root(Bytes descriptor);
Result<Bytes> iso_bytes(Bytes whole, const IsoVolume& volume, const IsoExtent& extent, std::string_view field);
bool iso_has_rock_ridge(Bytes whole, const IsoVolume& volume, Bytes descriptor);

// Appends the entries of a directory, without "." and "..". An error ends it early.
Result<void> read_iso_directory(Bytes whole, const IsoVolume& volume, Bytes directory, IsoNames names,
                                std::vector<IsoEntry>& entries);

// A zisofs file from its start; how many bytes it takes (zisofs.cc).
Result<uint64_t> decode_zisofs(Bytes from, Output& into);

}  // namespace assay::unpack
