// Superblock and checkpoint of F2FS; see f2fs.h for the layout.
#include "core/hash.h"
#include "unpack/formats/f2fs.h"

namespace assay::unpack::f2fs {
namespace {

constexpr uint32_t kMagic = 0xf2f52010;
constexpr uint32_t kClean = 1, kLargeBitmap = 0x400;

std::string label_of(Bytes field) {  // UTF-16; other than ASCII as '?'
  std::string text;
  for (uint64_t at = 0; at + 2 <= field.size(); at += 2) {
    const uint16_t unit = *field.le<uint16_t>(at, "");
    if (unit == 0) break;
    text.push_back(unit < 128 ? static_cast<char>(unit) : '?');
  }
  return text;
}

Result<void> check(const Super& s, Bytes whole, uint64_t at) {
  const auto bad = [&](const std::string& what) { return fail(Fault::kMalformed, what, whole.base() + at); };
  if (s.segment != 512) return bad("segments of " + std::to_string(s.segment) + " blocks");
  if (!(s.checkpoint < s.nat && s.nat < s.main && s.main < s.blocks)) return bad("the order of the areas");
  if (s.checkpoint + uint64_t{2} * s.segment > s.nat) return bad("checkpoints have no room");
  if (s.blocks > whole.size() / kBlock)
    return fail(Fault::kTruncated, "file system of " + std::to_string(s.blocks) + " blocks", whole.base() + at + 36);
  return {};
}

Result<Super> read_at(Bytes whole, uint64_t at) {
  const Bytes b = TRY(whole.slice(at, 3072, "superblock"));
  if (*b.le<uint32_t>(0, "") != kMagic) return fail(Fault::kMalformed, "magic", b.base());
  if (*b.le<uint32_t>(16, "") != 12)
    return fail(Fault::kUnsupported, "block size of 2^" + std::to_string(*b.le<uint32_t>(16, "")), b.base() + 16);
  Super s;
  const uint32_t bits = *b.le<uint32_t>(20, "");
  s.segment = bits < 20 ? 1u << bits : 0;
  s.blocks = *b.le<uint64_t>(36, "");
  s.checkpoint = *b.le<uint32_t>(76, "");
  s.nat = *b.le<uint32_t>(84, "");
  s.main = *b.le<uint32_t>(92, "");
  s.root = *b.le<uint32_t>(96, "");
  s.label = label_of(b.head(1024, 124));
  s.payload = *b.le<uint32_t>(1664, "");
  s.features = *b.le<uint32_t>(2180, "");
  if (b[2201] != 0) return fail(Fault::kUnsupported, "it lies on several devices", b.base() + 2201);
  if (s.blocks >> 32) return fail(Fault::kMalformed, "blocks", b.base() + 36);
  TRY_VOID(check(s, whole, at));
  return s;
}

// The NAT's bitmap: which copy of each of its blocks is in force.
Result<Bytes> bitmap_of(Bytes first, const Super& super, uint32_t flags) {
  const uint32_t sit = *first.le<uint32_t>(156, ""), nat = *first.le<uint32_t>(160, "");
  const uint64_t at = flags & kLargeBitmap ? 196 : super.payload ? 192 : uint64_t{192} + sit;
  return first.slice(at, nat, "bitmap of the NAT");
}

Result<Checkpoint> read_pack(Bytes whole, const Super& super, uint64_t start) {
  const Bytes b = TRY(whole.slice(start * kBlock, kBlock, "checkpoint"));
  Checkpoint c;
  c.start = start;
  c.version = *b.le<uint64_t>(0, "");
  c.flags = *b.le<uint32_t>(132, "");
  c.blocks = *b.le<uint32_t>(136, "");
  c.summary = *b.le<uint32_t>(140, "");
  const uint32_t sum_at = *b.le<uint32_t>(164, "");
  if (sum_at < 192 || sum_at > kBlock - 4 ||
      !checksum_holds(crc32_raw(b.head(sum_at), kMagic), *b.le<uint32_t>(sum_at, "")))
    return fail(Fault::kMalformed, "checksum of the checkpoint does not match", b.base());
  if (c.blocks < 2 || c.blocks > super.segment || c.summary >= c.blocks)
    return fail(Fault::kMalformed, "checkpoint of " + std::to_string(c.blocks) + " blocks", b.base() + 136);
  const Bytes last = TRY(whole.slice((start + c.blocks - 1) * kBlock, kBlock, "checkpoint's end"));
  if (*last.le<uint64_t>(0, "") != c.version)
    return fail(Fault::kMalformed, "checkpoint was not finished", last.base());
  c.nat_bitmap = TRY(bitmap_of(b, super, c.flags));
  return c;
}

}  // namespace

Result<Super> read_super(Bytes whole) {
  auto first = read_at(whole, kSuperAt);
  if (first || first.error().fault == Fault::kTruncated) return first;
  auto second = read_at(whole, kSuperAt + kBlock);
  return second ? second : first;
}

Result<Checkpoint> read_checkpoint(Bytes whole, const Super& super) {
  auto first = read_pack(whole, super, super.checkpoint);
  auto second = read_pack(whole, super, uint64_t{super.checkpoint} + super.segment);
  if (!first) return second ? second : first;
  return second && second->version > first->version ? second : first;
}

// Entries of the NAT that are newer than its blocks: in the first summary of the pack, compact or whole.
void Image::load_journal() {
  constexpr uint64_t kDataSummaries = 3, kAllSummaries = 6, kEntries = 3584;
  const Checkpoint& c = checkpoint_;
  const uint64_t back = (c.flags & kClean ? kAllSummaries : kDataSummaries) + 1;
  const bool compact = c.flags & 4;
  if (!compact && c.blocks < back) return;
  const uint64_t at = (c.start + (compact ? c.summary : c.blocks - back)) * kBlock + (compact ? 0 : kEntries);
  const Bytes journal = whole_.head(507, at);
  const auto count = journal.le<uint16_t>(0, "journal");
  if (!count || *count > 38) return;
  for (uint64_t i = 0; i < *count; ++i) {
    const auto number = journal.le<uint32_t>(2 + i * 13, "journal"), address = journal.le<uint32_t>(11 + i * 13, "");
    if (number && address) journal_[*number] = *address;
  }
}

Image::Image(Bytes whole, const Super& super, const Checkpoint& checkpoint, Sink* into)
    : whole_(whole), super_(super), checkpoint_(checkpoint), into_(into) {
  load_journal();
}

}  // namespace assay::unpack::f2fs
