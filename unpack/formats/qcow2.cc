// QCOW2, the disk image of QEMU and OpenStack: virtual network functions are shipped as it. Big-endian.
//
//   0   "QFI" 0xfb  4 version (2, 3)  8 where the backing file's name is (64 bits)  16 its length
//   20  cluster's size (log2)  24 size of the disk (64 bits)  32 encryption (0 none, 1 AES, 2 LUKS)
//   36  entries of the L1 table  40 where it is (64 bits)  48 where the refcount table is (64 bits)  56 its clusters
//   60  snapshots  64 where they are (64 bits)
//   version 3: 72 features that must be known: 1 dirty, 2 corrupt, 4 data in another file, 8 other compression,
//     16 subclusters  96 refcount's bits (log2)  100 length of the header  104 compression (0 deflate, 1 zstd)
//   behind it extensions: type, length, data padded to 8; type 0 ends them
//   L1      one L2 table each: bits 9 to 55 say where it is
//   L2      one cluster each: bit 62 compressed, bit 0 reads as zeros, bits 9 to 55 where it is; 0: not allocated
//           compressed: the low bits where it is, above them how many further sectors of 512 bytes it touches
//           with subclusters a second word: 32 bits that say which are stored, 32 which are zeros
//   refcounts  a table of blocks; a cluster whose count is 0 is not used
//
// Source: QEMU docs/interop/qcow2.txt.
#include "core/text.h"
#include "unpack/codecs.h"
#include "unpack/formats/virtual_disk.h"

namespace assay::unpack::qcow2 {
namespace {

constexpr Magic kMagics[] = {{"QFI\xfb"}};
constexpr uint64_t kOffset = 0x00fffffffffffe00, kCompressed = uint64_t{1} << 62;
constexpr uint64_t kDataElsewhere = 4, kSubclusters = 16, kKnownFeatures = 31;
constexpr uint64_t kLongestName = 1023;  // of a backing file

struct Header {
  uint32_t version = 0, crypt = 0, snapshots = 0, cluster_bits = 0, refcount_bits = 16;
  uint64_t cluster = 0, size = 0, l1_at = 0, l1_entries = 0, refcounts_at = 0, refcounts = 0;  // refcounts: bytes
  uint64_t backing_at = 0, backing_size = 0, features = 0, length = 72;
  bool zstd = false;
  uint64_t entry() const { return features & kSubclusters ? 16 : 8; }
  uint64_t table() const { return cluster / entry(); }  // entries of an L2 table
};

Result<void> read_version_3(Bytes b, Header& h) {
  h.features = TRY(b.be<uint64_t>(72, "incompatible features"));
  if (h.features & ~kKnownFeatures)
    return fail(Fault::kUnsupported, "incompatible features " + std::to_string(h.features), b.base() + 72);
  const uint32_t order = TRY(b.be<uint32_t>(96, "refcount order"));
  if (order > 6) return fail(Fault::kMalformed, "refcount order " + std::to_string(order), b.base() + 96);
  h.refcount_bits = 1u << order;
  h.length = TRY(b.be<uint32_t>(100, "header length"));
  if (h.length < 104 || h.length > h.cluster)
    return fail(Fault::kMalformed, "header length " + std::to_string(h.length), b.base() + 100);
  const uint8_t compression = h.length > 104 ? TRY(b.be<uint8_t>(104, "compression type")) : 0;
  if (compression > 1)
    return fail(Fault::kUnsupported, "compression type " + std::to_string(compression), b.base() + 104);
  h.zstd = compression == 1;
  return {};
}

Result<Header> read_header(Bytes b) {
  Header h;
  if (!b.starts_with(kMagics[0].bytes)) return fail(Fault::kForeign, "magic", b.base());
  const auto bad = [&](const std::string& what, uint64_t at) { return fail(Fault::kMalformed, what, b.base() + at); };
  TRY(b.slice(0, 72, "header"));
  const auto u32 = [&](uint64_t at) { return *b.be<uint32_t>(at, ""); };
  const auto u64 = [&](uint64_t at) { return *b.be<uint64_t>(at, ""); };
  h.version = u32(4);
  if (h.version != 2 && h.version != 3)
    return fail(Fault::kUnsupported, "version " + std::to_string(h.version), b.base() + 4);
  h.backing_at = u64(8);
  h.backing_size = u32(16);
  if (h.backing_at && h.backing_size > kLongestName) return bad("backing file name size", 16);
  h.cluster_bits = u32(20);
  if (h.cluster_bits < 9 || h.cluster_bits > 21) return bad("cluster bits " + std::to_string(h.cluster_bits), 20);
  h.cluster = uint64_t{1} << h.cluster_bits;
  h.size = u64(24);
  h.crypt = u32(32);
  h.l1_entries = u32(36);
  h.l1_at = u64(40);
  h.refcounts_at = u64(48);
  h.refcounts = u32(56) * h.cluster;
  h.snapshots = u32(60);
  if (h.version == 3) TRY_VOID(read_version_3(b, h));
  if (h.l1_at % h.cluster || h.refcounts_at % h.cluster) return bad("tables are not aligned to clusters", 40);
  TRY(b.slice(h.l1_at, h.l1_entries * 8, "L1 table"));
  TRY(b.slice(h.refcounts_at, h.refcounts, "refcount table"));
  const uint64_t covered = h.table() * h.cluster;
  if (h.size > h.l1_entries * covered) return bad("L1 table is too short for the size " + std::to_string(h.size), 24);
  return h;
}

// Entry `index` of a block of counts whose width is a power of two, 1 to 64 bits.
bool is_counted(Bytes block, uint64_t index, uint32_t bits) {
  if (bits < 8) return block[index * bits / 8] >> (index * bits % 8) & ((1u << bits) - 1);
  const Bytes entry = block.head(bits / 8, index * bits / 8);
  return std::ranges::any_of(entry.span(), [](std::byte b) { return b != std::byte{0}; });
}

// Behind the last cluster that is used; the file may end within it.
Result<uint64_t> end_of(Bytes whole, const Header& h) {
  const uint64_t counts = h.cluster * 8 / h.refcount_bits;  // of a block
  uint64_t blocks = 0, end = std::max({h.length, h.l1_at + h.l1_entries * 8, h.refcounts_at + h.refcounts});
  for (uint64_t i = h.refcounts / 8; i-- > 0;) {
    const uint64_t at = *whole.be<uint64_t>(h.refcounts_at + i * 8, "") & kOffset;
    if (at == 0) continue;
    const Bytes block = TRY(whole.slice(at, h.cluster, "refcount block"));
    if (++blocks > whole.size() / h.cluster)
      return fail(Fault::kMalformed, "more refcount blocks than clusters", whole.base() + h.refcounts_at);
    uint64_t last = counts;
    while (last > 0 && !is_counted(block, last - 1, h.refcount_bits)) --last;
    if (last == 0) continue;
    if (i > whole.size() / h.cluster / counts || (i * counts + last - 1) * h.cluster >= whole.size())
      return fail(Fault::kTruncated, "cluster " + std::to_string(i * counts + last - 1) + " is counted as used",
                  whole.base() + at);
    end = std::max(end, (i * counts + last) * h.cluster);
    break;
  }
  return std::min(end, whole.size());
}

Result<Measured> measure(Bytes from) {
  const Header h = TRY(read_header(from));
  return Measured{TRY(end_of(from, h)), true};
}

class Reader {
 public:
  Reader(Bytes whole, const Header& h, Sink& into)
      : whole_(whole), h_(h), into_(into), disk_(into, h.size, "qcow2"), scratch_(h.cluster) {}

