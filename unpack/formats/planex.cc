// Planex's images: a SHA-1 and a length, without a magic.
//
//   0   SHA-1 of a number (2 or 4, 32 bits) and of the data, version (8), 2 bytes, length of the data, big endian
//   34  the data
//
// Source: openwrt/firmware-utils, src/mkplanexfw.c.
#include "core/hash.h"
#include "unpack/vendor.h"

namespace assay::unpack::planex {
namespace {

constexpr uint64_t kHeader = 34, kLeast = 64;
constexpr std::string_view kSeeds[] = {{"\0\0\0\2", 4}, {"\0\0\0\4", 4}};

Result<uint64_t> read_size(Bytes from) {
  const uint64_t size = TRY(from.be<uint32_t>(30, "length"));
  const Bytes data = TRY(from.slice(kHeader, size, "data"));
  if (size < kLeast) return fail(Fault::kForeign, "length", from.base() + 30);
  std::array<uint8_t, 20> stored_digest{};
  std::memcpy(stored_digest.data(), from.data(), stored_digest.size());
  for (const std::string_view seed : kSeeds)
    if (checksum_holds(sha1(Bytes(std::string(seed) + std::string(data.text()))), stored_digest)) return size;
  return fail(Fault::kForeign, "sha1", from.base());
}

// The digest is taken only where the version looks like one: the format is tried on every content.
bool has_version(Bytes from) {
  if (from.size() <= kHeader || from[20] <= ' ') return false;
  const std::string_view version = from.head(8, 20).text();
  for (const char c : version.substr(0, version.find('\0')))
    if (c < ' ' || c > '~') return false;
  return true;
}

Result<Measured> measure(Bytes from) {
  if (!has_version(from)) return fail(Fault::kForeign, "version", from.base() + 20);
  return Measured{kHeader + TRY(read_size(from)), true};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const uint64_t size = TRY(read_size(whole));
  into.range(Range::kHeader, 0, kHeader);
  note_text(whole, 20, 8, "version", into);
  into.integrity(checksum("sha1 of the data", "sha1", true, 0));
  return into.child("image", stored(whole.head(size, kHeader)));
}

}  // namespace

extern const Format kPlanex;
const Format kPlanex = {.id = "planex",
                        .title = "Planex firmware image",
                        .measure = measure,
                        .unpack = unpack,
                        .carve = false,
                        .source = "openwrt/firmware-utils src/mkplanexfw.c",
                        .checked = "output of openwrt's mkplanexfw; own builder in the tests"};

}  // namespace assay::unpack::planex
