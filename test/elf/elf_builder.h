// A small ELF file made in test code: either class and order, one load segment, a dynamic table with libraries and
// symbols, a hash table of the kind wanted, strings, code. No section table, as sstrip leaves it.
//
//   ElfBuilder builder{.machine = 8, .order = Order::kBig};
//   builder.needed = {"libc.so.0"};
//   builder.imports = {"socket", "bind"};
//   std::string file = builder.build();
#pragma once
#include "core/bytes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::elf {

struct ElfBuilder {
  uint16_t machine = 8, type = 2;
  uint32_t bits = 32;
  Order order = Order::kBig;
  std::vector<std::string> needed, imports, exports;
  std::vector<std::pair<uint64_t, std::string>> texts;  // dynamic entries whose value is a string
  std::vector<std::pair<uint64_t, uint64_t>> tags;      // further dynamic entries
  std::string interpreter, strings, code;
  std::optional<uint32_t> stack_flags;  // of PT_GNU_STACK
  bool relro = false, hash = true, gnu_hash = false, mips_count = false, dynamic = true;
  uint64_t entry = 0x400100;

  static constexpr uint64_t kBase = 0x400000;
  // Offsets in the built file, for tests that damage it.
  uint64_t hash_at = 0, symbols_at = 0, names_at = 0, dynamic_at = 0;

  void put(std::string& out, uint64_t value, int size) const {
    for (int i = 0; i < size; ++i) out += static_cast<char>(value >> 8 * (order == Order::kLittle ? i : size - 1 - i));
  }
  void address(std::string& out, uint64_t value) const { put(out, value, bits == 64 ? 8 : 4); }

  void symbol(std::string& out, uint64_t name, uint64_t value, uint8_t info, uint16_t section) const {
    put(out, name, 4);
    if (bits == 32) address(out, value), address(out, 0);
    put(out, info, 1);
    put(out, 0, 1);
    put(out, section, 2);
    if (bits == 64) address(out, value), address(out, 0);
  }

  std::string segment(uint32_t kind, uint64_t at, uint64_t size, uint32_t flags) const {
    std::string out;
    put(out, kind, 4);
    if (bits == 64) put(out, flags, 4);
    address(out, at);
    address(out, kBase + at);
    address(out, kBase + at);
    address(out, size);
    address(out, size);
    if (bits == 32) put(out, flags, 4);
    address(out, 4);
    return out;
  }

  std::string build() {
    const uint64_t header = bits == 64 ? 64 : 52, record = bits == 64 ? 56 : 32;
    const uint64_t segments = 1 + dynamic + stack_flags.has_value() + relro + !interpreter.empty();
    std::string body, names(1, '\0'), symbols;
    const uint64_t start = header + segments * record;
    const auto here = [&] { return start + body.size(); };
    const auto align = [&] { body.resize(body.size() + (8 - here() % 8) % 8); };
    const auto name = [&](const std::string& text) {
      const uint64_t at = names.size();
      names += text + '\0';
      return at;
    };

    const uint64_t interpreter_at = here();
    body += interpreter;
    if (!interpreter.empty()) body += '\0';
    symbol(symbols, 0, 0, 0, 0);
    for (const std::string& text : imports) symbol(symbols, name(text), 0, 0x12, 0);
    for (const std::string& text : exports) symbol(symbols, name(text), kBase, 0x12, 9);
    const uint64_t count = 1 + imports.size() + exports.size();
    align();
    hash_at = here();
    put(body, 1, 4), put(body, count, 4), put(body, 0, 4);  // one bucket; nothing here follows the chains
    for (uint64_t i = 0; i < count; ++i) put(body, 0, 4);
    align();
    const uint64_t gnu_at = here();  // symbols from 1 on are hashed; one bucket, one word of Bloom filter
    put(body, 1, 4), put(body, 1, 4), put(body, 1, 4), put(body, 0, 4);
    address(body, 0);
    put(body, count > 1 ? 1 : 0, 4);
    for (uint64_t i = 1; i < count; ++i) put(body, i + 1 == count ? 1 : 2, 4);
    align();
    std::string table;
    const auto tag = [&](uint64_t kind, uint64_t value) { address(table, kind), address(table, value); };
    for (const std::string& text : needed) tag(1, name(text));
    for (const auto& [kind, text] : texts) tag(kind, name(text));
    for (const auto& [kind, value] : tags) tag(kind, value);
    symbols_at = here();
    body += symbols;
    names_at = here();
    body += names;
    align();
    if (hash) tag(4, kBase + hash_at);
    if (gnu_hash) tag(0x6ffffef5, kBase + gnu_at);
    if (mips_count) tag(0x70000011, count);
    tag(5, kBase + names_at), tag(6, kBase + symbols_at), tag(10, names.size()), tag(0, 0);
    dynamic_at = here();
    if (dynamic) body += table;
    body += strings;
    align();
    body += code;

    std::string out(
        "\x7f"
        "ELF");
    put(out, bits == 64 ? 2 : 1, 1), put(out, order == Order::kLittle ? 1 : 2, 1), put(out, 1, 1);
    out.resize(16);
    put(out, type, 2), put(out, machine, 2), put(out, 1, 4);
    address(out, entry), address(out, header), address(out, 0);
    put(out, 0, 4), put(out, header, 2), put(out, record, 2), put(out, segments, 2);
    put(out, 0, 2), put(out, 0, 2), put(out, 0, 2);
    out += segment(1, 0, start + body.size(), 5);
    if (dynamic) out += segment(2, dynamic_at, table.size(), 6);
    if (stack_flags) out += segment(0x6474e551, 0, 0, *stack_flags);
    if (relro) out += segment(0x6474e552, dynamic_at, table.size(), 4);
    if (!interpreter.empty()) out += segment(3, interpreter_at, interpreter.size() + 1, 4);
    return out + body;
  }
};

}  // namespace assay::elf
