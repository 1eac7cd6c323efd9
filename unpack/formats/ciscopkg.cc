// The package files of Cisco's security appliances that start with C0 C5.
//
//   0   C0 C5, 2 bytes unused, 4: version, 8: number of sections, 9: kind ('r' to 'w'), 10: 8 bytes unused
//   18  sections: type (8 bits), name (11), size (32 bits), bytes
//
//   types: 1 tar.bz2, 2 checksum, 3 key, 4 signed checksum, 5 encrypted tar.bz2: real size (64 bits), initial vector
//   (16), hash (56), AES-256-CBC with the key of section 3, itself encrypted with a key that is documented
//
// Numbers are little endian. Source: nezlooy, cisco_pkg.py (a plug-in for binwalk 2).
#include "core/hash.h"
#include "core/text.h"
#include "unpack/crypt.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::ciscopkg {
namespace {

constexpr Magic kMagics[] = {{std::string_view("\xc0\xc5")}};
constexpr uint64_t kHeader = 18, kSectionHeader = 16, kCipherHeader = 80;
constexpr std::string_view kText = "R4o0x~8d|4=Jh^%P)Kqf6d5e.v#^%#(&(;kuwtUTR-WQp%^#86";

struct Section {
  uint64_t at = 0, size = 0;
  uint8_t type = 0;
  std::string name;
  uint64_t data() const { return at + kSectionHeader; }
};

Result<std::vector<Section>> read_sections(Bytes from) {
  const uint8_t count = TRY(from.le<uint8_t>(8, "number of sections")), kind = TRY(from.le<uint8_t>(9, "kind"));
  if (count == 0 || kind < 'r' || kind > 'w') return fail(Fault::kForeign, "kind", from.base() + 9);
  std::vector<Section> sections;
  uint64_t at = kHeader;
  for (int i = 0; i < count; ++i) {
    Section s{
        .at = at, .size = TRY(from.le<uint32_t>(at + 12, "section size")), .type = TRY(from.le<uint8_t>(at, "type"))};
    s.name = TRY(from.text_field(at + 1, 11, "section name"));
    if (s.type < 1 || s.type > 5) return fail(Fault::kForeign, "section type", from.base() + at);
    TRY(from.slice(s.data(), s.size, "section"));
    at = s.data() + s.size;
    sections.push_back(std::move(s));
  }
  return sections;
}

Result<Measured> measure(Bytes from) {
  const auto sections = TRY(read_sections(from));
  return Measured{sections.back().data() + sections.back().size, false};
}

std::string package_key(Bytes whole, const std::vector<Section>& sections) {
  const auto key = std::ranges::find(sections, 3, &Section::type);
  if (key == sections.end()) return {};
  const Digest outer = sha256(Bytes(kText));
  const std::string_view outer_key(reinterpret_cast<const char*>(outer.bytes.data()), outer.bytes.size());
  return aes_cbc_decrypt(whole.head(key->size / 16 * 16, key->data()).text(), outer_key, std::string(16, '\0'))
      .value_or("")
      .substr(0, 32);
}

Result<void> put_encrypted(Bytes whole, const Section& s, const std::string& key, Sink& into) {
  const uint64_t head = std::min(s.size, kCipherHeader);
  into.range(Range::kHeader, s.data(), head);
  const Bytes cipher = whole.head(s.size - head, s.data() + head);
  auto plain = aes_cbc_decrypt(cipher.text(), key, whole.head(16, s.data() + 8).text());
  if (!plain || !plain->starts_with("BZh")) {
    leave_encrypted(cipher, "encrypted with AES-256-CBC; the documented key yields no bzip2", into);
    return {};
  }
  if (const auto size = whole.le<uint64_t>(s.data(), "real size"); size && *size < plain->size()) plain->resize(*size);
  return opened_child(s.name, cipher, *plain, "aes-256-cbc", "the key that wraps every package's key, in cisco_pkg.py",
                      into);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto sections = TRY(read_sections(whole));
  const std::string key = package_key(whole, sections);
  into.range(Range::kHeader, 0, kHeader);
  for (const Section& s : sections) {
    TRY_VOID(into.step());
    into.range(Range::kHeader, s.at, kSectionHeader);
    if (s.type == 5) {
      TRY_VOID(put_encrypted(whole, s, key, into));
      continue;
    }
    if (s.type == 4) into.integrity(unchecked_signature(escape(s.name), "unknown", s.data()));
    TRY_VOID(into.child(s.name.empty() ? "section" : s.name, stored(whole.head(s.size, s.data()))));
  }
  return {};
}

}  // namespace

extern const Format kCiscoPkg;
const Format kCiscoPkg = {.id = "ciscopkg",
                          .title = "Cisco appliance package (C5C0)",
                          .magics = kMagics,
                          .measure = measure,
                          .unpack = unpack,
                          .carve = false,
                          .limits = "checksums and signed checksums are children; they are not compared",
                          .source = "nezlooy cisco_pkg.py",
                          .checked = "own builder in the tests only"};

}  // namespace assay::unpack::ciscopkg
