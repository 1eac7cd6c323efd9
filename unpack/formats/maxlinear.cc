// Unified image of Intel's (MaxLinear's) Puma 6 and 7 cable modems, often behind a PKCS #7 signature. Big-endian.
//
//   0  "VER2" or "VER3"  4 name (20)  40 parts
//   version 2: 52 not known (40), 92 sizes of the parts (10 of 32 bits), 132 their types (10 bytes), 160 the parts
//   version 3: 52 not known (80), 132 sizes (20), 212 types (20 bytes), 252 the parts
//
// Types: 2 Atom kernel, 3 Atom root file system, 8 ARM kernel, 9 ARM root file system, 10 gateway root file system.
// Source: fact_extractor plugins/unpacking/maxlinear/code/maxlinear_uimage.py and its sample.
#include "core/text.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>

namespace assay::unpack::maxlinear {
namespace {

constexpr Magic kMagics[] = {{"VER2"}, {"VER3"}};

struct Layout {
  uint64_t sizes, types, data;
  uint32_t most;  // parts
};
constexpr Layout kTwo = {92, 132, 160, 10}, kThree = {132, 212, 252, 20};

struct Part {
  uint64_t at = 0, size = 0;
  uint8_t type = 0;
};

std::string name_of_type(uint8_t type) {
  switch (type) {
    case 2:
      return "atom-kernel";
    case 3:
      return "atom-rootfs";
    case 8:
      return "arm-kernel";
    case 9:
      return "arm-rootfs";
    case 10:
      return "gateway-rootfs";
    default:
      return "type-" + std::to_string(type);
  }
}

Result<std::vector<Part>> read_parts(Bytes b) {
  const Layout& l = b.starts_with("VER2") ? kTwo : kThree;
  TRY(b.slice(0, l.data, "header"));
  const std::string_view name = b.head(20, 4).text();
  const std::string_view text = name.substr(0, name.find('\0'));
  if (text.size() < 4 || !looks_like_text(text)) return fail(Fault::kForeign, "no name", b.base() + 4);
  std::vector<Part> parts;
  uint64_t at = l.data;
  const uint32_t count = std::min(*b.be<uint32_t>(40, ""), l.most);
  for (uint32_t i = 0; i < count; ++i) {
    const Part part = {at, *b.be<uint32_t>(l.sizes + 4 * i, ""), b[l.types + i]};
    if (part.size == 0) continue;
    TRY(b.slice(at, part.size, "part"));
    parts.push_back(part);
    at += part.size;
  }
  if (parts.empty()) return fail(Fault::kForeign, "no parts", b.base() + 40);
  return parts;
}

Result<Measured> measure(Bytes from) {
  const auto parts = TRY(read_parts(from));
  return Measured{parts.back().at + parts.back().size, false};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const auto parts = TRY(read_parts(whole));
  note_text(whole, 4, 20, "name", into);
  into.range(Range::kHeader, 0, parts.front().at);
  std::vector<std::string> names;
  for (const Part& part : parts) {
    std::string name = name_of_type(part.type);
    if (std::ranges::find(names, name) != names.end()) name += "-" + std::to_string(names.size());
    names.push_back(name);
    TRY_VOID(into.child(name, stored(whole.head(part.size, part.at))));
  }
  return {};
}

}  // namespace

extern const Format kMaxLinear;
const Format kMaxLinear = {
    .id = "maxlinear",
    .title = "Intel/MaxLinear unified image (Puma cable modems)",
    .version = 1,
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "versions 2 and 3",
    .limits = "its digests are not known; Puma 8 images are plain uImages and read as such",
    .source = "fact_extractor plugins/unpacking/maxlinear",
    .checked = "real image: sample of fact_extractor (version 2); own builder only for version 3"};

}  // namespace assay::unpack::maxlinear
