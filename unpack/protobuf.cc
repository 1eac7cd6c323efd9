#include "unpack/protobuf.h"

namespace assay::unpack {

Result<uint64_t> WireReader::varint() {
  uint64_t value = 0;
  const uint64_t start = at_;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const auto byte = TRY(message_.le<uint8_t>(at_, "varint"));
    ++at_;
    if (shift == 63 && byte > 1) break;
    value |= uint64_t{byte & 0x7fu} << shift;
    if (!(byte & 0x80)) return value;
  }
  return fail(Fault::kMalformed, "a varint of more than 64 bits", message_.base() + start);
}

Result<std::optional<WireField>> WireReader::next() {
  if (at_ == message_.size()) return std::nullopt;
  const uint64_t start = at_;
  const uint64_t tag = TRY(varint());
  WireField field;
  field.type = tag & 7;
  field.number = static_cast<uint32_t>(tag >> 3);
  if (tag >> 32 || field.number == 0)
    return fail(Fault::kMalformed, "field number " + std::to_string(tag >> 3), message_.base() + start);
  if (field.type == 0) {
    field.value = TRY(varint());
  } else if (field.type == 1) {
    field.value = TRY(message_.le<uint64_t>(at_, "field"));
    at_ += 8;
  } else if (field.type == 2) {
    const uint64_t length = TRY(varint());
    field.bytes = TRY(message_.slice(at_, length, "field"));
    at_ += length;
  } else if (field.type == 5) {
    field.value = TRY(message_.le<uint32_t>(at_, "field"));
    at_ += 4;
  } else {
    return fail(Fault::kMalformed, "wire type " + std::to_string(field.type), message_.base() + start);
  }
  return field;
}

}  // namespace assay::unpack
