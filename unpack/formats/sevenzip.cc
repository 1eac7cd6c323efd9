// 7-Zip archives.
//
//   0   "7z\xbc\xaf\x27\x1c", version (2)
//   8   CRC-32 of the 20 bytes that follow
//   12  where the end header starts, counted from 32 (8); its size (8); its CRC-32 (4)
//   32  packed streams; the end header: which streams make up which folder, names, times, CRCs
//
// Source: 7-Zip's doc/7zFormat.txt. Members are decoded by libarchive.
#include "unpack/libarchive.h"
#include "unpack/vendor.h"

#include <archive.h>

namespace assay::unpack::sevenzip {
namespace {

constexpr std::string_view kStart("7z\xbc\xaf\x27\x1c", 6);
constexpr Magic kMagics[] = {{kStart}};
constexpr uint64_t kHeader = 32;

struct Header {
  uint64_t packed = 0, end_header = 0;
  bool end_header_holds = false;
  uint64_t end() const { return kHeader + packed + end_header; }
};

Result<Header> read_header(Bytes b) {
  if (!b.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", b.base());
  Header h;
  const auto crc = TRY(b.le<uint32_t>(8, "start header crc"));
  if (!checksum_holds(crc32(TRY(b.slice(12, 20, "start header"))), crc))
    return fail(Fault::kMalformed, "start header crc does not match", b.base() + 8);
  h.packed = TRY(b.le<uint64_t>(12, "end header offset"));
  h.end_header = TRY(b.le<uint64_t>(20, "end header size"));
  TRY(b.slice(kHeader, h.packed, "packed streams"));
  const Bytes end = TRY(b.slice(kHeader + h.packed, h.end_header, "end header"));
  h.end_header_holds = checksum_holds(crc32(end), TRY(b.le<uint32_t>(28, "end header crc")));
  return h;
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{h.end(), h.end_header_holds};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  into.range(Range::kHeader, 0, kHeader);
  state_checksum("start header crc", "crc32", true, 8, into);
  state_checksum("end header crc", "crc32", h.end_header_holds, 28, into);
  const ArchiveRead read = TRY(read_archive(whole, {.enable = archive_read_support_format_7zip, .id = "7z"}, into));
  if (read.encrypted && read.decoded == 0) {
    into.range(Range::kEncrypted, kHeader, h.packed);
    into.range(read.entries > 0 ? Range::kHeader : Range::kEncrypted, kHeader + h.packed, h.end_header);
    return {};
  }
  if (read.ended) into.range(Range::kHeader, kHeader + h.packed, h.end_header);
  if (read.ended && read.failed == 0) into.range(Range::kContent, kHeader, h.packed);
  return {};
}

}  // namespace

extern const Format kSevenZip;
const Format kSevenZip = {
    .id = "7z",
    .title = "7-Zip archive",
    .magics = kMagics,
    .measure = measure,
    .unpack = unpack,
    .reads = "LZMA, LZMA2, PPMd, deflate, bzip2, zstd as far as libarchive has it, BCJ filters; solid or not",
    .limits =
        "encrypted members and encrypted headers are named, not opened; several volumes; where one member of a "
        "solid archive cannot be decoded, all packed bytes stay unknown",
    .source = "7-Zip doc/7zFormat.txt; libarchive",
    .checked = "foreign tool: 7z, bsdtar"};

}  // namespace assay::unpack::sevenzip
