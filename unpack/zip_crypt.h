// ZIP's traditional encryption, and the passwords of archives that makers ship and others have published.
#pragma once
#include "core/bytes.h"

#include <optional>
#include <span>
#include <string>

namespace assay::unpack {

struct DocumentedPassword {
  std::string_view password, documented;  // where it stands
};
std::span<const DocumentedPassword> documented_zip_passwords();

// The plain data behind the 12-byte header; none where the header's last byte is not `check`.
std::optional<std::string> zip_decrypt(Bytes data, std::string_view password, uint8_t check);

}  // namespace assay::unpack
