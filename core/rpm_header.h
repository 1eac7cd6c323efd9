// The header of an RPM package (rpm, docs/manual/format.md and lib/rpmtag.h), big endian: number of entries (4), size
// of the store (4); entries of tag, type, offset in the store, count (4 each); the store. RPM files have it behind a
// magic of 8 bytes, RPM's database without.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <string>

namespace assay {

struct RpmField {
  uint32_t type = 0, count = 0;
  uint64_t at = 0;  // in the header
};

class RpmHeader {
 public:
  // `from` begins with the number of entries and may go on behind the header. kTruncated, kMalformed with the offset.
  static Result<RpmHeader> read(Bytes from);

  Bytes bytes() const { return all_; }
  std::optional<RpmField> find(uint32_t tag) const;    // the first of that tag
  std::string text(uint32_t tag) const;                // of types 6, 8 (the first) and 9; "" : not there
  std::optional<uint64_t> number(uint32_t tag) const;  // of types 4 and 5

 private:
  Bytes all_;
  uint32_t entries_ = 0;
};

}  // namespace assay
