// Partclone: of a file system's blocks those in use, behind a bitmap that says which. In the byte order of its maker.
//
//   0    "partclone-image\0"  16 program's version (14)  30 "0002"  34 0xc0de
//   36   file system (16)  52 bytes of the device  60 blocks  68 used (by the superblock's count at 84: the same by the
//   map)
//        84 bytes of a block (32 bits)
//   88   size of this piece (32 bits)  92 version (16)  94 bits of the CPU  96 checksum: 0 none, 32 CRC-32  98 its
//   bytes
//        100 blocks for one (32 bits)  104 it begins afresh each time  105 bitmap: 0 none, 1 a bit, 8 a byte
//   106  CRC-32 of what stands before
//   110  bitmap, CRC-32 of it; the blocks, with a checksum after so many and after the last
//   CRC-32 without the inversion at its end.
//
// Source: partclone's IMAGE_FORMATS.md.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/formats/virtual_disk.h"

namespace assay::unpack::partclone {
namespace {

constexpr Magic kMagics[] = {{std::string_view("partclone-image\0", 16)}};
constexpr uint64_t kHead = 110, kMostBlock = 16 << 20;

struct Head {
  std::string system, program;
  uint64_t device = 0, blocks = 0, block = 0, check = 0, every = 0, bitmap = 0, used = 0, end = 0;
  bool afresh = false;
  bool is_used(Bytes whole, uint64_t n) const { return bitmap == 0 || whole[kHead + n / 8] >> n % 8 & 1; }
  uint64_t data() const { return kHead + bitmap + 4; }
};

uint64_t bits_of(Bytes b) {
  uint64_t bits = 0;
  for (uint64_t n = 0; n < b.size(); ++n) bits += static_cast<uint64_t>(std::popcount(b[n]));
  return bits;
}

Result<Head> read_head(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes)) return fail(Fault::kForeign, "magic", whole.base());
  const Bytes b = TRY(whole.slice(0, kHead, "header"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  if (!b.starts_with("0002", 30))
    return fail(Fault::kUnsupported, "version " + escape(b.head(4, 30).text()), b.base() + 30);
  if (*b.le<uint16_t>(34, "") != 0xc0de) return fail(Fault::kUnsupported, "byte order", b.base() + 34);
  Head h{.system = *b.text_field(36, 16, ""),
         .program = *b.text_field(16, 14, ""),
         .device = *b.le<uint64_t>(52, ""),
         .blocks = *b.le<uint64_t>(60, ""),
         .block = *b.le<uint32_t>(84, ""),
         .check = *b.le<uint16_t>(98, ""),
         .every = *b.le<uint32_t>(100, ""),
         .afresh = b[104] != 0};
  if (!checksum_holds(crc32_raw(b.head(106)), *b.le<uint32_t>(106, ""))) return bad("checksum of the header", 106);
  if (h.block < 512 || h.block > kMostBlock) return bad("block of " + std::to_string(h.block) + " bytes", 84);
  if (h.blocks == 0 || h.blocks > h.device / h.block + 1) return bad("blocks " + std::to_string(h.blocks), 60);
  const uint64_t kind = *b.le<uint16_t>(96, "");
  if ((kind != 0 && kind != 32) || h.check != (kind == 32 ? 4u : 0u)) return bad("kind of checksum", 96);
  if (kind == 32 && h.every == 0) return bad("blocks for one checksum", 100);
  if (b[105] > 1) return fail(Fault::kUnsupported, "bitmap of kind " + std::to_string(b[105]), b.base() + 105);
  if (b[105] == 1) h.bitmap = (h.blocks + 7) / 8;
  const Bytes map = TRY(whole.slice(kHead, h.bitmap, "bitmap"));
  h.used = h.bitmap ? bits_of(map) : h.blocks;
  if (h.used > whole.size() / h.block)
    return fail(Fault::kTruncated, std::to_string(h.used) + " blocks", b.base() + kHead);
  const uint64_t checks = h.check ? (h.used + h.every - 1) / h.every : 0;
  h.end = h.data() + h.used * h.block + checks * h.check;
  if (h.end > whole.size()) return fail(Fault::kTruncated, std::to_string(h.used) + " blocks", b.base() + kHead);
  return h;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_head(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Head h = TRY(read_head(whole));
  into.range(Range::kHeader, 0, h.data());
  into.note("file system", escape(h.system), 36);
  into.note("made by", "partclone " + escape(h.program), 16);
  into.integrity(checksum("header", "crc32", true, 106));  // else it is none
  const Bytes map = whole.head(h.bitmap, kHead);
  into.integrity(checksum("bitmap", "crc32", checksum_holds(crc32_raw(map), *whole.le<uint32_t>(kHead + h.bitmap, "")),
                          kHead + h.bitmap));
  VirtualDisk disk(into, h.device, "partclone");
  uint64_t at = h.data(), since = 0, left = h.used, wrong = 0, checks = 0;
  uint32_t sum = ~0u;
  for (uint64_t n = 0; n < h.blocks && !disk.complete(); ++n) {
    TRY_VOID(into.step(1));
    if (!h.is_used(whole, n)) {
      TRY_VOID(disk.hole(h.block));
      continue;
    }
    const Bytes block = TRY(whole.slice(at, h.block, "block"));
    TRY_VOID(disk.stored(block, h.block));
    at += h.block;
    --left;
    if (h.check == 0) continue;
    sum = crc32_raw(block, sum);
    if (++since < h.every && left > 0) continue;
    wrong += !checksum_holds(sum, *whole.le<uint32_t>(at, ""));
    ++checks;
    into.range(Range::kHeader, at, h.check);
    at += h.check;
    since = 0;
    if (h.afresh) sum = ~0u;
  }
  if (checks) {
    Integrity i = checksum(std::to_string(checks) + " runs of blocks", "crc32", wrong == 0, h.data());
    if (wrong) i.detail = std::to_string(wrong) + " do not match";
    into.integrity(std::move(i));
  }
  return disk.finish();
}

}  // namespace

extern const Format kPartclone;
const Format kPartclone = {.id = "partclone",
                           .title = "Partclone image",
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .reads = "version 2 with bitmap or without",
                           .limits = "version 1; images of big-endian machines",
                           .source = "partclone's IMAGE_FORMATS.md",
                           .checked = "foreign tool: partclone.ext4"};

}  // namespace assay::unpack::partclone
