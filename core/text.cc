#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace assay {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629, table of section 4); 0: none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return tail(1) ? 2 : 0;
  if (b == 0xE0) return tail(1, 0xA0) && tail(2) ? 3 : 0;
  if (b == 0xED) return tail(1, 0x80, 0x9F) && tail(2) ? 3 : 0;
  if (b >= 0xE1 && b <= 0xEF) return tail(1) && tail(2) ? 3 : 0;
  if (b == 0xF0) return tail(1, 0x90) && tail(2) && tail(3) ? 4 : 0;
  if (b >= 0xF1 && b <= 0xF3) return tail(1) && tail(2) && tail(3) ? 4 : 0;
  if (b == 0xF4) return tail(1, 0x80, 0x8F) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string escape(std::string_view raw) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '\\'; };
  const auto first = static_cast<size_t>(std::ranges::find_if_not(raw, plain) - raw.begin());
  if (first == raw.size()) return std::string(raw);  // nearly every name
  std::string out;
  out.reserve(raw.size());
  out = raw.substr(0, first);
  for (size_t i = first; i < raw.size();) {
    const auto byte = static_cast<uint8_t>(raw[i]);
    const size_t length = byte < 0x20 || byte == 0x7f || byte == '\\' ? 0 : utf8_length(raw.substr(i));
    // U+0080..U+009F are control characters too; a terminal may obey them.
    const bool control = length == 2 && byte == 0xC2 && static_cast<uint8_t>(raw[i + 1]) < 0xA0;
    if (length == 0 || control) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
      ++i;
    } else {
      out.append(raw.substr(i, length));
      i += length;
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code > 0x10ffff) code = 0xfffd;
  if (code < 0x80) return out.push_back(static_cast<char>(code));
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes that follow the first, six bits in each
  out.push_back(static_cast<char>((0xf0 << (3 - more) & 0xff) | code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3f)));
}

std::string unescape(std::string_view escaped) {
  std::string out;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped.substr(i, 2) == "\\x" && i + 3 < escaped.size()) {
      const int high = hex_value(escaped[i + 2]), low = hex_value(escaped[i + 3]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high << 4 | low));
        i += 3;
        continue;
      }
    }
    out.push_back(escaped[i]);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && is_space(text[i])) ++i;
    const size_t start = i;
    while (i < text.size() && !is_space(text[i])) ++i;
    if (i > start) found.push_back(text.substr(start, i - start));
  }
  return found;
}

std::vector<Line> lines(std::string_view text) {
  std::vector<Line> found;
  uint32_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    std::string_view line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    found.push_back({line, at, number});
    at = end + 1;
  }
  return found;
}

bool looks_like_text(std::string_view bytes) {
  static constexpr std::array<uint8_t, 256> kOdd = [] {
    std::array<uint8_t, 256> odd{};
    for (size_t byte = 0; byte < 0x20; ++byte) odd[byte] = !is_space(static_cast<char>(byte)) && byte != 0x1b;
    odd[0x7f] = 1;
    return odd;
  }();
  if (bytes.find('\0') != bytes.npos) return false;
  size_t odd = 0;
  for (const char c : bytes) odd += kOdd[static_cast<uint8_t>(c)];
  return odd * 64 <= bytes.size();
}

std::string human_size(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace assay
