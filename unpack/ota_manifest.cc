#include "unpack/ota_manifest.h"

#include "unpack/protobuf.h"

#include <iterator>

namespace assay::unpack {
namespace {

constexpr std::string_view kTypes[] = {"REPLACE",        "REPLACE_BZ",       "MOVE",          "BSDIFF",
                                       "SOURCE_COPY",    "SOURCE_BSDIFF",    "ZERO",          "DISCARD",
                                       "REPLACE_XZ",     "PUFFDIFF",         "BROTLI_BSDIFF", "ZUCCHINI",
                                       "LZ4DIFF_BSDIFF", "LZ4DIFF_PUFFDIFF", "REPLACE_ZSTD"};

constexpr uint64_t kMostOperations = 4'000'000, kMostOtaBlock = 1 << 20;

Result<OtaExtent> read_extent(Bytes message) {
  OtaExtent e;
  TRY_VOID(each_field(message, [&](const WireField& f) -> Result<void> {
    if (f.number == 1) e.block = f.value;
    if (f.number == 2) e.blocks = f.value;
    return {};
  }));
  // 2^40 blocks of at most 2^20 bytes: every sum of what follows stays below 2^64.
  if (e.block >= uint64_t{1} << 40 || e.blocks >= uint64_t{1} << 40)
    return fail(Fault::kMalformed, "extent of " + std::to_string(e.blocks) + " blocks at " + std::to_string(e.block),
                message.base());
  return e;
}

Result<OtaOperation> read_operation(Bytes message) {
  OtaOperation op;
  TRY_VOID(each_field(message, [&](const WireField& f) -> Result<void> {
    if (f.number == 1) op.type = static_cast<uint32_t>(f.value);
    if (f.number == 2) op.offset = f.value;
    if (f.number == 3) op.length = f.value;
    if (f.number == 6) op.extents.push_back(TRY(read_extent(f.bytes)));
    if (f.number == 8) op.sha256 = f.bytes;
    return {};
  }));
  return op;
}

Result<void> read_info(Bytes message, OtaPartition& p) {
  return each_field(message, [&](const WireField& f) -> Result<void> {
    if (f.number == 1) p.size = f.value;
    if (f.number == 2) p.sha256 = f.bytes;
    return {};
  });
}

Result<OtaPartition> read_partition(Bytes message, uint64_t& operations) {
  OtaPartition p;
  p.at = message.base();
  TRY_VOID(each_field(message, [&](const WireField& f) -> Result<void> {
    if (f.number == 1) p.name = f.bytes.text();
    if (f.number == 6) p.has_old = true;
    if (f.number == 7) return read_info(f.bytes, p);
    if (f.number == 11 || f.number == 15) p.device_fills = true;
    if (f.number != 8) return {};
    if (++operations > kMostOperations) return fail(Fault::kLimit, "more than 4000000 operations", f.bytes.base());
    p.operations.push_back(TRY(read_operation(f.bytes)));
    return {};
  }));
  return p;
}

}  // namespace

Result<OtaManifest> read_ota_manifest(Bytes manifest) {
  OtaManifest m;
  uint64_t operations = 0;
  TRY_VOID(each_field(manifest, [&](const WireField& f) -> Result<void> {
    if (f.number == 3) m.block = f.value;
    if (f.number == 4) m.signatures_offset = f.value;
    if (f.number == 5) m.signatures_size = f.value;
    if (f.number == 12) m.minor = static_cast<uint32_t>(f.value);
    if (f.number == 13) m.partitions.push_back(TRY(read_partition(f.bytes, operations)));
    if (f.number == 14) m.newest = f.value;
    if (f.number == 18) m.patch_level = f.bytes.text();
    return {};
  }));
  if (m.block < 512 || m.block > kMostOtaBlock)
    return fail(Fault::kMalformed, "block size " + std::to_string(m.block), manifest.base());
  return m;
}

std::string ota_type_name(uint32_t type) {
  return type < std::size(kTypes) ? std::string(kTypes[type]) : "type " + std::to_string(type);
}

bool needs_older_image(const OtaOperation& op) {
  return op.type != kReplace && op.type != kReplaceBz && op.type != kReplaceXz && op.type != kReplaceZstd &&
         op.type != kZero && op.type != kDiscard;
}

}  // namespace assay::unpack
