// VHD, the disk of Hyper-V, Azure and Xen. Big-endian. A fixed disk is its bytes and a footer; a dynamic one has a copy
// of the footer in front, a header with the table of blocks, and the blocks.
//
//   footer  0 "conectix"  12 version 1.0  16 where the header is (64 bits)  28 creator (4 letters)  40 first size
//           48 size (64 bits each)  60 kind: 2 fixed, 3 dynamic, 4 differencing  64 checksum  68 UUID
//   header  0 "cxsparse"  16 where the table is (64 bits)  24 version 1.0  28 entries  32 block's size  36 checksum
//           64 parent's name (UTF-16, 512 bytes)
//   table   where each block is, in sectors of 512 bytes; all ones: not there
//   block   a bit for each sector that was written, padded to a sector; then the block
//
// The checksums are the complement of the sum of all bytes but their own.
// Source: Microsoft, Virtual Hard Disk Image Format Specification 1.0.
#include "core/hash.h"
#include "core/text.h"
#include "unpack/formats/virtual_disk.h"

namespace assay::unpack::vhd {
namespace {

constexpr uint64_t kSector = 512, kFooter = 512, kHeader = 1024;
constexpr uint32_t kAbsent = ~0u;
constexpr std::string_view kCookie = "conectix";
constexpr Magic kMagics[] = {{kCookie}};
constexpr Magic kFixedMagics[] = {{kCookie, uint64_t{0} - kFooter}};

enum Type : uint32_t { kFixed = 2, kDynamic = 3, kDifferencing = 4 };

bool sums_up(Bytes b, uint64_t checksum_at) {
  uint32_t sum = 0;
  for (uint64_t i = 0; i < b.size(); ++i) sum += i - checksum_at < 4 ? 0 : b[i];
  return checksum_holds(~sum, *b.be<uint32_t>(checksum_at, ""));
}

struct Footer {
  uint64_t header_at = 0, size = 0;
  uint32_t type = 0;
  std::string creator;
};

Result<Footer> read_footer(Bytes whole, uint64_t at) {
  const Bytes b = TRY(whole.slice(at, kFooter, "footer"));
  if (!b.starts_with(kCookie)) return fail(Fault::kForeign, "cookie", b.base());
  if (!sums_up(b, 64)) return fail(Fault::kMalformed, "checksum of the footer", b.base() + 64);
  if (*b.be<uint16_t>(12, "") != 1) return fail(Fault::kUnsupported, "version", b.base() + 12);
  return Footer{*b.be<uint64_t>(16, ""), *b.be<uint64_t>(48, ""), *b.be<uint32_t>(60, ""), *b.text_field(28, 4, "")};
}

struct Dynamic {
  Footer footer;
  uint64_t table_at = 0, entries = 0, block = 0, bitmap = 0, end = 0;  // end: where the closing footer starts
};

Result<Dynamic> read_dynamic(Bytes whole) {
  Dynamic d{.footer = TRY(read_footer(whole, 0))};
  if (d.footer.type != kDynamic && d.footer.type != kDifferencing)
    return fail(Fault::kMalformed, "type " + std::to_string(d.footer.type), whole.base() + 60);
  const uint64_t at = d.footer.header_at;
  const Bytes b = TRY(whole.slice(at, kHeader, "dynamic disk header"));
  if (!b.starts_with("cxsparse") || !sums_up(b, 36))
    return fail(Fault::kMalformed, "cookie or checksum of the dynamic disk header", b.base());
  d.table_at = *b.be<uint64_t>(16, "");
  d.entries = *b.be<uint32_t>(28, "");
  d.block = *b.be<uint32_t>(32, "");
  if (d.block < kSector || d.block & (d.block - 1) || d.block > (256u << 20))
    return fail(Fault::kMalformed, "block size " + std::to_string(d.block), b.base() + 32);
  d.bitmap = (d.block / kSector / 8 + kSector - 1) / kSector * kSector;
  if (d.footer.size > d.entries * d.block)
    return fail(Fault::kMalformed, "table is too short for size " + std::to_string(d.footer.size), whole.base() + 48);
  TRY(whole.slice(d.table_at, d.entries * 4, "block allocation table"));
  d.end = std::max({kFooter, at + kHeader, (d.table_at + d.entries * 4 + kSector - 1) / kSector * kSector});
  for (uint64_t i = 0; i < d.entries; ++i)
    if (const uint32_t sector = *whole.be<uint32_t>(d.table_at + i * 4, ""); sector != kAbsent)
      d.end = std::max(d.end, sector * kSector + d.bitmap + d.block);
  TRY(read_footer(whole, d.end));
  return d;
}

Result<Measured> measure_dynamic(Bytes from) { return Measured{TRY(read_dynamic(from)).end + kFooter, true}; }

void state_footer(const Footer& f, uint64_t at, Sink& into) {
  into.range(Range::kHeader, at, kFooter);
  into.note("disk size", std::to_string(f.size), at + 48);
  into.note("creator", escape(f.creator), at + 28);
  into.integrity(checksum("footer checksum", "sum", true, at + 64));  // else it is no footer
}

Result<void> unpack_dynamic(Bytes whole, Sink& into) {
  const Dynamic d = TRY(read_dynamic(whole));
  state_footer(d.footer, 0, into);
  into.range(Range::kHeader, d.end, kFooter);
  into.range(Range::kHeader, d.footer.header_at, kHeader);
  into.range(Range::kHeader, d.table_at, d.entries * 4);
  VirtualDisk disk(into, d.footer.size, "vhd");
  uint64_t missing = 0;
  for (uint64_t i = 0; i < d.entries && !disk.complete(); ++i) {
    TRY_VOID(into.step(1));
    const uint32_t sector = *whole.be<uint32_t>(d.table_at + i * 4, "");
    if (sector == kAbsent) {
      ++missing;
      TRY_VOID(disk.hole(d.block));
      continue;
    }
    into.range(Range::kHeader, sector * kSector, d.bitmap);
    TRY_VOID(
        disk.stored(TRY(whole.slice(sector * kSector + d.bitmap, std::min(d.block, disk.left()), "block")), d.block));
  }
  if (d.footer.type == kDifferencing)
    into.problem(
        {Fault::kUnsupported,
         "differences to another disk: what is not here is zeros, " + std::to_string(missing) + " blocks whole", 60});
  return disk.finish();
}

Result<Footer> read_fixed(Bytes whole) {
  if (whole.size() < kFooter) return fail(Fault::kTruncated, "footer", whole.base());
  const uint64_t at = whole.size() - kFooter;
  Footer f = TRY(read_footer(whole, at));
  if (f.type != kFixed) return fail(Fault::kMalformed, "type " + std::to_string(f.type), whole.base() + at + 60);
  if (f.size != at)
    return fail(Fault::kMalformed, "size " + std::to_string(f.size) + " of " + std::to_string(at),
                whole.base() + at + 48);
  return f;
}

Result<Measured> measure_fixed(Bytes from) {
  TRY(read_fixed(from));
  return Measured{from.size(), true};
}

Result<void> unpack_fixed(Bytes whole, Sink& into) {
  const Footer f = TRY(read_fixed(whole));
  state_footer(f, f.size, into);
  return into.child("disk", stored(whole.head(f.size)));
}

}  // namespace

extern const Format kVhd;
const Format kVhd = {.id = "vhd",
                     .title = "Microsoft VHD disk image, dynamic",
                     .version = 1,
                     .magics = kMagics,
                     .measure = measure_dynamic,
                     .unpack = unpack_dynamic,
                     .reads = "dynamic disks; of differencing ones what they hold",
                     .limits = "parents of differencing disks are not followed",
                     .source = "Microsoft Virtual Hard Disk Image Format Specification 1.0",
                     .checked = "foreign tool: qemu-img"};

extern const Format kVhdFixed;
const Format kVhdFixed = {.id = "vhd-fixed",
                          .title = "Microsoft VHD disk image, fixed",
                          .version = 1,
                          .magics = kFixedMagics,
                          .measure = measure_fixed,
                          .unpack = unpack_fixed,
                          .carve = false,
                          .source = "Microsoft Virtual Hard Disk Image Format Specification 1.0",
                          .checked = "foreign tool: qemu-img"};

}  // namespace assay::unpack::vhd
