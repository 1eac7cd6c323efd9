// CFE, the boot loader of Broadcom's BCM63xx boards, with the block of board data that it keeps in itself. Big-endian.
//
//   0x4e0  "CFE1CFE1"   0x570 "cfe-v" and five bytes of version
//   0x580  board data, 1024 bytes: 0 version  4 boot line (256)  260 board (16)  276 main thread  280 size of the PSI
//          284 MAC addresses  288 the first one (6)  296 crc32 of version 4 and below, over the first 300 bytes
//          592 offsets and 612 sizes (KiB) of NAND partitions (5 each)  1020 crc32 of version 5 and up, over 1024
//
// Both checksums: CRC-32 from ~0 without the final inversion, the checksum itself as 0. CFE fills the first erase
// block(s) of the flash, 64 KiB at least.
// Source: Linux include/linux/bcm963xx_nvram.h, bcm963xx_tag.h, arch/mips/bcm63xx/nvram.c, drivers/mtd/parsers/
// bcm63xxpart.c.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <cstdio>

namespace assay::unpack::cfe {
namespace {

constexpr Magic kMagics[] = {{"CFE1CFE1", 0x4e0}};
constexpr uint64_t kVersion = 0x570, kBoard = 0x580, kBoardSize = 1024, kOldSize = 300, kLength = 64 << 10;
constexpr uint32_t kNandParts = 5;

struct Board {
  uint32_t version = 0;
  uint64_t crc_at = 0;
  bool crc_holds = false;
};

Result<Board> read_board(Bytes from) {
  const Bytes b = TRY(from.slice(kBoard, kBoardSize, "board data"));
  Board board;
  board.version = *b.be<uint32_t>(0, "");
  if (board.version == 0 || board.version > 64)
    return fail(Fault::kMalformed, "version " + std::to_string(board.version) + " of board data", b.base());
  const bool old = board.version <= 4;
  const uint64_t size = old ? kOldSize : kBoardSize;
  board.crc_at = kBoard + (old ? 296 : 1020);
  std::string copy(b.head(size).text());
  copy.replace(copy.size() - 4, 4, 4, '\0');
  board.crc_holds = checksum_holds(crc32_raw(Bytes(copy)), *b.be<uint32_t>(size - 4, "crc32"));
  return board;
}

Result<Measured> measure(Bytes from) {
  if (!from.starts_with("CFE1CFE1", 0x4e0)) return fail(Fault::kForeign, "no CFE1CFE1", from.base() + 0x4e0);
  TRY(from.slice(0, kBoard + kBoardSize, "boot loader"));
  const auto board = read_board(from);
  if (!board && !from.starts_with("cfe-v", kVersion)) return std::unexpected(board.error());
  return Measured{std::min<uint64_t>(from.size(), kLength), board && board->crc_holds};
}

std::string mac_address(Bytes b) {
  char text[24];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
  return text;
}

void note_board(Bytes whole, const Board& board, Sink& into) {
  const Bytes b = whole.head(kBoardSize, kBoard);
  into.range(Range::kHeader, kBoard, board.version <= 4 ? kOldSize : kBoardSize);
  into.note("board data version", std::to_string(board.version), kBoard);
  note_text(whole, kBoard + 4, 256, "boot line", into);
  note_text(whole, kBoard + 260, 16, "board", into);
  into.note("size of the PSI", std::to_string(*b.be<uint32_t>(280, "")) + " KiB", kBoard + 280);
  into.note("MAC addresses", std::to_string(*b.be<uint32_t>(284, "")) + " from " + mac_address(b.head(6, 288)),
            kBoard + 284);
  if (board.version >= 5 && board.crc_holds)
    for (uint32_t i = 0; i < kNandParts; ++i) {
      const uint32_t at = *b.be<uint32_t>(592 + 4 * i, ""), size = *b.be<uint32_t>(612 + 4 * i, "");
      if (size != 0 && size != ~0u)
        into.note("NAND partition", std::to_string(i) + ": " + std::to_string(at) + "+" + std::to_string(size) + " KiB",
                  kBoard + 592 + 4 * i);
    }
  state_checksum("crc of board data", "crc32", board.crc_holds, board.crc_at, into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  into.range(Range::kHeader, 0x4e0, 8);
  if (whole.starts_with("cfe-v", kVersion)) {
    const Bytes v = TRY(whole.slice(kVersion + 5, 5, "version"));
    char text[32];
    std::snprintf(text, sizeof text, "%u.%u.%u-%u.%u", v[0], v[1], v[2], v[3], v[4]);
    into.note("version", text, kVersion);
    into.range(Range::kHeader, kVersion, 10);
  }
  uint64_t code = kBoard;
  if (const auto board = read_board(whole)) {
    note_board(whole, *board, into);
    code = board->version <= 4 ? kBoard + kOldSize : kBoard + kBoardSize;
  } else {
    into.problem(board.error());
  }
  // Its code, in front of the board data and behind, most of it compressed: looked at like any other bytes.
  TRY_VOID(between(whole, 0, 0x4e0, "start", into));
  return between(whole, code, whole.size(), "code", into);
}

}  // namespace

extern const Format kCfe;
const Format kCfe = {.id = "cfe",
                     .title = "Broadcom CFE boot loader (BCM63xx)",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure,
                     .unpack = unpack,
                     .reads = "version, boot line, board, MAC addresses, NAND partitions; crc32 of versions 4 and 5",
                     .limits = "length taken as 64 KiB; other boards' CFE has no such header (its NVRAM is read)",
                     .source = "Linux include/linux/bcm963xx_nvram.h, bcm963xx_tag.h, arch/mips/bcm63xx/nvram.c",
                     .checked = "own builder only"};

}  // namespace assay::unpack::cfe