  Result<void> run() {
    for (uint64_t i = 0; i < h_.l1_entries && !disk_.complete(); ++i) {
      TRY_VOID(into_.step(1));
      const uint64_t at = *whole_.be<uint64_t>(h_.l1_at + i * 8, "") & kOffset;
      const uint64_t covers = std::min(disk_.left(), h_.table() * h_.cluster);
      if (at == 0) {
        missing_ += covers;
        TRY_VOID(disk_.hole(covers));
      } else if (const auto table = whole_.slice(at, h_.cluster, "L2 table"); table) {
        into_.range(Range::kHeader, at, h_.cluster);
        TRY_VOID(read_table(*table));
      } else {
        TRY_VOID(disk_.lost(table.error(), covers));
      }
    }
    if (h_.backing_at && missing_ > 0)
      into_.problem({Fault::kUnsupported,
                     std::to_string(missing_) + " bytes of the disk lie in its backing file; they are zeros here",
                     h_.backing_at});
    return disk_.finish();
  }

 private:
  Result<void> read_table(Bytes table) {
    TRY_VOID(into_.step(h_.table() / 64 + 1));
    for (uint64_t i = 0; i < h_.table() && !disk_.complete(); ++i) {
      const uint64_t entry = *table.be<uint64_t>(i * h_.entry(), "");
      const uint64_t parts = h_.features & kSubclusters ? *table.be<uint64_t>(i * 16 + 8, "") : 0;
      const auto read = entry & kCompressed               ? compressed(entry)
                        : h_.features & kSubclusters      ? subclusters(entry & kOffset, parts)
                        : entry & 1 || !(entry & kOffset) ? absent(!(entry & 1), h_.cluster)
                                                          : plain(entry & kOffset, h_.cluster);
      if (!read) TRY_VOID(disk_.lost(read.error(), h_.cluster));
    }
    return {};
  }

