// Memory written as lines of hexadecimal digits (Intel HEX, S-record, Tektronix): what the dialects share. A dialect
// reads one line; here lines are walked, sums compared, and bytes of addresses that follow one another put together.
#pragma once
#include "unpack/format.h"

#include <optional>

namespace assay::unpack {

struct HexRecord {
  enum class Kind : uint8_t { kData, kOther, kEnd } kind = Kind::kOther;
  bool sums_hold = true;
  uint64_t address = 0;
  std::string bytes;             // of a data record
  std::string note_name, value;  // what another record says; may be empty
};

struct HexDialect {
  // `line` without its end; `base` is kept from line to line (extended addresses). kForeign: no record of this dialect.
  Result<HexRecord> (*read)(Bytes line, uint64_t& base);
  bool first_sum_must_hold = true;  // found by a short magic: the first line has to prove itself
};

std::optional<uint64_t> hex_digits(std::string_view text);    // none: a character is no digit, or more than 16
std::optional<std::string> hex_bytes(std::string_view text);  // none: no digit, or an odd number of them

Result<Measured> measure_hex(const HexDialect& dialect, Bytes from);
Result<void> unpack_hex(const HexDialect& dialect, std::string_view codec, Bytes whole, Sink& into);

}  // namespace assay::unpack
