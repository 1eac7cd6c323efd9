#include "unpack/vendor.h"

#include "core/text.h"

namespace assay::unpack {

uint32_t byte_sum(Bytes bytes) {
  uint32_t sum = 0;
  for (uint64_t i = 0; i < bytes.size(); ++i) sum += bytes[i];
  return sum;
}

uint32_t word_sum(Bytes bytes, Order order) {
  uint32_t sum = 0;
  for (uint64_t at = 0; at + 4 <= bytes.size(); at += 4) sum += *bytes.get<uint32_t>(at, order, "");
  return sum;
}

std::string xor_with(Bytes bytes, std::string_view key, uint64_t phase) {
  std::string out(bytes.text());
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ key[(phase + i) % key.size()]);
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=' || c == '\n' || c == '\r') continue;
    const size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count));
  }
  return out;
}

void note_text(Bytes whole, uint64_t at, uint64_t length, std::string_view name, Sink& into) {
  const std::string_view field = whole.head(length, at).text();
  const std::string_view text = trim(field.substr(0, field.find('\0')));
  if (!text.empty()) into.note(name, std::string(text), at);
}

void state_integrity(Integrity i, Sink& into) {
  if (i.state == "invalid")
    into.problem({Fault::kMalformed, i.name + " does not match" + (i.detail.empty() ? "" : ": " + i.detail), i.offset});
  into.integrity(std::move(i));
}

void state_checksum(std::string_view name, std::string_view algorithm, bool holds, uint64_t offset, Sink& into) {
  state_integrity(checksum(name, algorithm, holds, offset), into);
}

Integrity unchecked_signature(std::string_view name, std::string_view algorithm, uint64_t offset) {
  return {.kind = "signature",
          .name = std::string(name),
          .algorithm = std::string(algorithm),
          .state = "not-checkable",
          .detail = "the public key is not part of the image",
          .offset = offset};
}

Result<void> opened_child(std::string_view name, Bytes from, std::string_view plain, std::string_view scheme,
                          std::string_view documented, Sink& into) {
  TRY_VOID(into.output().write(Bytes(plain).span()));
  into.opened({std::string(scheme), std::string(documented), from.base(), from.size()});
  return into.child(name, {{from}, std::string(scheme)});
}

void leave_encrypted(Bytes from, std::string why, Sink& into) {
  into.range(Range::kEncrypted, from.base(), from.size());
  into.problem({Fault::kEncrypted, std::move(why), from.base()});
}

}  // namespace assay::unpack
