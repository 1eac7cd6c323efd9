// The manifest of an Android or ChromeOS update: which operations make up each partition's new content.
//
//   DeltaArchiveManifest  3 block size (4096)  4, 5 the signatures' offset, size  12 minor version  13 partitions
//                         14 newest timestamp  18 security patch level
//   PartitionUpdate       1 name  6, 7 old and new info (1 size, 2 sha256)  8 operations  11, 15 extents that the
//   device
//                         itself fills: hash tree, error correction
//   InstallOperation      1 type  2, 3 data's offset, length  6 extents it writes (1 first block, 2 blocks)
//                         8 sha256 of the data
//
// Source: AOSP system/update_engine, update_metadata.proto.
#pragma once
#include "core/bytes.h"

#include <vector>

namespace assay::unpack {

enum OtaType : uint32_t { kReplace = 0, kReplaceBz = 1, kZero = 6, kDiscard = 7, kReplaceXz = 8, kReplaceZstd = 14 };

struct OtaExtent {
  uint64_t block = 0, blocks = 0;
};

struct OtaOperation {
  uint32_t type = 0;
  uint64_t offset = 0, length = 0;  // of its data, from where all data start
  std::vector<OtaExtent> extents;
  Bytes sha256;
};

struct OtaPartition {
  std::string name;
  uint64_t at = 0;  // in the file: of its message
  uint64_t size = 0;
  Bytes sha256;
  bool has_old = false, device_fills = false;
  std::vector<OtaOperation> operations;
};

struct OtaManifest {
  uint64_t block = 4096, signatures_offset = 0, signatures_size = 0;
  uint32_t minor = 0;
  uint64_t newest = 0;
  std::string patch_level;
  std::vector<OtaPartition> partitions;
};

Result<OtaManifest> read_ota_manifest(Bytes manifest);
std::string ota_type_name(uint32_t type);        // "SOURCE_BSDIFF"
bool needs_older_image(const OtaOperation& op);  // it changes what the device has

}  // namespace assay::unpack
