// Reads Protocol Buffers' wire format, field by field: a tag (number << 3 | type) and what the type says follows.
//
//   0 varint   1 eight bytes   2 a length and as many bytes: text, bytes, a message   5 four bytes
//   varint: 7 bits a byte, the lowest first, the highest bit set where more follow; 10 bytes at most
//
// Source: protobuf.dev, "Encoding". Types 3 and 4 (groups) have been out of use for long and are refused.
#pragma once
#include "core/bytes.h"

#include <optional>

namespace assay::unpack {

struct WireField {
  uint32_t number = 0, type = 0;
  uint64_t value = 0;  // of types 0, 1 and 5
  Bytes bytes;         // of type 2
};

class WireReader {
 public:
  explicit WireReader(Bytes message) : message_(message) {}
  // The next field; none at the message's end.
  Result<std::optional<WireField>> next();

 private:
  Result<uint64_t> varint();

  Bytes message_;
  uint64_t at_ = 0;
};

// Calls `each` for every field of a message, which returns Result<void>.
template <class Each>
Result<void> each_field(Bytes message, Each each) {
  WireReader reader(message);
  for (;;) {
    const auto field = TRY(reader.next());
    if (!field) return {};
    TRY_VOID(each(*field));
  }
}

}  // namespace assay::unpack