  Result<void> absent(bool unallocated, uint64_t length) {
    if (unallocated) missing_ += std::min(length, disk_.left());
    return disk_.hole(length);
  }
  Result<void> plain(uint64_t at, uint64_t length) {
    if (at >= whole_.size())
      return fail(Fault::kTruncated, "cluster at " + std::to_string(at) + " lies past the end", at);
    return disk_.stored(whole_.head(std::min(length, disk_.left()), at), length);
  }
  Result<void> subclusters(uint64_t at, uint64_t parts) {
    const uint64_t length = h_.cluster / 32;
    if (at >= whole_.size() && (parts & 0xffffffff))
      return fail(Fault::kTruncated, "cluster at " + std::to_string(at) + " lies past the end", at);
    for (unsigned i = 0; i < 32; ++i) {
      if (parts >> i & 1 && at + i * length < whole_.size())
        TRY_VOID(plain(at + i * length, length));
      else
        TRY_VOID(absent(!(parts >> i & 1) && !(parts >> (32 + i) & 1), length));
    }
    return {};
  }
  Result<void> compressed(uint64_t entry) {
    const unsigned shift = 62 - (h_.cluster_bits - 8);
    const uint64_t at = entry & ((uint64_t{1} << shift) - 1);
    const uint64_t sectors = (entry & (kCompressed - 1)) >> shift;
    const Bytes from = TRY(whole_.from(at, "compressed cluster")).head((sectors + 1) * 512 - at % 512);
    scratch_.clear();
    const uint64_t used = TRY(h_.zstd ? decode_zstd(from, scratch_) : inflate_raw(from, scratch_));
    return disk_.decoded(from.head(used), scratch_.bytes().span(), h_.cluster);
  }

  Bytes whole_;
  const Header& h_;
  Sink& into_;
  VirtualDisk disk_;
  MemoryOutput scratch_;
  uint64_t missing_ = 0;
};

void claim_tables(Bytes whole, const Header& h, Sink& into) {
  uint64_t at = h.length;
  for (uint32_t type = 1; type != 0;) {
    type = whole.be<uint32_t>(at, "").value_or(0);
    const uint64_t size = whole.be<uint32_t>(at + 4, "").value_or(0);
    if (size > h.cluster) break;
    at += 8 + (size + 7) / 8 * 8;
  }
  into.range(Range::kHeader, 0, std::min({at, h.cluster, whole.size()}));
  into.range(Range::kHeader, h.l1_at, h.l1_entries * 8);
  into.range(Range::kHeader, h.refcounts_at, h.refcounts);
  for (uint64_t i = 0; i < h.refcounts / 8; ++i)
    if (const uint64_t block = *whole.be<uint64_t>(h.refcounts_at + i * 8, "") & kOffset)
      if (whole.slice(block, h.cluster, "")) into.range(Range::kHeader, block, h.cluster);
}

// Where the disk's clusters are is known, what they say is not.
Result<void> claim_encrypted(Bytes whole, const Header& h, Sink& into) {
  uint64_t tables = 0;
  for (uint64_t i = 0; i < h.l1_entries; ++i) {
    const uint64_t at = *whole.be<uint64_t>(h.l1_at + i * 8, "") & kOffset;
    const auto table = whole.slice(at, h.cluster, "L2 table");
    if (at == 0 || !table) continue;
    if (++tables > whole.size() / h.cluster)
      return fail(Fault::kMalformed, "more L2 tables than clusters", whole.base() + h.l1_at);
    TRY_VOID(into.step(h.table()));
    into.range(Range::kHeader, at, h.cluster);
    for (uint64_t k = 0; k < h.table(); ++k)
      if (const uint64_t data = *table->be<uint64_t>(k * h.entry(), "") & kOffset; data != 0 && data < whole.size())
        into.range(Range::kEncrypted, data, std::min(h.cluster, whole.size() - data));
  }
  return {};
}

Result<void> unpack(Bytes whole, Sink& into) {
  const Header h = TRY(read_header(whole));
  TRY_VOID(into.step(1 + h.refcounts / 8));
  claim_tables(whole, h, into);
  into.note("version", std::to_string(h.version), 4);
  into.note("disk size", std::to_string(h.size), 24);
  if (h.backing_at) {
    into.note("backing file", escape(TRY(whole.text_field(h.backing_at, h.backing_size, "backing file name"))),
              h.backing_at);
    into.range(Range::kHeader, h.backing_at, h.backing_size);
  }
  if (h.snapshots) into.problem({Fault::kUnsupported, std::to_string(h.snapshots) + " snapshots are not read", 60});
  if (h.features & kDataElsewhere) return fail(Fault::kUnsupported, "data lies in another file", 72);
  if (h.crypt) {
    TRY_VOID(claim_encrypted(whole, h, into));
    into.problem({Fault::kEncrypted, h.crypt == 1 ? "AES-128-CBC (deprecated)" : "LUKS", 32});
    return {};
  }
  return Reader(whole, h, into).run();
}

}  // namespace

extern const Format kQcow2;
const Format kQcow2 = {.id = "qcow2",
                       .title = "QEMU QCOW2 disk image",
                       .version = 1,
                       .magics = kMagics,
                       .measure = measure,
                       .unpack = unpack,
                       .reads = "versions 2 and 3: plain, zero, deflate and zstd clusters, subclusters",
                       .limits =
                           "backing files and data in another file are not followed; snapshots; encrypted disks "
                           "are named as such",
                       .source = "QEMU docs/interop/qcow2.txt",
                       .checked = "foreign tool: qemu-img"};

}  // namespace assay::unpack::qcow2
