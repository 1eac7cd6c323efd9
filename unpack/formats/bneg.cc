// BNEG, the container of Instar's cameras: two partitions behind a header.
//
//   0   "BNEG", version (two words), sizes of the two partitions; little endian
//   20  first partition, second partition
//
// Source: onekey-sec/unblob, handlers/archive/instar/bneg.py.
#include "unpack/vendor.h"

namespace assay::unpack::bneg {
namespace {

constexpr Magic kMagics[] = {{"BNEG"}};
constexpr uint64_t kHeader = 20;
constexpr uint32_t kHighestVersion = 16;

struct Header {
  uint32_t major = 0, minor = 0;
  uint64_t first = 0, second = 0;
};

Result<Header> read_header(Bytes from) {
  Header h;
  h.major = TRY(from.le<uint32_t>(4, "major version"));
  h.minor = TRY(from.le<uint32_t>(8, "minor version"));
  h.first = TRY(from.le<uint32_t>(12, "size of the first partition"));
  h.second = TRY(from.le<uint32_t>(16, "size of the second partition"));
  if (h.major == 0 || h.major > kHighestVersion || h.minor > kHighestVersion)
    return fail(Fault::kUnsupported, "version " + std::to_string(h.major), from.base() + 4);
  if (h.first == 0 || h.second == 0) return fail(Fault::kMalformed, "empty partition", from.base() + 12);
  TRY(from.slice(kHeader, h.first + h.second, "partitions"));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{kHeader + h.first + h.second, false};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeader);
  into.note("version", std::to_string(h.major) + "." + std::to_string(h.minor), 4);
  TRY_VOID(into.child("part1", stored(whole.head(h.first, kHeader))));
  return into.child("part2", stored(whole.head(h.second, kHeader + h.first)));
}

}  // namespace

extern const Format kBneg;
const Format kBneg = {.id = "bneg",
                      .title = "Instar BNEG firmware image",
                      .magics = kMagics,
                      .measure = measure,
                      .unpack = unpack,
                      .source = "unblob handlers/archive/instar/bneg.py",
                      .checked = "the sample of fact_extractor; own builder in the tests"};

}  // namespace assay::unpack::bneg
