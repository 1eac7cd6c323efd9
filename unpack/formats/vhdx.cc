// VHDX, the disk of later Hyper-V machines. Little-endian; structures at multiples of 64 KiB, the rest of MiB.
//
//   0       "vhdxfile", who wrote it (UTF-16)
//   64 KiB, 128 KiB   header: 0 "head"  4 crc32c  8 sequence number (64 bits)  48 GUID of the log, 0: nothing to replay
//                     66 version (16 bits): 1  68 size of the log  72 where it is (64 bits); the higher number is valid
//   192 KiB, 256 KiB  regions: 0 "regi"  4 crc32c  8 entries  then of 32: GUID, place (64 bits), length, required
//   metadata region   0 "metadata"  10 entries (16 bits)  32: of 32: GUID, place in the region, length, flags
//   table of blocks   bits 0-2 state: 2 zeros, 6 there, 7 partly (of a differencing disk); bits 20-63 place in MiB
//                     after as many blocks as a bitmap of 1 MiB covers (in sectors) stands an entry for that bitmap
//
// Source: Microsoft [MS-VHDX].
#include "core/hash.h"
#include "unpack/formats/virtual_disk.h"

#include <optional>

namespace assay::unpack::vhdx {
namespace {

constexpr uint64_t kStep = 64 << 10, kMegabyte = 1 << 20;
constexpr Magic kMagics[] = {{"vhdxfile"}};
// GUIDs as they are stored: the first three pieces little-endian.
constexpr std::string_view kBat = {"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08", 16};
constexpr std::string_view kMetadata = {"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e", 16};
constexpr std::string_view kParameters = {"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b", 16};
constexpr std::string_view kDiskSize = {"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8", 16};
constexpr std::string_view kSectorSize = {"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f", 16};

constexpr uint8_t kPresent = 6;  // from this state on a block has bytes

struct Region {
  uint64_t at = 0, size = 0;
};

struct Image {
  Region log, bat, metadata;
  bool dirty = false, differencing = false;
  uint64_t block = 0, size = 0, sector = 0, ratio = 0;  // ratio: blocks that one bitmap covers
  uint64_t blocks() const { return (size + block - 1) / block; }
  uint64_t entries() const { return blocks() + (blocks() - 1) / ratio; }
};

// Over `b` with its four bytes of checksum, which stand at 4, taken as zeros.
bool sums_up(Bytes b) {
  const std::byte zeros[4] = {};
  const uint32_t head = crc32c(Bytes(std::span(zeros)), crc32c(b.head(4)));
  return checksum_holds(~crc32c(b.head(b.size(), 8), head), *b.le<uint32_t>(4, ""));
}

Result<void> read_header(Bytes whole, Image& image) {
  std::optional<uint64_t> newest;
  Bytes valid;
  for (const uint64_t at : {kStep, 2 * kStep}) {
    const Bytes b = TRY(whole.slice(at, 4096, "header"));
    const uint64_t number = *b.le<uint64_t>(8, "");
    if (!b.starts_with("head") || !sums_up(b) || (newest && number <= *newest)) continue;
    newest = number;
    valid = b;
  }
  if (!newest) return fail(Fault::kMalformed, "no header's checksum matches", whole.base() + kStep);
  if (*valid.le<uint16_t>(66, "") != 1) return fail(Fault::kUnsupported, "version", valid.base() + 66);
  image.dirty = !(is_run(valid.head(16, 48)) && valid[48] == 0);
  image.log = {*valid.le<uint64_t>(72, ""), *valid.le<uint32_t>(68, "")};
  return {};
}

Result<void> read_regions(Bytes whole, Image& image) {
  for (const uint64_t at : {3 * kStep, 4 * kStep}) {
    const Bytes b = TRY(whole.slice(at, kStep, "region table"));
    const uint32_t entries = *b.le<uint32_t>(8, "");
    if (!b.starts_with("regi") || entries > 2047 || !sums_up(b)) continue;
    for (uint64_t i = 0; i < entries; ++i) {
      const Bytes e = b.head(32, 16 + i * 32);
      const Region region{*e.le<uint64_t>(16, ""), *e.le<uint32_t>(24, "")};
      if (e.starts_with(kBat))
        image.bat = region;
      else if (e.starts_with(kMetadata))
        image.metadata = region;
      else if (*e.le<uint32_t>(28, "") & 1)
        return fail(Fault::kUnsupported, "required region", e.base());
    }
    if (image.bat.size == 0 || image.metadata.size == 0)
      return fail(Fault::kMalformed, "no region of blocks or of metadata", b.base());
    return {};
  }
  return fail(Fault::kMalformed, "no region table's checksum matches", whole.base() + 3 * kStep);
}

Result<void> read_metadata(Bytes whole, Image& image) {
  const Bytes b = TRY(whole.slice(image.metadata.at, image.metadata.size, "metadata region"));
  const uint16_t entries = TRY(b.le<uint16_t>(10, "metadata entries"));
  if (!b.starts_with("metadata") || entries > 2047) return fail(Fault::kMalformed, "metadata table", b.base());
  TRY(b.slice(32, entries * uint64_t{32}, "metadata table"));
  for (uint64_t i = 0; i < entries; ++i) {
    const Bytes e = b.head(32, 32 + i * 32);
    const uint32_t at = *e.le<uint32_t>(16, "");
    if (e.starts_with(kParameters)) {
      image.block = TRY(b.le<uint32_t>(at, "block size"));
      image.differencing = TRY(b.le<uint32_t>(at + uint64_t{4}, "file parameters")) & 2;
    }
    if (e.starts_with(kDiskSize)) image.size = TRY(b.le<uint64_t>(at, "virtual disk size"));
    if (e.starts_with(kSectorSize)) image.sector = TRY(b.le<uint32_t>(at, "logical sector size"));
  }
  if (image.sector != 512 && image.sector != 4096)
    return fail(Fault::kMalformed, "logical sector size " + std::to_string(image.sector), b.base());
  if (image.block < kMegabyte || image.block > (256u << 20) || image.block & (image.block - 1))
    return fail(Fault::kMalformed, "block size " + std::to_string(image.block), b.base());
  if (image.size == 0 || image.size > (uint64_t{64} << 40))
    return fail(Fault::kMalformed, "virtual disk size " + std::to_string(image.size), b.base());
  image.ratio = (uint64_t{1} << 23) * image.sector / image.block;
  return {};
}

Result<Image> read_image(Bytes whole) {
  Image image;
  if (!whole.starts_with("vhdxfile")) return fail(Fault::kForeign, "magic", whole.base());
  TRY_VOID(read_header(whole, image));
  TRY_VOID(read_regions(whole, image));
  TRY_VOID(read_metadata(whole, image));
  if (image.entries() > image.bat.size / 8)
    return fail(Fault::kMalformed, "table of blocks is too short for " + std::to_string(image.blocks()) + " blocks",
                whole.base() + image.bat.at);
  TRY(whole.slice(image.bat.at, image.bat.size, "table of blocks"));
  return image;
}

struct Block {
  uint8_t state = 0;
  uint64_t at = 0;
};
Block block_at(Bytes whole, const Image& image, uint64_t number) {
  const uint64_t entry = *whole.le<uint64_t>(image.bat.at + (number + number / image.ratio) * 8, "");
  return {static_cast<uint8_t>(entry & 7), entry >> 20 << 20};
}

Result<Measured> measure(Bytes from) {
  const Image image = TRY(read_image(from));
  uint64_t end = std::max({5 * kStep, image.log.at + image.log.size, image.bat.at + image.bat.size,
                           image.metadata.at + image.metadata.size});
  for (uint64_t i = 0; i < image.blocks(); ++i)
    if (const Block b = block_at(from, image, i); b.state >= kPresent) end = std::max(end, b.at + image.block);
  if (end > from.size())
    return fail(Fault::kTruncated, "blocks end at " + std::to_string(end) + " of " + std::to_string(from.size()),
                from.base());
  return Measured{end, true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  const auto claim = [&](uint64_t at, uint64_t length) {
    if (whole.slice(at, length, "")) into.range(Range::kHeader, at, length);
  };
  claim(0, kStep);
  for (const uint64_t at : {kStep, 2 * kStep}) claim(at, 4096);
  for (const uint64_t at : {3 * kStep, 4 * kStep}) claim(at, kStep);
  for (const Region& r : {image.log, image.bat, image.metadata}) claim(r.at, r.size);
  into.note("disk size", std::to_string(image.size), image.metadata.at);
  if (image.dirty)
    into.problem({Fault::kUnsupported, "the log is not replayed: blocks may be older than it says", image.log.at});
  VirtualDisk disk(into, image.size, "vhdx");
  for (uint64_t i = 0; i < image.blocks(); ++i) {
    TRY_VOID(into.step(1));
    const Block b = block_at(whole, image, i);
    if (b.state < kPresent) {
      TRY_VOID(disk.hole(image.block));
    } else if (const auto bytes = whole.slice(b.at, std::min(image.block, disk.left()), "block"); bytes) {
      TRY_VOID(disk.stored(*bytes, image.block));
    } else {
      TRY_VOID(disk.lost(bytes.error(), image.block));
    }
  }
  if (image.differencing)
    into.problem({Fault::kUnsupported, "differences to another disk, which is not followed", image.metadata.at});
  return disk.finish();
}

}  // namespace

extern const Format kVhdx;
const Format kVhdx = {.id = "vhdx",
                      .title = "Microsoft VHDX disk image",
                      .version = 1,
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "fixed and dynamic disks",
                      .limits = "the log is not replayed; parents of differencing disks are not followed",
                      .source = "Microsoft [MS-VHDX]",
                      .checked = "foreign tool: qemu-img"};

}  // namespace assay::unpack::vhdx
