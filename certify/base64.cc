#include "certify/base64.h"

namespace assay::certify {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int value_of(char digit) {
  const size_t at = std::string_view(kDigits).find(digit);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Decodes without judging padding bits; the caller encodes again and compares.
std::string decode(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0) break;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) out.push_back(static_cast<char>(bits >> (held -= 8)));
  }
  return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](size_t k) { return i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u; };
    const uint32_t three = (at(0) << 16) | (at(1) << 8) | at(2);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(kDigits[(three >> shift) & 63]);
  }
  if (bytes.size() % 3 == 1) out.replace(out.size() - 2, 2, "==");
  if (bytes.size() % 3 == 2) out.back() = '=';
  return out;
}

Result<std::string> from_base64(std::string_view text, std::string_view field) {
  std::string bytes = decode(text);
  if (base64(bytes) != text)
    return fail(Fault::kMalformed, std::string(field) + " is not canonical base64: " + std::string(text.substr(0, 24)));
  return bytes;
}

}  // namespace assay::certify
