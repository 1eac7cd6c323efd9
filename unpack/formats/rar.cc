// RAR archives of versions 1.5 to 4, and of version 5.
//
//   RAR:  0  "Rar!\x1a\x07\0"
//         7  blocks: low half of the CRC-32 of what follows in the header (2), type (1), flags (2), header size (2),
//            and with flag 0x8000, or in files (type 0x74) and services (0x7a), the size of the data behind it (4; its
//            upper half at 32 with flag 0x100). 0x73 is the archive's header (flag 0x80: all headers are encrypted),
//            0x7b its end. A file with flag 4 is encrypted.
//   RAR5: 0  "Rar!\x1a\x07\x01\0"
//         8  blocks: CRC-32 (4) of size, type, …; numbers of 7 bits a byte: header size, type, flags, with flag 1 the
//            size of the extra area, with flag 2 that of the data behind the header. 1 archive, 2 file, 3 service,
//            4 all that follows is encrypted, 5 end.
//
// Source: RAR technote.txt (4) and rarlab's "RAR 5.0 archive format". Members are decoded by libarchive.
#include "unpack/libarchive.h"
#include "unpack/vendor.h"

#include <archive.h>

namespace assay::unpack::rar {
namespace {

constexpr std::string_view kStart4("Rar!\x1a\x07\0", 7), kStart5("Rar!\x1a\x07\x01\0", 8);
constexpr Magic kMagics4[] = {{kStart4}}, kMagics5[] = {{kStart5}};

struct Walked {
  uint64_t end = 0;
  uint64_t blocks = 0;
  uint64_t encrypted_from = 0;  // where encrypted headers begin; 0: they are not
  bool ended = false;           // its end block was seen
  std::vector<Bytes> files;     // the data of each
};

struct Block {
  uint64_t type = 0, flags = 0, header = 0, data = 0;
};

Result<Block> read_block4(Bytes b, uint64_t at) {
  Block block;
  const auto crc = TRY(b.le<uint16_t>(at, "header crc"));
  block.type = TRY(b.le<uint8_t>(at + 2, "type"));
  block.flags = TRY(b.le<uint16_t>(at + 3, "flags"));
  block.header = TRY(b.le<uint16_t>(at + 5, "header size"));
  if (block.type < 0x72 || block.type > 0x7b || block.header < 7)
    return fail(Fault::kMalformed, "block of type " + std::to_string(block.type), b.base() + at);
  const bool sized = (block.flags & 0x8000) || block.type == 0x74 || block.type == 0x7a;
  if (sized) block.data = TRY(b.le<uint32_t>(at + 7, "data size"));
  if ((block.type == 0x74 || block.type == 0x7a) && (block.flags & 0x100))
    block.data |= static_cast<uint64_t>(TRY(b.le<uint32_t>(at + 32, "data size"))) << 32;
  const Bytes covered = TRY(b.slice(at + 2, block.header - 2, "header"));
  if (!checksum_holds(static_cast<uint16_t>(crc32(covered)), crc))
    return fail(Fault::kMalformed, "header crc does not match", b.base() + at);
  TRY(b.slice(at + block.header, block.data, "data"));
  return block;
}

Result<uint64_t> number5(Bytes b, uint64_t& at) {
  uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    const auto byte = TRY(b.le<uint8_t>(at++, "number"));
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  return fail(Fault::kMalformed, "number is too long", b.base() + at);
}

Result<Block> read_block5(Bytes b, uint64_t start) {
  Block block;
  const auto crc = TRY(b.le<uint32_t>(start, "header crc"));
  uint64_t at = start + 4;
  const uint64_t size = TRY(number5(b, at));
  if (size == 0 || size > (2 << 20)) return fail(Fault::kMalformed, "header size", b.base() + start + 4);
  block.header = at + size - start;
  if (!checksum_holds(crc32(TRY(b.slice(start + 4, block.header - 4, "header"))), crc))
    return fail(Fault::kMalformed, "header crc does not match", b.base() + start);
  block.type = TRY(number5(b, at));
  block.flags = TRY(number5(b, at));
  if (block.flags & 1) TRY(number5(b, at));
  if (block.flags & 2) block.data = TRY(number5(b, at));
  if (block.type == 0 || block.type > 5) return fail(Fault::kMalformed, "block type", b.base() + start);
  TRY(b.slice(start + block.header, block.data, "data"));
  return block;
}

struct Version {
  std::string_view start;
  Result<Block> (*read)(Bytes, uint64_t);
  uint64_t archive, file, end;
  bool (*hides_rest)(const Block&);
};
constexpr Version kFour = {kStart4, read_block4, 0x73,
                           0x74,    0x7b,        [](const Block& b) { return b.type == 0x73 && (b.flags & 0x80); }};
constexpr Version kFive = {kStart5, read_block5, 1, 2, 5, [](const Block& b) { return b.type == 4; }};

Result<Walked> walk(Bytes b, const Version& version) {
  if (!b.starts_with(version.start)) return fail(Fault::kMalformed, "magic does not match", b.base());
  Walked w{.end = version.start.size()};
  while (!w.ended && w.end < b.size()) {
    const auto block = version.read(b, w.end);
    if (!block && w.blocks == 0) return std::unexpected(block.error());
    if (!block) break;
    if (block->type == version.file && block->data > 0) w.files.push_back(b.head(block->data, w.end + block->header));
    w.end += block->header + block->data;
    w.ended = block->type == version.end;
    ++w.blocks;
    if (!version.hides_rest(*block)) continue;
    w.encrypted_from = w.end;
    w.end = b.size();  // nothing tells where the encrypted blocks end
    break;
  }
  if (w.blocks == 0) return fail(Fault::kTruncated, "no block", b.base() + w.end);
  return w;
}

Result<void> put(Bytes whole, const Version& version, const ArchiveReader& reader, Sink& into) {
  const Walked w = TRY(walk(whole, version));
  if (w.encrypted_from > 0) {
    into.range(Range::kHeader, 0, w.encrypted_from);
    leave_encrypted(whole.head(whole.size(), w.encrypted_from), "names and data are encrypted, not examinable", into);
    return {};
  }
  ArchiveReader with_places = reader;
  with_places.members = w.files;
  uint64_t at = 0;
  for (const Bytes& file : w.files) {
    into.range(Range::kHeader, at, file.base() - whole.base() - at);
    at = file.base() - whole.base() + file.size();
  }
  into.range(Range::kHeader, at, w.end - at);
  if (!w.ended) into.problem({Fault::kTruncated, "the archive has no end block", w.end});
  TRY(read_archive(whole, with_places, into));
  return {};
}

Result<Measured> measured(Bytes from, const Version& version) {
  const Walked w = TRY(walk(from, version));
  return Measured{w.end, w.encrypted_from == 0};
}

Result<Measured> measure4(Bytes from) { return measured(from, kFour); }
Result<Measured> measure5(Bytes from) { return measured(from, kFive); }
Result<void> unpack4(Bytes whole, Sink& into) {
  return put(whole, kFour, {.enable = archive_read_support_format_rar, .id = "rar"}, into);
}
Result<void> unpack5(Bytes whole, Sink& into) {
  return put(whole, kFive, {.enable = archive_read_support_format_rar5, .id = "rar5"}, into);
}

}  // namespace

extern const Format kRar;
const Format kRar = {
    .id = "rar",
    .title = "RAR archive (1.5 to 4)",
    .magics = kMagics4,
    .measure = measure4,
    .unpack = unpack4,
    .reads = "stored members, and LZ and PPMd of RAR 2.9 and later as libarchive decodes them",
    .limits = "encrypted members and headers are named, not opened; several volumes; the virtual machine's own filters",
    .source = "RAR technote.txt; libarchive",
    .checked = "own builder only, for stored members: no free tool writes RAR"};

extern const Format kRar5;
const Format kRar5 = {.id = "rar5",
                      .title = "RAR archive (5)",
                      .magics = kMagics5,
                      .measure = measure5,
                      .unpack = unpack5,
                      .reads = "all methods that libarchive decodes",
                      .limits = "encrypted members and headers are named, not opened; several volumes",
                      .source = "rarlab, RAR 5.0 archive format; libarchive",
                      .checked = "own builder only, for stored members: no free tool writes RAR"};

}  // namespace assay::unpack::rar
