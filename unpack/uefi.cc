// Sections of files of UEFI firmware volumes.
//
//   0  size with this header (3; ff ff ff: the size is at 4, and the header 8 bytes long), type (1)
//   type 01 compressed: size (4), 0 stored or 1 EFI compression (1)
//        02 GUID-defined: GUID (16), where the data starts from the section (2), attributes (2: 1 needs decoding, 2 has
//           a status)
//        10 PE32  11 PIC  12 TE  13, 1b, 1c when to run it
//        14 version (number (2), UTF-16)  15 name (UTF-16)  16 16-bit  17 a volume  18 GUID (16), data  19 raw
//
// Sections stand at multiples of four bytes. Source: UEFI Platform Initialization specification 1.7, volume
// 3, 2.2.4, 3.2.5.
#include "unpack/uefi.h"
#include "core/text.h"

#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/efi_compress.h"

#include <array>

namespace assay::unpack {
namespace {

constexpr int kDeepestVolume = 8;
constexpr uint64_t kLongestText = 1024;  // bytes of UTF-16; a name becomes a part of many paths
constexpr uint8_t kCompressed = 0x01, kGuided = 0x02, kDisposable = 0x03, kVolume = 0x17;
constexpr std::string_view kLzma = "EE4E5898-3914-4259-9D6E-DC7BD79403CF",
                           kTiano = "A31280AD-481E-41B6-95E8-127F4C984779",
                           kCrc32 = "FC1BCDB0-7D31-49AA-936A-A4600D9DD083";

struct Section {
  uint8_t type = 0;
  uint64_t at = 0, header = 4, size = 0;  // size with the header
};

Result<Section> read_section(Bytes b, uint64_t at) {
  Section s{.at = at};
  const auto word = TRY(b.le<uint32_t>(at, "section"));
  s.size = word & 0xffffff, s.type = static_cast<uint8_t>(word >> 24);
  if (s.size == 0xffffff) s.size = TRY(b.le<uint32_t>(at + 4, "section size")), s.header = 8;
  const bool known =
      (s.type >= 1 && s.type <= 3) || (s.type >= 0x10 && s.type <= 0x1c && s.type != 0x1a) || s.type == 0x20;
  if (!known || s.size < s.header)
    return fail(Fault::kMalformed, "section of type " + std::to_string(s.type), b.base() + at);
  TRY(b.slice(at, s.size, "section"));
  return s;
}

std::string_view suffix_of(uint8_t type) {
  constexpr std::array<std::string_view, 13> kSuffixes = {
      ".efi", ".pic", ".te", ".depex", "", "", ".legacy", "", ".freeform", ".raw", "", ".peidepex", ".mmdepex"};
  return type >= 0x10 && type <= 0x1c ? kSuffixes[type - 0x10] : std::string_view(".section");
}

// The bytes of sections, and where they come from: plain, a range of the volume; decoded, the packed range and a codec.
struct Source {
  Bytes bytes;
  Bytes packed = {};
  std::string codec = {};
};

class UefiWalk {
 public:
  explicit UefiWalk(Sink& into) : into_(into) {}

  Result<void> sections(const Source& source, const std::string& path, int depth) {
    if (depth > kDeepestVolume)
      return problem(fail(Fault::kLimit, "sections nest too deep", source.bytes.base()).error());
    const std::string name = name_in(source.bytes);
    const std::string below = name.empty() ? path : path + "/" + name;
    for (uint64_t at = 0; at + 4 <= source.bytes.size();) {
      TRY_VOID(into_.step());
      const auto section = read_section(source.bytes, at);
      if (!section && is_run(source.bytes.head(source.bytes.size(), at))) return {};  // padding
      if (!section) return problem(section.error());
      header(source, at, section->header);
      TRY_VOID(put(source, *section, below, depth));
      at = (at + section->size + 3) / 4 * 4;
    }
    return {};
  }

 private:
  Result<void> problem(Error error) {
    into_.problem(std::move(error));
    return {};
  }
  void header(const Source& source, uint64_t at, uint64_t length) {
    if (source.codec.empty()) into_.range(Range::kHeader, source.bytes.base() + at, length);
  }
  static std::string name_in(Bytes sections) {
    for (uint64_t at = 0; at + 4 <= sections.size();) {
      const auto section = read_section(sections, at);
      if (!section) return {};
      if (section->type == 0x15)
        return utf16_text(sections.head(section->size - section->header, at + section->header));
      at = (at + section->size + 3) / 4 * 4;
    }
    return {};
  }

  Result<void> put(const Source& source, const Section& s, const std::string& path, int depth) {
    const Bytes data = source.bytes.head(s.size - s.header, s.at + s.header);
    if (s.type == kCompressed || s.type == kGuided) return put_encoded(source, s, data, path, depth);
    if (s.type == kDisposable) return sections(within(source, data), path, depth + 1);
    if (s.type == 0x14 || s.type == 0x15) {
      header(source, s.at, s.size);
      if (s.type == 0x14)
        into_.note("version of " + path, utf16_text(data.head(data.size(), 2)),
                   source.codec.empty() ? data.base() : source.packed.base());
      return {};
    }
    return leaf(source, data, s.type, path);
  }

