// Microsoft cabinets.
//
//   0   "MSCF", reserved 0 (4), size of the cabinet (4), reserved 0 (4), where the files' table starts (4), reserved 0
//   24  version 3.1 (2), folders (2), files (2), flags (2): 1 previous cabinet, 2 next one, 4 reserved areas; set (2),
//       its number in the set (2)
//   36  with flag 4: sizes of the reserved areas of cabinet (2), folder (1) and data block (1); the cabinet's area
//       with flags 1 and 2: names of the neighbouring cabinet and disk, as text with NUL
//   …   folders: where their data starts (4), blocks (2), compression (2), reserved area
//   …   data blocks: checksum (4), packed size (2), size (2), reserved area, data
//
// Source: Microsoft's [MS-CAB]. Members are decoded by libarchive, which compares the blocks' checksums.
#include "unpack/libarchive.h"

#include <archive.h>

namespace assay::unpack::cab {
namespace {

constexpr Magic kMagics[] = {{std::string_view("MSCF\0\0\0\0", 8)}};
constexpr uint16_t kPrevious = 1, kNext = 2, kReserved = 4;

struct Cabinet {
  uint64_t size = 0;
  uint16_t flags = 0;
  std::vector<Bytes> folders;  // their data blocks
};

Result<uint64_t> after_text(Bytes b, uint64_t at, std::string_view field) {
  const size_t end = TRY(b.from(at, field)).head(256).text().find('\0');
  if (end == std::string_view::npos)
    return fail(Fault::kMalformed, std::string(field) + " does not end", b.base() + at);
  return at + end + 1;
}

// `room`: blocks that the cabinet has bytes for and no folder has taken; folders do not share any.
Result<Bytes> read_folder(Bytes b, uint64_t at, uint8_t block_reserve, uint64_t& room) {
  const uint64_t start = TRY(b.le<uint32_t>(at, "start of a folder"));
  const auto blocks = TRY(b.le<uint16_t>(at + 4, "blocks of a folder"));
  if (blocks > room) return fail(Fault::kMalformed, "more blocks than the cabinet holds", b.base() + at + 4);
  room -= blocks;
  uint64_t end = start;
  for (uint32_t i = 0; i < blocks; ++i) end += 8 + block_reserve + TRY(b.le<uint16_t>(end + 4, "packed size"));
  return b.slice(start, end - start, "data blocks");
}

Result<Cabinet> read_cabinet(Bytes from) {
  Cabinet c;
  c.size = TRY(from.le<uint32_t>(8, "size"));
  const Bytes b = TRY(from.slice(0, c.size, "cabinet"));
  if (TRY(b.le<uint32_t>(12, "reserved")) != 0 || TRY(b.le<uint32_t>(20, "reserved")) != 0)
    return fail(Fault::kMalformed, "reserved field is not 0", b.base() + 12);
  if (TRY(b.le<uint16_t>(24, "version")) != 0x0103) return fail(Fault::kUnsupported, "version", b.base() + 24);
  const auto folders = TRY(b.le<uint16_t>(26, "folders"));
  c.flags = TRY(b.le<uint16_t>(30, "flags"));
  if (folders == 0 || c.flags > 7) return fail(Fault::kMalformed, "no folders, or unknown flags", b.base() + 26);
  uint64_t at = 36;
  uint8_t folder_reserve = 0, block_reserve = 0;
  if (c.flags & kReserved) {
    const uint64_t own = TRY(b.le<uint16_t>(36, "reserved area"));
    folder_reserve = TRY(b.le<uint8_t>(38, "reserved area")), block_reserve = TRY(b.le<uint8_t>(39, "reserved area"));
    at = 40 + own;
  }
  for (int i = 0; i < ((c.flags & kPrevious) ? 2 : 0) + ((c.flags & kNext) ? 2 : 0); ++i)
    at = TRY(after_text(b, at, "name of another cabinet"));
  uint64_t room = c.size / 8;  // a block has 8 bytes at least
  for (uint32_t i = 0; i < folders; ++i, at += 8 + folder_reserve)
    c.folders.push_back(TRY(read_folder(b, at, block_reserve, room)));
  return c;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_cabinet(from)).size, true}; }

Result<void> unpack(Bytes whole, Sink& into) {
  const Cabinet c = TRY(read_cabinet(whole));
  into.range(Range::kHeader, 0, c.folders[0].base() - whole.base());
  if (c.flags & (kPrevious | kNext))
    into.problem({Fault::kUnsupported, "one cabinet of a set; members that lie in several are not read", 30});
  const ArchiveRead read = TRY(read_archive(whole, {.enable = archive_read_support_format_cab, .id = "cab"}, into));
  if (read.ended && read.failed == 0)
    for (const Bytes& folder : c.folders) into.range(Range::kContent, folder.base() - whole.base(), folder.size());
  return {};
}

}  // namespace

extern const Format kCab;
const Format kCab = {.id = "cab",
                     .title = "Microsoft cabinet",
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "stored, MSZIP and LZX folders",
                     .limits =
                         "Quantum compression; members that lie in several cabinets; where one member cannot be "
                         "decoded, all data stays unknown",
                     .source = "[MS-CAB]; libarchive",
                     .checked = "foreign tool: gcab"};

}  // namespace assay::unpack::cab
