// VxWorks images with their symbol table: code and data of one address space, as a boot loader leaves them in memory,
// and in it an array of the names and addresses of functions and variables, which the target's shell uses.
//
//   entry   0 address of the name  4 address of the symbol  8 group (16 bits)  10 type  11 0  12 0 (the next entry's
//           link in a hash table, filled in at run time); type 4 text, 6 data, 8 zeroed data, each with 1 for external
//
// Both orders of bytes occur; in some images group and type have changed places (9 type). Nothing says where the array
// is or where the image is loaded: the longest run of entries is taken, and the load address is the one at which every
// name of a sample of entries is an identifier behind a NUL. So much is checked: the shape of the entries and the names
// of the sample. Nothing confirms the rest of the image, or that it ends where the content does.
// Source: VxWorks 5.5 h/symbol.h, in the words of Ruben Santamarta (2011) and of ReFirmLabs/binwalk
// src/structures/vxworks.rs.
#include "core/find.h"
#include "unpack/describe.h"

#include <algorithm>
#include <array>

namespace assay::unpack::vxworks {
namespace {

constexpr uint64_t kEntry = 16, kLeastEntries = 250, kLeastSize = 64 << 10, kLargest = 64 << 20, kSamples = 48;
constexpr uint64_t kLongestName = 256;

struct Symbols {
  uint64_t at = 0, count = 0;
  Order order = Order::kBig;
  uint64_t type_at = 10;  // in an entry
};

struct Entry {
  uint32_t name = 0, value = 0;
  uint8_t type = 0;
};

bool is_type(uint8_t type) { return type >= 4 && type <= 9; }

// The last eight bytes of an entry are 00 00 TT 00 or 00 TT 00 00, then zeros.
uint64_t type_place(Bytes b, uint64_t at) {
  if (b[at + 8] || b[at + 11] || b[at + 12] || b[at + 13] || b[at + 14] || b[at + 15]) return 0;
  if (b[at + 9] == 0 && is_type(b[at + 10])) return 10;
  return b[at + 10] == 0 && is_type(b[at + 9]) ? 9 : 0;
}

uint64_t run_from(Bytes b, uint64_t at) {
  const uint64_t place = type_place(b, at);
  uint64_t count = 0;
  for (; at + kEntry <= b.size() && type_place(b, at) == place; at += kEntry) {
    const bool has_name = b[at] | b[at + 1] | b[at + 2] | b[at + 3];
    if (!has_name) break;
    ++count;
  }
  return count;
}

Entry entry_at(Bytes b, const Symbols& s, uint64_t i) {
  const uint64_t at = s.at + i * kEntry;
  return {*b.get<uint32_t>(at, s.order, ""), *b.get<uint32_t>(at + 4, s.order, ""), b[at + s.type_at]};
}

// The names of one image lie within its size: in the wrong order of bytes they are all over.
bool names_are_near(Bytes b, const Symbols& s) {
  uint32_t least = UINT32_MAX, most = 0;
  for (uint64_t i = 0; i < s.count; ++i) {
    const uint32_t name = entry_at(b, s, i).name;
    least = std::min(least, name), most = std::max(most, name);
  }
  return most - least < b.size();
}

Result<Symbols> find_symbols(Bytes b) {
  Symbols best;
  for (uint64_t at = 0; at + kEntry <= b.size(); at += 4) {
    if (!type_place(b, at)) continue;
    const uint64_t count = run_from(b, at);
    if (count > best.count) best.at = at, best.count = count;
    if (count) at += (count - 1) * kEntry;
  }
  if (best.count < kLeastEntries) return fail(Fault::kForeign, "no symbol table", b.base());
  best.type_at = type_place(b, best.at);
  for (const Order order : {Order::kBig, Order::kLittle}) {
    best.order = order;
    if (names_are_near(b, best)) return best;
  }
  return fail(Fault::kForeign, "names of the symbols are no addresses of one image", b.base() + best.at);
}

bool is_letter(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '.';
}

std::string_view name_at(Bytes b, uint64_t at) {
  if (at == 0 || at >= b.size() || b[at - 1] != 0 || !is_letter(b[at])) return {};
  const std::string_view text = b.head(kLongestName, at).text();
  const size_t end = text.find('\0');
  return end == text.npos ? std::string_view() : text.substr(0, end);
}

// Where the image is loaded: the lowest name of a sample may start at any identifier; the others decide.
Result<uint32_t> load_address(Bytes b, const Symbols& s) {
  std::array<uint32_t, kSamples> names{};
  for (uint64_t i = 0; i < kSamples; ++i) names[i] = entry_at(b, s, i * (s.count - 1) / (kSamples - 1)).name;
  std::ranges::sort(names);
  const uint64_t span = names.back() - names.front();
  for (uint64_t at = 1; at + span < b.size(); ++at) {
    if (b[at - 1] != 0 || !is_letter(b[at]) || names.front() < at) continue;
    const bool all =
        std::ranges::all_of(names, [&](uint32_t name) { return !name_at(b, at + (name - names.front())).empty(); });
    if (all) return static_cast<uint32_t>(names.front() - at);
  }
  return fail(Fault::kForeign, "no load address at which the symbols have names", b.base() + s.at);
}

struct Image {
  Symbols symbols;
  uint32_t base = 0;
};

Result<Image> read_image(Bytes b) {
  if (b.size() < kLeastSize || b.size() > kLargest) return fail(Fault::kForeign, "no size of an image", b.base());
  if (find_text(b.text(), "VxWorks") == std::string_view::npos &&
      find_text(b.text(), "WIND version") == std::string_view::npos)
    return fail(Fault::kForeign, "does not name VxWorks", b.base());
  Image image{TRY(find_symbols(b)), 0};
  image.base = TRY(load_address(b, image.symbols));
  return image;
}

Result<Measured> measure(Bytes from) {
  TRY(read_image(from));
  return Measured{from.size(), false};
}

char letter_of(uint8_t type) {
  const char letter = type >= 8 ? 'b' : type >= 6 ? 'd' : 't';
  return type & 1 ? static_cast<char>(letter - 'a' + 'A') : letter;
}

// As nm(1) prints them: address, letter, name.
Result<void> write_symbols(Bytes b, const Image& image, Sink& into) {
  uint64_t unnamed = 0;
  for (uint64_t i = 0; i < image.symbols.count; ++i) {
    const Entry e = entry_at(b, image.symbols, i);
    const std::string_view name = e.name >= image.base ? name_at(b, e.name - image.base) : std::string_view();
    if (name.empty()) {
      ++unnamed;
      continue;
    }
    char head[16];
    std::snprintf(head, sizeof head, "%08x %c ", e.value, letter_of(e.type));
    TRY_VOID(into.output().write(Bytes(head + std::string(name) + "\n").span()));
  }
  if (unnamed) into.note("symbols without a name", std::to_string(unnamed), image.symbols.at);
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  TRY_VOID(into.step(whole.size() / 256));
  const Image image = TRY(read_image(whole));
  const Symbols& s = image.symbols;
  const uint64_t end = s.at + s.count * kEntry;
  into.note("load address", hex_number(image.base), s.at);
  into.note("byte order", s.order == Order::kBig ? "big" : "little", s.at);
  into.note("symbols", std::to_string(s.count), s.at);
  TRY_VOID(between(whole, 0, s.at, "image", into));
  TRY_VOID(write_symbols(whole, image, into));
  TRY_VOID(into.child("symbols", {{whole.head(end - s.at, s.at)}, "vxworks-symbols"}));
  return between(whole, end, whole.size(), "image-" + hex_number(end), into);
}

}  // namespace

extern const Format kVxWorks;
const Format kVxWorks = {
    .id = "vxworks",
    .title = "VxWorks image with its symbol table",
    .version = 3,
    .measure = measure,
    .unpack = unpack,
    .readable = true,
    .carve = false,
    .reads = "tables of 250 symbols or more, both byte orders; the load address follows from the names of 48 of them",
    .limits =
        "images of more than 64 MiB; no checksum confirms the image: the shape of the table's entries and the names of "
        "the 48 are what is checked, "
        "entries without a name are counted; images without a table are no container; tables that are built at run "
        "time or kept in a file of their own; 64 bits; the image's code is not read by name yet",
    .source = "VxWorks 5.5 h/symbol.h; ReFirmLabs/binwalk src/structures/vxworks.rs",
    .checked = "own builder only"};

}  // namespace assay::unpack::vxworks
