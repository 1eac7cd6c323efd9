// Intel HEX: memory as lines of text.
//
//   ":" count (1 byte) address (2, big endian) type (1) data (count) sum (1), all as hexadecimal digits
//
// Types: 0 data, 1 end, 2 segment (address bits 4 to 19), 3 start CS:IP, 4 upper half of the address, 5 start address.
// The bytes of a record, its sum included, add up to 0 modulo 256.
// Source: Intel, Hexadecimal Object File Format Specification, revision A, 1988.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/hex_text.h"
#include "unpack/vendor.h"

namespace assay::unpack::intel_hex {
namespace {

constexpr Magic kMagics[] = {{":10"}, {":20"}, {":02"}, {":04"}, {":08"}};

Result<HexRecord> read(Bytes line, uint64_t& base) {
  const std::string_view text = line.text();
  const auto bytes = text.starts_with(":") ? hex_bytes(text.substr(1)) : std::nullopt;
  if (!bytes || bytes->size() < 5) return fail(Fault::kForeign, "no Intel HEX record", line.base());
  const Bytes b(*bytes);
  if (b.size() != 5u + b[0])
    return fail(Fault::kMalformed, "record length " + std::to_string(b[0]) + " does not match its line", line.base());
  const auto sum = static_cast<uint8_t>(byte_sum(Bytes(*bytes)));
  HexRecord record;
  record.sums_hold = checksum_holds(sum, uint8_t{0});
  uint64_t value = 0;
  for (uint64_t i = 0; i < b[0] && i < 4; ++i) value = value << 8 | b[4 + i];
  switch (b[3]) {
    case 0:
      record.kind = HexRecord::Kind::kData;
      record.address = base + (static_cast<uint64_t>(b[1]) << 8 | b[2]);
      record.bytes = bytes->substr(4, b[0]);
      break;
    case 1:
      record.kind = HexRecord::Kind::kEnd;
      break;
    case 2:
      base = value << 4;
      break;
    case 4:
      base = value << 16;
      break;
    case 3:
    case 5:
      record.note_name = "start address", record.value = hex_number(value);
      break;
    default:
      return fail(Fault::kUnsupported, "record type " + std::to_string(b[3]), line.base() + 7);
  }
  return record;
}

constexpr HexDialect kDialect = {.read = read};

Result<Measured> measure(Bytes from) { return measure_hex(kDialect, from); }
Result<void> unpack(Bytes whole, Sink& into) { return unpack_hex(kDialect, "intel-hex", whole, into); }

}  // namespace

extern const Format kIntelHex;
const Format kIntelHex = {.id = "intel-hex",
                          .title = "Intel HEX",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .reads = "16, 20 and 32-bit addresses, start addresses",
                          .limits = "files whose first record holds other than 2, 4, 8, 16 or 32 bytes",
                          .source = "Intel, Hexadecimal Object File Format Specification, revision A",
                          .checked = "foreign tool: objcopy; sample of another project"};

}  // namespace assay::unpack::intel_hex
