// What Android's boot images share: sections behind each other, each from a new page on, and versions in 32 bits.
#pragma once
#include "unpack/format.h"

namespace assay::unpack {

struct AndroidPages {
  Bytes whole;
  uint32_t page = 0;
  uint64_t at = 0;  // where the next section starts

  // The last section's page may end with the file.
  uint64_t end() const { return at < whole.size() ? at : whole.size(); }
  void skip(uint64_t size) { at += (size + page - 1) / page * page; }
  Result<Bytes> next(uint64_t size, std::string_view field) {
    if (size == 0) return whole.head(0, at);
    const Bytes section = TRY(whole.slice(at, size, field));
    skip(size);
    return section;
  }
};

bool is_android_page(uint32_t size);          // a power of two from 2 KiB to 128 KiB
std::string android_version(uint32_t value);  // "13.0.0, patch level 2023-05"; "" for 0

}  // namespace assay::unpack
