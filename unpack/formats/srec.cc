// Motorola S-record: memory as lines of text.
//
//   "S" type (a digit) count (1 byte) address (2, 3 or 4, big endian) data sum (1), as hexadecimal digits
//
// Types: 0 header text, 1 to 3 data with addresses of 2 to 4 bytes, 5 and 6 number of records, 7 to 9 end with the
// start address in 4 to 2 bytes. The count holds address, data and sum; the bytes from count to sum add up to 255
// modulo 256. Source: M68000 Family Programmer's Reference Manual, appendix C.
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/hex_text.h"
#include "unpack/vendor.h"

namespace assay::unpack::srec {
namespace {

constexpr Magic kMagics[] = {{"S00"}, {"S01"}, {"S02"}, {"S10"}, {"S11"}, {"S12"},
                             {"S20"}, {"S21"}, {"S22"}, {"S30"}, {"S31"}, {"S32"}};

// By type: how long the address is; 0: no such type.
constexpr uint8_t kAddress[10] = {2, 2, 3, 4, 0, 2, 3, 4, 3, 2};

void interpret(char type, uint64_t address, std::string_view data, HexRecord& record) {
  switch (type) {
    case '0':
      record.note_name = "header", record.value = std::string(data.substr(0, data.find('\0')));
      break;
    case '1':
    case '2':
    case '3':
      record.kind = HexRecord::Kind::kData;
      record.address = address;
      record.bytes = data;
      break;
    case '7':
    case '8':
    case '9':
      record.kind = HexRecord::Kind::kEnd;
      record.note_name = "start address", record.value = hex_number(address);
      break;
    default:
      break;
  }
}

Result<HexRecord> read(Bytes line, uint64_t&) {
  const std::string_view text = line.text();
  const bool is_record = text.size() >= 10 && text[0] == 'S' && text[1] >= '0' && text[1] <= '9';
  const uint8_t wide = is_record ? kAddress[text[1] - '0'] : 0;
  const auto bytes = wide ? hex_bytes(text.substr(2)) : std::nullopt;
  if (!bytes) return fail(Fault::kForeign, "no S-record", line.base());
  const auto count = static_cast<uint8_t>((*bytes)[0]);
  if (bytes->size() != 1u + count || count < wide + 1)
    return fail(Fault::kMalformed, "count " + std::to_string(count) + " does not match its line", line.base() + 2);
  const auto sum = static_cast<uint8_t>(byte_sum(Bytes(*bytes)));
  uint64_t address = 0;
  for (uint8_t i = 1; i <= wide; ++i) address = address << 8 | static_cast<uint8_t>((*bytes)[i]);
  HexRecord record;
  record.sums_hold = checksum_holds(sum, uint8_t{0xff});
  interpret(text[1], address, std::string_view(*bytes).substr(1 + wide, count - wide - 1u), record);
  return record;
}

constexpr HexDialect kDialect = {.read = read};

Result<Measured> measure(Bytes from) { return measure_hex(kDialect, from); }
Result<void> unpack(Bytes whole, Sink& into) { return unpack_hex(kDialect, "srec", whole, into); }

}  // namespace

extern const Format kSrec;
const Format kSrec = {.id = "srec",
                      .title = "Motorola S-record",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .reads = "S19, S28 and S37",
                      .limits = "the number of records that S5 and S6 state is not compared",
                      .source = "M68000 Family Programmer's Reference Manual, appendix C",
                      .checked = "foreign tool: objcopy; samples of another project"};

}  // namespace assay::unpack::srec
