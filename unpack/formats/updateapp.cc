// UPDATE.APP, the firmware of Huawei's phones and LTE routers.
//
//   0   92 bytes of zero, or a short text; absent in parts cut out of a file
//       blocks, each at a multiple of 4:
//       0   55 AA 5A A5
//       4   size of the header, 12: hardware (8), 20: sequence, 24: size of the data, 28: date (16), 44: time (16)
//       60  name (32), 92: checksum of the header (16 bits), 94: bytes a checksum covers
//       98  checksums of the data (16 bits each), up to the size of the header
//           the data
//
// Numbers are little endian. The checksum is CRC-16 of X.25 (0x8408, both inversions).
// Source: echo-devim/huextract src/img_header.rs and src/crc.rs; split_updata.pl (McSpoon, ZeBadger).
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <array>

namespace assay::unpack::updateapp {
namespace {

constexpr std::string_view kBlockMagic = "\x55\xaa\x5a\xa5";
constexpr Magic kMagics[] = {{kBlockMagic, 92}, {kBlockMagic}};
constexpr uint64_t kFixed = 98, kAlign = 4, kMostHeader = 16 << 20;
constexpr size_t kMostBlocks = 4096;

constexpr std::array<uint16_t, 256> kTable = [] {
  std::array<uint16_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0x8408 : value >> 1;
    table[i] = static_cast<uint16_t>(value);
  }
  return table;
}();

uint16_t crc16_x25(Bytes bytes) {
  uint16_t crc = 0xffff;
  for (uint64_t i = 0; i < bytes.size(); ++i) crc = static_cast<uint16_t>(kTable[(crc ^ bytes[i]) & 0xff] ^ crc >> 8);
  return static_cast<uint16_t>(~crc);
}

struct Block {
  uint64_t at = 0, header = 0, size = 0, covers = 0;
  std::string name;
  uint64_t data() const { return at + header; }
  uint64_t end() const { return data() + size; }
  uint64_t sums() const { return (header - kFixed) / 2; }
};

Result<Block> read_block(Bytes from, uint64_t at) {
  Block b{.at = at};
  if (!from.starts_with(kBlockMagic, at)) return fail(Fault::kMalformed, "block magic", from.base() + at);
  b.header = TRY(from.le<uint32_t>(at + 4, "header size"));
  b.size = TRY(from.le<uint32_t>(at + 24, "data size"));
  b.name = std::string(trim(TRY(from.text_field(at + 60, 32, "name"))));
  b.covers = TRY(from.le<uint32_t>(at + 94, "bytes a checksum covers"));
  if (b.header < kFixed || b.header > kMostHeader) return fail(Fault::kMalformed, "header size", from.base() + at + 4);
  TRY(from.slice(at, b.header + b.size, "block"));
  return b;
}

uint64_t start_of(Bytes from) { return from.starts_with(kBlockMagic) ? 0 : 92; }

Result<std::vector<Block>> read_blocks(Bytes from) {
  std::vector<Block> blocks{TRY(read_block(from, start_of(from)))};
  while (blocks.size() < kMostBlocks) {
    auto next = read_block(from, (blocks.back().end() + kAlign - 1) / kAlign * kAlign);
    if (!next) break;
    blocks.push_back(*std::move(next));
  }
  return blocks;
}

// How many of the data's checksums hold, of how many that there are.
struct Held {
  uint64_t hold = 0, of = 0;
};

Held check_data(Bytes from, const Block& b) {
  Held held;
  const Bytes data = from.head(b.size, b.data());
  for (uint64_t i = 0; b.covers && i < b.sums() && i * b.covers < data.size(); ++i, ++held.of) {
    const auto stored = from.le<uint16_t>(b.at + kFixed + 2 * i, "checksum");
    held.hold += stored && checksum_holds(crc16_x25(data.head(b.covers, i * b.covers)), *stored);
  }
  return held;
}

Result<Measured> measure(Bytes from) {
  const auto blocks = TRY(read_blocks(from));
  const auto whole = [&](const Block& b) {
    const Held held = check_data(from, b);
    return held.of > 0 && held.hold == held.of;
  };
  return Measured{blocks.back().end(), std::ranges::any_of(blocks, whole)};
}

Result<void> put(Bytes whole, const Block& b, Sink& into) {
  const Held held = check_data(whole, b);
  TRY_VOID(into.step(1 + held.of));
  into.range(Range::kHeader, b.at, b.header);
  const std::string name = b.name.empty() ? "part" : b.name;
  note_text(whole, b.at + 12, 8, "hardware of " + name, into);
  note_text(whole, b.at + 28, 16, "date of " + name, into);
  if (held.of) state_checksum("checksums of " + escape(name), "crc16-x25", held.hold == held.of, b.at + kFixed, into);
  return into.child(name, stored(whole.head(b.size, b.data())));
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto blocks = TRY(read_blocks(whole));
  into.range(Range::kHeader, 0, blocks[0].at);
  uint64_t at = blocks[0].at;
  for (const Block& b : blocks) {
    into.range(Range::kPadding, at, b.at - at);
    TRY_VOID(put(whole, b, into));
    at = b.end();
  }
  return {};
}

}  // namespace

extern const Format kUpdateApp;
const Format kUpdateApp = {.id = "updateapp",
                           .title = "Huawei UPDATE.APP firmware package",
                           .magics = kMagics,
                           .measure = measure,
                           .unpack = unpack,
                           .limits = "the checksum of the header is not checked: how it is taken is not documented",
                           .source = "echo-devim/huextract src/img_header.rs, src/crc.rs; split_updata.pl",
                           .checked = "own builder in the tests only"};

}  // namespace assay::unpack::updateapp