  static Source within(const Source& source, Bytes data) { return {data, source.packed, source.codec}; }

  Result<void> leaf(const Source& source, Bytes data, uint8_t type, const std::string& path) {
    Content content = stored(data);
    if (!source.codec.empty()) {
      TRY_VOID(into_.output().write(data.span()));
      content = {.extents = {source.packed}, .codec = source.codec};
    }
    if (type == kVolume) return into_.child(path + "/volume", std::move(content));
    return into_.node({.kind = Kind::kFile, .path = path + std::string(suffix_of(type))}, std::move(content));
  }

  // Decodes what a compressed or GUID-defined section holds and walks it; what cannot be decoded is named.
  Result<void> put_encoded(const Source& source, const Section& s, Bytes data, const std::string& path, int depth) {
    std::string guid, codec;
    Bytes packed = data;
    if (s.type == kGuided) {
      guid = guid_text(data, 0);
      const auto start = data.le<uint16_t>(16, "data offset");
      if (!start || *start < s.header + 20 || *start > s.size)
        return problem(fail(Fault::kMalformed, "data offset", data.base()).error());
      packed = source.bytes.head(s.size - *start, s.at + *start);
      header(source, s.at, *start);
      const auto attributes = data.le<uint16_t>(18, "attributes").value_or(0);
      if (guid == kCrc32) state_crc(source, data, packed);
      if (guid != kLzma && guid != kTiano && !(attributes & 1))
        return sections(within(source, packed), path, depth + 1);
      codec = guid == kLzma ? "lzma" : guid == kTiano ? "tiano" : "";
    } else {
      const auto kind = data.le<uint8_t>(4, "compression type");
      if (!kind) return problem(kind.error());
      packed = data.head(data.size(), 5);
      header(source, s.at, s.header + 5);
      if (*kind == 0) return sections(within(source, packed), path, depth + 1);
      codec = *kind == 1 ? "efi" : *kind == 2 ? "lzma" : "";
    }
    if (codec.empty())
      return problem(fail(Fault::kUnsupported,
                          path + ": section encoded by " + (guid.empty() ? "an unknown compression" : guid),
                          packed.base())
                         .error());
    return decode(source, packed, codec, path, depth);
  }

  void state_crc(const Source& source, Bytes data, Bytes covered) {
    const auto stored = data.le<uint32_t>(20, "crc");
    if (stored && source.codec.empty())
      into_.integrity(checksum("section crc", "crc32", checksum_holds(crc32(covered), *stored), data.base() + 20));
  }

  Result<void> decode(const Source& source, Bytes packed, const std::string& codec, const std::string& path,
                      int depth) {
    TRY_VOID(into_.step(1 + packed.size() / 4));  // tables may be built for every few bytes
    MemoryOutput plain(256 << 20);
    Result<uint64_t> used = 0;
    if (codec == "lzma") used = decode_lzma_alone(packed, plain);
    if (codec == "tiano") used = decode_efi_compressed(packed, EfiVariant::kTiano, plain);
    if (codec == "efi") {  // both variants have this type; the one that decodes and begins with a section is right
      used = decode_efi_compressed(packed, EfiVariant::kEfi, plain);
      if (!used || !read_section(plain.bytes(), 0)) {
        TRY_VOID(into_.step(1 + plain.written() / 64));
        plain.clear();
        used = decode_efi_compressed(packed, EfiVariant::kTiano, plain);
      }
    }
    TRY_VOID(into_.step(1 + plain.written() / 64));
    if (!used) return problem({used.error().fault, path + ": " + used.error().what, packed.base()});
    const Bytes from = source.codec.empty() ? packed : source.packed;
    return sections({plain.bytes(), from, source.codec.empty() ? codec : source.codec + "+" + codec}, path, depth + 1);
  }

  Sink& into_;
};

}  // namespace

std::string guid_text(Bytes b, uint64_t at) {
  char text[40] = "";
  const Bytes g = b.head(16, at);
  if (g.size() != 16) return text;
  std::snprintf(text, sizeof text, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", g[3], g[2],
                g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
  return text;
}

std::string utf16_text(Bytes b) {
  std::string text;
  for (uint64_t at = 0; at + 2 <= b.size() && at < kLongestText; at += 2) {
    const uint32_t c = static_cast<uint32_t>(b[at]) | static_cast<uint32_t>(b[at + 1]) << 8;
    if (c == 0) break;
    append_utf8(text, c == '/' ? '_' : c);
  }
  return text;
}

Result<void> put_uefi_sections(Bytes whole, Bytes sections, const std::string& path, Sink& into) {
  return UefiWalk(into).sections({.bytes = whole.head(sections.size(), sections.base() - whole.base())}, path, 0);
}

}  // namespace assay::unpack
