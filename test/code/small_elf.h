// The smallest programs: one executable segment at 0x10000 with the headers, the code at 0x10100, nothing else.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::code {

inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}

struct SmallElf {
  uint16_t machine = 0;
  bool wide = false, big = false;
  uint64_t entry = 0x10100;

  std::string of(std::string_view code) const {
    constexpr uint64_t kBase = 0x10000, kCode = 0x100;
    const uint64_t size = kCode + code.size(), header = wide ? 64 : 52;
    std::string out = std::string(
                          "\x7f"
                          "ELF") +
                      static_cast<char>(wide ? 2 : 1) + static_cast<char>(big ? 2 : 1) + '\1';
    out.resize(16);
    put(out, 2, 2), put(out, machine, 2), put(out, 1, 4), word(out, entry), word(out, header), word(out, 0);
    put(out, machine == 8 ? 0x50001000 : machine == 40 ? 0x05000000 : 0, 4);
    put(out, header, 2), put(out, wide ? 56 : 32, 2), put(out, 1, 2), put(out, 0, 2), put(out, 0, 2), put(out, 0, 2);
    put(out, 1, 4);
    if (wide) put(out, 5, 4);
    word(out, 0), word(out, kBase), word(out, kBase), word(out, size), word(out, size);
    if (!wide) put(out, 5, 4);
    word(out, 0x1000);
    out.resize(kCode);
    return out + std::string(code);
  }

 private:
  void put(std::string& out, uint64_t value, int bytes) const {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * (big ? bytes - 1 - i : i)));
  }
  void word(std::string& out, uint64_t value) const { put(out, value, wide ? 8 : 4); }
};

}  // namespace assay::code
