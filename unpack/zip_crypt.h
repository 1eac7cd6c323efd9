// ZIP's traditional encryption, and the passwords of archives that makers ship and others have published.
#pragma once
#include "core/bytes.h"

#include <span>
#include <string>

namespace assay::unpack {

struct DocumentedPassword {
  std::string_view password, documented;  // where it stands
};
std::span<const DocumentedPassword> documented_zip_passwords();

// Whether the 12-byte header in front of the data ends in `check`: in one of 256 cases for a wrong password too.
bool zip_password_may_fit(Bytes data, std::string_view password, uint8_t check);
// The plain data behind the header.
std::string zip_decrypt(Bytes data, std::string_view password);

}  // namespace assay::unpack
