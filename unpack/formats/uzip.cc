// UZIP and cloop: a disk in blocks that are compressed one by one behind a shell script that would mount it.
// Big-endian.
//
//   0    "#!/bin/sh\n#"  11 V: zlib, L: xz, Z: zstd  12 version, 2 and later  (script, 128 in all)
//   128  bytes of a block, number of blocks (32 bits), where each begins and the last ends (64 bits each); a block of
//   no
//        bytes: zeros
//
// Source: FreeBSD sys/geom/uzip/g_uzip.c, g_uzip_cloop.h; cloop's cloop.h.
#include "unpack/codecs.h"
#include "unpack/formats/virtual_disk.h"

namespace assay::unpack::uzip {
namespace {

constexpr Magic kMagics[] = {{"#!/bin/sh\n#V"}, {"#!/bin/sh\n#L"}, {"#!/bin/sh\n#Z"}};
constexpr uint64_t kScript = 128, kTable = kScript + 8, kMostBlock = 16 << 20;

struct Head {
  uint64_t block = 0, blocks = 0, end = 0;
  uint64_t table() const { return (blocks + 1) * 8; }
};

Result<Head> read_head(Bytes whole) {
  if (!whole.starts_with(kMagics[0].bytes.substr(0, 11))) return fail(Fault::kForeign, "magic", whole.base());
  const Bytes b = TRY(whole.slice(0, kTable, "header"));
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  if (b[11] != 'V' && b[11] != 'L' && b[11] != 'Z') return bad("compression", 11);
  if (b[12] < '2' || b[12] > '9') return bad("version", 12);
  Head h{.block = *b.be<uint32_t>(kScript, ""), .blocks = *b.be<uint32_t>(kScript + 4, "")};
  if (h.block < 512 || h.block > kMostBlock || h.block % 512)
    return bad("block of " + std::to_string(h.block) + " bytes", kScript);
  if (h.blocks == 0) return bad("no blocks", kScript + 4);
  const Bytes table = TRY(whole.slice(kTable, h.table(), "table of blocks"));
  h.end = kTable + h.table();
  for (uint64_t n = 0; n <= h.blocks; ++n) {
    const uint64_t at = *table.be<uint64_t>(n * 8, "");
    if (at < h.end)
      return bad("block " + std::to_string(n) + " lies before its table or the one before", kTable + n * 8);
    if (n == 0 && at != h.end) return bad("the first block does not follow the table", kTable);
    if (at > whole.size())
      return fail(Fault::kTruncated, "block " + std::to_string(n) + " ends past the end", b.base() + kTable + n * 8);
    h.end = at;
  }
  return h;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_head(from)).end, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Head h = TRY(read_head(whole));
  into.range(Range::kHeader, 0, kTable + h.table());
  const char how = static_cast<char>(whole[11]);
  const auto decode = how == 'V' ? inflate_zlib : how == 'L' ? decode_xz : decode_zstd;
  into.note("block", std::to_string(h.block), kScript);
  VirtualDisk disk(into, h.block * h.blocks, how == 'V' ? "zlib" : how == 'L' ? "xz" : "zstd");
  MemoryOutput out(h.block);
  for (uint64_t n = 0; n < h.blocks; ++n) {
    TRY_VOID(into.step(1));
    const uint64_t at = *whole.be<uint64_t>(kTable + n * 8, ""), end = *whole.be<uint64_t>(kTable + n * 8 + 8, "");
    if (at == end) {
      TRY_VOID(disk.hole(h.block));
      continue;
    }
    out.clear();
    const Bytes packed = TRY(whole.slice(at, end - at, "block"));
    const auto used = decode(packed, out);
    if (!used) {
      TRY_VOID(disk.lost({Fault::kMalformed, "block " + std::to_string(n) + ": " + used.error().what, at}, h.block));
      continue;
    }
    TRY_VOID(disk.decoded(packed, out.bytes().span(), h.block));
  }
  return disk.finish();
}

}  // namespace

extern const Format kUzip;
const Format kUzip = {.id = "uzip",
                      .title = "UZIP or cloop compressed disk",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "zlib, xz and zstd",
                      .limits = "cloop before version 2 and with its table at the end",
                      .source = "FreeBSD sys/geom/uzip/g_uzip.c; cloop's cloop.h",
                      .checked = "own builder only"};

}  // namespace assay::unpack::uzip
