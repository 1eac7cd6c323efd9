// Tektronix HEX: memory as lines of text, in two forms.
//
//   standard  "/" address (4 digits) count (2) sum of the six digits (2) data sum of the data's digits (2)
//             count 0: the end; no second sum
//   extended  "%" length (2 digits, all behind "%") type (1) sum (2) body
//             type 6 data, 8 end: address as its number of digits (1, 0 for 16) and the digits, then data; 3 symbols
//             sum: of the value of every character but "%" and the sum itself, modulo 256; 0-9 and A-Z count 0 to 35,
//             $ % . _ 36 to 39, a-z 40 to 65
//
// Source: Tektronix, 8560 manual; binutils bfd/tekhex.c; srecord 1.64, srec_tektronix(5), srec_tektronix_extended(5).
#include "core/hash.h"
#include "unpack/describe.h"
#include "unpack/hex_text.h"

#include <algorithm>

namespace assay::unpack::tekhex {
namespace {

constexpr Magic kMagics[] = {{"/"}, {"%"}};

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  if (c >= 'a' && c <= 'z') return c - 'a' + 40;
  const size_t other = std::string_view("$%._").find(c);
  return other == std::string_view::npos ? -1 : 36 + static_cast<int>(other);
}

// Other characters, which symbols may hold, count nothing.
uint64_t sum_of(std::string_view text) {
  uint64_t sum = 0;
  for (const char c : text) sum += static_cast<uint64_t>(std::max(value_of(c), 0));
  return sum & 0xff;
}

std::unexpected<Error> foreign(Bytes line) { return fail(Fault::kForeign, "no Tektronix record", line.base()); }

Result<HexRecord> read_standard(Bytes line) {
  const std::string_view text = line.text();
  if (text.size() < 9) return foreign(line);
  const auto address = hex_digits(text.substr(1, 4)), count = hex_digits(text.substr(5, 2));
  const auto sum = hex_digits(text.substr(7, 2));
  if (!address || !count || !sum) return foreign(line);
  HexRecord record;
  record.address = *address;
  record.sums_hold = checksum_holds(sum_of(text.substr(1, 6)), *sum);
  if (*count == 0) {
    record.kind = HexRecord::Kind::kEnd;
    return record;
  }
  if (text.size() != 9 + 2 * *count + 2)
    return fail(Fault::kMalformed, "count " + std::to_string(*count) + " does not match its line", line.base() + 5);
  const auto data = hex_bytes(text.substr(9, 2 * *count));
  const auto data_sum = hex_digits(text.substr(9 + 2 * *count));
  if (!data || !data_sum) return foreign(line);
  record.kind = HexRecord::Kind::kData;
  record.bytes = *data;
  const bool holds = checksum_holds(sum_of(text.substr(9, 2 * *count)), *data_sum);
  record.sums_hold = record.sums_hold && holds;
  return record;
}

Result<HexRecord> read_extended(Bytes line) {
  const std::string_view text = line.text();
  if (text.size() < 7) return foreign(line);
  const auto length = hex_digits(text.substr(1, 2)), sum = hex_digits(text.substr(4, 2));
  if (!length || !sum) return foreign(line);
  if (text[3] == '8' && *length > text.size() - 1)  // files of objcopy whose last line is cut are about
    return HexRecord{.kind = HexRecord::Kind::kEnd, .sums_hold = false};
  if (*length != text.size() - 1)
    return fail(Fault::kMalformed, "length " + std::to_string(*length) + " does not match its line", line.base() + 1);
  HexRecord record;
  record.sums_hold = checksum_holds((sum_of(text.substr(1, 3)) + sum_of(text.substr(6))) & 0xff, *sum);
  if (text[3] == '3') return record;
  if (text[3] != '6' && text[3] != '8') return fail(Fault::kUnsupported, "record type", line.base() + 3);
  const auto first = hex_digits(text.substr(6, 1));
  if (!first) return foreign(line);
  const uint64_t digits = *first ? *first : 16;
  if (7 + digits > text.size()) return fail(Fault::kMalformed, "address runs past the record", line.base() + 6);
  const auto address = hex_digits(text.substr(7, digits));
  const auto data = hex_bytes(text.substr(7 + digits));
  if (!address || !data) return foreign(line);
  record.address = *address;
  record.kind = text[3] == '6' ? HexRecord::Kind::kData : HexRecord::Kind::kEnd;
  if (text[3] == '6') record.bytes = *data;
  if (text[3] == '8') record.note_name = "start address", record.value = hex_number(*address);
  return record;
}

Result<HexRecord> read(Bytes line, uint64_t&) {
  if (line.starts_with("/")) return read_standard(line);
  return line.starts_with("%") ? read_extended(line) : foreign(line);
}

constexpr HexDialect kDialect = {.read = read, .first_sum_must_hold = false};

Result<Measured> measure(Bytes from) { return measure_hex(kDialect, from); }
Result<void> unpack(Bytes whole, Sink& into) { return unpack_hex(kDialect, "tekhex", whole, into); }

}  // namespace

extern const Format kTekhex;
const Format kTekhex = {.id = "tekhex",
                        .title = "Tektronix HEX",
                        .magics = kMagics,
                        .measure = measure,
                        .unpack = unpack,
                        .carve = false,
                        .reads = "standard and extended records",
                        .limits = "symbols are not listed; only at the start of a content",
                        .source = "binutils bfd/tekhex.c; srec_tektronix(5), srec_tektronix_extended(5)",
                        .checked = "foreign tool: objcopy (extended); samples of another project (both)"};

}  // namespace assay::unpack::tekhex
