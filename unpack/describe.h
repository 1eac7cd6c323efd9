// Small helpers of vendor headers: numbers and times as notes print them, and the bytes between named parts.
#pragma once
#include "unpack/format.h"

namespace assay::unpack {

std::string hex_number(uint64_t value);  // "0x80010000"
std::string utc_time(uint64_t seconds);  // "2017-06-02 04:28:51 UTC", of seconds since 1970

// What lies in [from, to) between the parts a header names: padding when all of it has one value, else a part of its
// own, whose inside is then looked at like any other. Nothing when the range is empty.
Result<void> between(Bytes whole, uint64_t from, uint64_t to, std::string_view name, Sink& into);

}  // namespace assay::unpack
