// Firmware of DrayTek's routers with their own operating system (.all, .rst), and its way of LZ4. Big endian.
//
//   two sections, the second for the pages of the web server:
//   0   length, with the checksum
//   4   first section: version (8), offset (24); second section: length of the data
//
//   first section   header of 256 bytes; boot loader, words up to and with 0xa55aa55a; length and system;
//                   then, perhaps, "DLM/1.0" and modules
//   second section  8 bytes, data, zeros
//
// Each ends at a multiple of 4 with the sum of its words, inverted.
//
//   LZ4 data        aa 1d 7f 50; little-endian length and block, again and again; each but the last decodes to 64 KiB
//
// Source: infobyte/draytek-arsenal, draytek_fw.ksy, compression.py, commands/patch.py.
#include "core/hash.h"
#include "unpack/codecs.h"
#include "unpack/describe.h"
#include "unpack/vendor.h"

#include <algorithm>
#include <optional>

namespace assay::unpack::draytek {
namespace {

using namespace std::string_view_literals;

constexpr Magic kLz4Magics[] = {{"\xaa\x1d\x7f\x50"sv}};
constexpr std::string_view kEndOfLoader = "\xa5\x5a\xa5\x5a"sv;
constexpr uint64_t kHeader = 256, kMostBlock = 64 << 10, kMostLoader = 1 << 20;

struct Section {
  Bytes bytes;  // without the checksum
  uint32_t stated = 0;
};

Result<Section> read_section(Bytes b) {
  const uint64_t length = TRY(b.be<uint32_t>(0, "section's length"));
  if (length < 16) return fail(Fault::kForeign, "section's length", b.base());
  const uint64_t sum_at = ((length + 3) / 4 - 1) * 4;
  Section s{.bytes = TRY(b.slice(0, sum_at, "section"))};
  s.stated = TRY(b.be<uint32_t>(sum_at, "section's checksum"));
  if (!checksum_holds(~word_sum(s.bytes, Order::kBig), s.stated))
    return fail(Fault::kForeign, "section's checksum does not match", b.base() + sum_at);
  return s;
}

struct Image {
  Section first, second;
  Bytes loader, system, modules, pages;
  uint64_t length() const { return first.bytes.size() + 4 + second.bytes.size() + 4; }
};

Result<Image> read_image(Bytes b) {
  // Cheap first: a loader must end behind the header, before sums over what may be anything are taken.
  if (b.size() < kHeader + 64) return fail(Fault::kForeign, "size", b.base());
  const uint64_t stated = *b.be<uint32_t>(0, "");
  if (stated < kHeader + 64 || stated > b.size()) return fail(Fault::kForeign, "section's length", b.base());
  uint64_t end = kHeader;
  while (end + 4 <= std::min(b.size(), kMostLoader) && !b.starts_with(kEndOfLoader, end)) end += 4;
  if (!b.starts_with(kEndOfLoader, end)) return fail(Fault::kForeign, "no end of the boot loader", b.base());
  Image image{.first = TRY(read_section(b))};
  const Bytes& f = image.first.bytes;
  image.loader = TRY(f.slice(kHeader, end + 4 - kHeader, "boot loader"));
  const uint64_t size = TRY(f.be<uint32_t>(end + 4, "system's length"));
  image.system = TRY(f.slice(end + 8, size, "system"));
  const uint64_t after = (end + 8 + size + 3) / 4 * 4;
  if (f.starts_with("DLM/1.0", after)) image.modules = f.head(f.size(), after);
  image.second = TRY(read_section(b.head(b.size(), f.size() + 4)));
  const uint64_t pages = TRY(image.second.bytes.be<uint32_t>(4, "length of the pages"));
  image.pages = TRY(image.second.bytes.slice(8, pages, "pages"));
  return image;
}

Result<Measured> measure(Bytes from) { return Measured{TRY(read_image(from)).length(), true}; }

void claim_rest(Bytes whole, uint64_t from, uint64_t to, Sink& into) {
  if (from < to && is_run(whole.head(to - from, from))) into.range(Range::kPadding, from, to - from);
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Image image = TRY(read_image(whole));
  const uint64_t second = image.first.bytes.size() + 4, end = image.length();
  const auto at = [&](Bytes b) { return b.base() - whole.base(); };
  into.range(Range::kHeader, 0, kHeader);
  into.range(Range::kHeader, at(image.system) - 4, 4);
  into.range(Range::kHeader, second - 4, 12);
  into.range(Range::kHeader, end - 4, 4);
  into.integrity(checksum("system's sum", "sum32", true, second - 4));
  into.integrity(checksum("pages' sum", "sum32", true, end - 4));
  into.note("version", std::to_string(whole[4] >> 4), 4);
  into.note("product", std::to_string(whole[4] & 15), 4);
  TRY_VOID(into.child("bootloader", stored(image.loader)));
  TRY_VOID(into.child("system", stored(image.system)));
  const uint64_t behind = at(image.system) + image.system.size();
  if (!image.modules.empty()) {
    claim_rest(whole, behind, at(image.modules), into);
    TRY_VOID(into.child("modules", stored(image.modules)));
  } else {
    claim_rest(whole, behind, second - 4, into);
  }
  TRY_VOID(into.child("pages", stored(image.pages)));
  claim_rest(whole, at(image.pages) + image.pages.size(), end - 4, into);
  return {};
}

// The block at `at` is written; how long it is, with its length.
Result<uint64_t> decode_block(Bytes from, uint64_t at, Output& into) {
  const uint64_t length = TRY(from.le<uint32_t>(at, "block's length"));
  if (length == 0 || length > 2 * kMostBlock)
    return fail(Fault::kMalformed, "block's length " + std::to_string(length), from.base() + at);
  const Bytes block = TRY(from.slice(at + 4, length, "block"));
  TRY_VOID(decode_lz4_block(block, kMostBlock, into));
  return 4 + length;
}

// Nothing ends it but a block that is shorter than the others, or the end, or what is no block.
Result<Decoded> decode(Bytes from, Output& into) {
  if (!from.starts_with(kLz4Magics[0].bytes)) return fail(Fault::kForeign, "magic", from.base());
  const uint64_t before = into.written();
  uint64_t at = 4, full = before;
  do {
    const auto block = decode_block(from, at, into);
    // Of what does not decode nothing was written: it stands behind a last block that is as long as the others.
    if (!block && at > 4 && block.error().fault == Fault::kMalformed) break;
    at += TRY(block);
    full += kMostBlock;
  } while (into.written() == full && at + 4 <= from.size());
  if (into.written() == before) return fail(Fault::kMalformed, "stream is empty", from.base());
  return Decoded{.length = at, .verified = false};
}

}  // namespace

extern const Format kDraytek, kDraytekLz4;
const Format kDraytek = {
    .id = "draytek",
    .title = "DrayTek firmware image (own operating system)",
    .version = 1,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads = "both sections with their sums: boot loader, system, modules, pages",
    .limits =
        "only at the start of a content, as it has no magic; modules, whose keys are not public, and "
        "the file system of the pages (PFS) are not opened",
    .source = "infobyte/draytek-arsenal draytek_fw.ksy, commands/patch.py",
    .checked = "own builder only"};
const Format kDraytekLz4 = {
    .id = "draytek-lz4",
    .title = "DrayTek's LZ4 stream",
    .version = 2,
    .magics = kLz4Magics,
    .decode = decode,
    .reads = "blocks of 64 KiB up to a shorter one, the end, or what is no block",
    .limits = "stored blocks; a stream has neither checksum nor end mark: that each block decodes is what is checked",
    .source = "infobyte/draytek-arsenal compression.py",
    .checked = "own builder only, its blocks by liblz4"};

}  // namespace assay::unpack::draytek
