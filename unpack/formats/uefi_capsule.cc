// UEFI capsules, and flash images with Intel's descriptor.
//
//   capsule:     0 GUID (16), header size (4), flags (4), size of the capsule (4); then the body: volumes, or
//                of kind FMP (GUID 6DCBD5ED…):
//                version 1 (4), drivers (2), payloads (2), offsets of both from here (8 each); a
//                payload: version (4), GUID of the image type (16), index (1), reserved (3), image size (4), vendor
//                code size (4), with version 2 hardware instance (8), with version 3 capabilities (8); image
//   descriptor:  16 0x0ff0a55a  20 map: component section, regions - 1, region section (each / 16)
//                regions: first and last block of 4096 bytes (2, 2); first behind last: there is none
//
// Source: UEFI specification 2.10, 8.5.3 and 23.3; Intel 200 Series PCH, SPI Programming Guide; flashrom,
// ich_descriptors.c.
#include "unpack/describe.h"
#include "unpack/uefi.h"

#include <algorithm>

namespace assay::unpack::uefi_capsule {
namespace {

// EFI firmware management, EFI 2.0 and Intel's and Phoenix' older GUIDs of capsules.
constexpr Magic kMagics[] = {
    {std::string_view("\xed\xd5\xcb\x6d\x2d\xe8\x4c\x44\xbd\xa1\x71\x94\x19\x9a\xd9\x2a", 16)},
    {std::string_view("\xbd\x86\x66\x3b\x76\x0d\x30\x40\xb7\x0e\xb5\x51\x9e\x2f\xc5\xa0", 16)},
    {std::string_view("\xb9\x82\x91\x53\xb5\xab\x91\x43\xb6\x9a\xe3\xa9\x43\xf7\x2f\xcc", 16)}};
constexpr Magic kDescriptorMagics[] = {{std::string_view("\x5a\xa5\xf0\x0f", 4), 16}};
constexpr std::string_view kRegions[] = {"descriptor",       "bios",  "me",        "gbe", "platform",
                                         "device-expansion", "bios2", "microcode", "ec"};
constexpr uint64_t kBlock = 4096;

struct Capsule {
  uint64_t header = 0, size = 0;
  bool fmp = false;
};

Result<Capsule> read_capsule(Bytes b) {
  Capsule c;
  if (std::ranges::none_of(kMagics, [&](const Magic& m) { return b.starts_with(m.bytes); }))
    return fail(Fault::kMalformed, "GUID", b.base());
  c.fmp = b.starts_with(kMagics[0].bytes);
  c.header = TRY(b.le<uint32_t>(16, "header size"));
  c.size = TRY(b.le<uint32_t>(24, "size"));
  if (c.header < 28 || c.header > kBlock || c.size <= c.header)
    return fail(Fault::kMalformed, "header size", b.base() + 16);
  TRY(b.slice(0, c.size, "capsule"));
  return c;
}

Result<Measured> measure_capsule(Bytes from) { return Measured{TRY(read_capsule(from)).size, false}; }

Result<void> put_payload(Bytes body, uint64_t at, uint64_t base, const std::string& name, Sink& into) {
  const auto version = TRY(body.le<uint32_t>(at, "version of a payload"));
  const uint64_t header = version >= 3 ? 48 : version == 2 ? 40 : 32;
  const uint64_t size = TRY(body.le<uint32_t>(at + 24, "image size")),
                 code = TRY(body.le<uint32_t>(at + 28, "vendor code size"));
  const Bytes image = TRY(body.slice(at + header, size, "image"));
  into.range(Range::kHeader, base + at, header);
  into.note(name + " type", guid_text(body, at + 4), base + at + 4);
  TRY_VOID(into.child(name, stored(image)));
  if (code == 0) return {};
  return into.child(name + "-vendor-code", stored(TRY(body.slice(at + header + size, code, "vendor code"))));
}

Result<void> put_fmp(Bytes body, uint64_t base, Sink& into) {
  const auto drivers = TRY(body.le<uint16_t>(4, "drivers")), payloads = TRY(body.le<uint16_t>(6, "payloads"));
  const uint64_t count = uint64_t{drivers} + payloads;
  if (TRY(body.le<uint32_t>(0, "version")) != 1 || count > 256) return fail(Fault::kUnsupported, "version", base);
  into.range(Range::kHeader, base, 8 + 8 * count);
  std::vector<uint64_t> offsets;
  for (uint64_t i = 0; i < count; ++i) offsets.push_back(TRY(body.le<uint64_t>(8 + 8 * i, "offset")));
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = (i < drivers ? "driver" : "payload") + std::to_string(i < drivers ? i : i - drivers);
    const uint64_t end = i + 1 < count ? offsets[i + 1] : body.size();
    if (offsets[i] > end) return fail(Fault::kMalformed, "offset of " + name, base + 8 + 8 * i);
    if (i < drivers)
      TRY_VOID(into.child(name, stored(TRY(body.slice(offsets[i], end - offsets[i], "driver")))));
    else
      TRY_VOID(put_payload(body, offsets[i], base, name, into));
  }
  return {};
}

Result<void> unpack_capsule(Bytes whole, Sink& into) {
  const Capsule c = TRY(read_capsule(whole));
  into.range(Range::kHeader, 0, c.header);
  into.note("kind", guid_text(whole, 0), 0);
  const Bytes body = whole.head(c.size - c.header, c.header);
  return c.fmp ? put_fmp(body, c.header, into) : into.child("body", stored(body));
}

struct Region {
  std::string name;
  uint64_t from = 0, to = 0;
};

Result<std::vector<Region>> read_regions(Bytes b) {
  if (TRY(b.le<uint32_t>(16, "signature")) != 0x0ff0a55a) return fail(Fault::kMalformed, "signature", b.base() + 16);
  const auto map = TRY(b.le<uint32_t>(20, "map"));
  const uint64_t section = uint64_t{map >> 16 & 0xff} << 4;
  if (section < 32 || section >= kBlock) return fail(Fault::kMalformed, "region section", b.base() + 20);
  std::vector<Region> regions;
  for (uint64_t i = 0; i < std::size(kRegions); ++i) {
    const uint64_t first = TRY(b.le<uint16_t>(section + 4 * i, "region")) & 0x7fff,
                   last = TRY(b.le<uint16_t>(section + 4 * i + 2, "region")) & 0x7fff;
    if (first > last || (i > 4 && (first == 0 || last == 0x7fff))) continue;  // absent; older chips have five
    TRY(b.slice(first * kBlock, (last + 1 - first) * kBlock, kRegions[i]));
    regions.push_back({std::string(kRegions[i]), first * kBlock, (last + 1) * kBlock});
  }
  std::ranges::stable_sort(regions, {}, &Region::from);
  for (size_t i = 1; i < regions.size(); ++i)
    if (regions[i].from < regions[i - 1].to) return fail(Fault::kMalformed, "regions overlap", b.base() + section);
  if (regions.size() < 2 || regions[0].name != "descriptor" || regions[0].from != 0)
    return fail(Fault::kMalformed, "no region beside the descriptor", b.base() + section);
  return regions;
}

Result<Measured> measure_descriptor(Bytes from) { return Measured{TRY(read_regions(from)).back().to, false}; }

Result<void> unpack_descriptor(Bytes whole, Sink& into) {
  const auto regions = TRY(read_regions(whole));
  into.range(Range::kHeader, 0, kBlock);
  uint64_t at = regions[0].to;
  for (size_t i = 1; i < regions.size(); ++i) {
    const Region& r = regions[i];
    TRY_VOID(between(whole, at, r.from, "unused-" + hex_number(at), into));
    TRY_VOID(into.child(r.name, stored(whole.head(r.to - r.from, r.from))));
    at = r.to;
  }
  return {};
}

}  // namespace

extern const Format kUefiCapsule;
const Format kUefiCapsule = {
    .id = "uefi-capsule",
    .title = "UEFI capsule",
    .magics = kMagics,
    .measure = measure_capsule,
    .unpack = unpack_capsule,
    .reads = "firmware management capsules (drivers, payloads), and bodies of volumes",
    .limits = "nothing in the format confirms it; signatures of payloads are part of the payload",
    .source = "UEFI specification 2.10, 8.5.3 and 23.3",
    .checked = "own builder only"};

extern const Format kIntelFlash;
const Format kIntelFlash = {.id = "intel-flash",
                            .title = "Flash image with Intel's descriptor",
                            .magics = kDescriptorMagics,
                            .measure = measure_descriptor,
                            .unpack = unpack_descriptor,
                            .reads = "the regions as parts",
                            .limits = "the management engine's own partitions; straps and access rights",
                            .source = "Intel SPI Programming Guide; flashrom ich_descriptors.c",
                            .checked = "own builder only"};

}  // namespace assay::unpack::uefi_capsule
