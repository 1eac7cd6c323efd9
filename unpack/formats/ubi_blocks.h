// The physical erase blocks of a UBI image and the volumes that they add up to.
#pragma once
#include "unpack/format.h"

#include <map>

namespace assay::unpack {

constexpr uint32_t kUbiLayoutVolume = 0x7fffefff;  // holds the table of volumes; higher numbers are internal too
constexpr uint64_t kUbiHeaderSize = 64;

struct UbiGeometry {
  uint64_t block = 0;  // size of a physical erase block
  uint64_t count = 0;  // blocks, the last one perhaps cut short
  uint64_t length = 0;
  uint32_t headers_at = 0, data_at = 0;  // of the volume header and of the data in each block
  uint32_t image_sequence = 0;
};

struct UbiBlock {  // a physical block that holds a logical one
  uint64_t at = 0;
  uint64_t sequence = 0;
  uint32_t volume = 0, logical = 0, data_size = 0, used_blocks = 0, data_pad = 0, data_crc = 0;
  bool fixed = false;   // of a static volume: data_size and data_crc are set
  bool copied = false;  // moved by wear levelling: they are set too
};

Result<UbiGeometry> read_ubi_geometry(Bytes from);

// The volume header of the block at `at`; none: the block is erased behind its first header, or holds no volume's data.
Result<std::optional<UbiBlock>> read_ubi_block(Bytes whole, const UbiGeometry& geometry, uint64_t at);

// Its data without what alignment leaves unused.
Bytes ubi_data(Bytes whole, const UbiGeometry& geometry, const UbiBlock& block);
bool ubi_data_holds(Bytes whole, const UbiGeometry& geometry, const UbiBlock& block);

struct UbiVolume {  // a record of the volume table
  uint32_t reserved = 0, alignment = 0, data_pad = 0;
  bool fixed = false, update_marker = false;
  uint8_t flags = 0;
  std::string name;
};
// Records by volume number; fails when one of them does not match its checksum.
Result<std::map<uint32_t, UbiVolume>> read_ubi_table(Bytes table);

}  // namespace assay::unpack
