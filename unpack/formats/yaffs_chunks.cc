// Tags of YAFFS2: sequence number of the block, object, chunk, bytes; 32 bits each, behind them 12 bytes of a Hamming
// code (columns, line parity, its complement). In a header's tags the upper bits may carry its type and parent: then
// chunk has its top bit set. Tags of YAFFS1 are 8 bytes of bit fields with a 12-bit code.
// Source: yaffs2 yaffs_packedtags1.h, yaffs_packedtags2.c, yaffs_ecc.c, yaffs_tagscompat.c, studied for the format.
#include "unpack/formats/yaffs_chunks.h"

#include "core/hash.h"

#include <algorithm>
#include <array>
#include <bit>

namespace assay::unpack {
namespace {

using Tags = YaffsGeometry::Tags;
using Code = YaffsTags::Code;

struct Pages {
  uint32_t page, spare;
};
constexpr Pages kPages[] = {{2048, 64},  {512, 16},   {1024, 32},   {2048, 128},   {4096, 128},
                            {4096, 224}, {4096, 256}, {4096, 218},  {8192, 256},   {8192, 448},
                            {8192, 512}, {8192, 640}, {16384, 512}, {16384, 1024}, {16384, 1280}};
constexpr uint32_t kInbandPages[] = {2048, 512, 1024, 4096, 8192, 16384};
constexpr uint32_t kLastSequence = 0xefffff00, kMostObjects = 0x3ffff, kMostChunks = 0xfffff;
constexpr uint32_t kExtraTags = 0x80000000;
constexpr uint64_t kTagsSize = 16, kPagesLookedAt = 64, kBadChunks = 256;
constexpr std::array<uint8_t, 8> kSpareBytes = {0, 1, 2, 3, 6, 7, 11, 12};

// A Hamming code over few bytes: of the columns three pairs of parities, of the lines one index and its complement.
struct OtherCode {
  uint32_t columns = 0, lines = 0, complement = 0;
};

OtherCode other_code(std::span<const uint8_t> bytes) {
  OtherCode c;
  for (uint32_t i = 0; i < bytes.size(); ++i) {
    for (uint32_t bit = 0; bit < 8; ++bit)
      if (bytes[i] >> bit & 1)
        for (uint32_t k = 0; k < 3; ++k) c.columns ^= 1u << (2 * k + (bit >> k & 1));
    if (std::popcount(bytes[i]) & 1) c.lines ^= i, c.complement ^= ~i;
  }
  return c;
}

// Corrects one bit of the 16 bytes of tags by the 12 bytes behind them.
Code correct_tags2(std::array<uint8_t, kTagsSize>& tags, Bytes stored, Order order) {
  const OtherCode c = other_code(tags);
  const uint32_t columns = (c.columns ^ stored[0]) & 0x3f;
  const uint32_t lines = c.lines ^ *stored.get<uint32_t>(4, order, "");
  const uint32_t complement = c.complement ^ *stored.get<uint32_t>(8, order, "");
  // Of bytes that repeat the code is zeros, as the bytes behind them often are: that says nothing.
  if ((columns | lines | complement) == 0) return is_run(stored) && stored[0] == 0 ? Code::kNone : Code::kHolds;
  if (lines == ~complement && ((columns ^ columns >> 1) & 0x15) == 0x15 && lines < kTagsSize) {
    const uint32_t bit = (columns >> 1 & 1) | (columns >> 3 & 1) << 1 | (columns >> 5 & 1) << 2;
    tags[lines] ^= static_cast<uint8_t>(1u << bit);
    return Code::kCorrected;
  }
  return std::popcount(columns) + std::popcount(lines) + std::popcount(complement) == 1 ? Code::kCorrected
                                                                                        : Code::kBroken;
}

bool plausible(const YaffsTags& t, const YaffsGeometry& g) {
  if (t.object == 0 || t.object > kMostObjects || t.chunk > kMostChunks) return false;
  if (!g.is_yaffs1() && t.sequence != kYaffsCheckpoint &&
      (t.sequence < kYaffsFirstSequence || t.sequence > kLastSequence))
    return false;
  return t.chunk == 0 || t.bytes <= g.data();
}

std::optional<YaffsTags> read_tags2(Bytes raw, const YaffsGeometry& g) {
  const Bytes b = raw.head(kTagsSize + 12, g.tags_at);
  if (b.size() < kTagsSize || is_erased(b.head(kTagsSize))) return std::nullopt;
  std::array<uint8_t, kTagsSize> bytes;
  for (size_t i = 0; i < kTagsSize; ++i) bytes[i] = b[i];
  YaffsTags t;
  const bool has_code = g.tags == Tags::kYaffs2 && b.size() == kTagsSize + 12 && !is_erased(b.head(12, kTagsSize));
  if (has_code) t.code = correct_tags2(bytes, b.head(12, kTagsSize), g.order);
  const Bytes fields(std::as_bytes(std::span(bytes)));
  const auto word = [&](uint64_t at) { return *fields.get<uint32_t>(at, g.order, ""); };
  t.sequence = word(0);
  t.object = word(4);
  t.chunk = word(8);
  t.bytes = word(12);
  if (t.chunk & kExtraTags) {  // of a header, with a part of what it says
    t.object &= 0x0fffffff;
    t.chunk = t.bytes = 0;
  }
  return plausible(t, g) ? std::optional(t) : std::nullopt;
}

// The sum of the positions of all set bits; what differs from the stored one is the position of the wrong bit.
uint32_t code_of_tags1(std::span<const uint8_t> bytes) {
  uint32_t code = 0;
  for (uint32_t i = 0; i < 64; ++i)
    if (bytes[i / 8] >> i % 8 & 1) code ^= i + 1;
  return code;
}

std::optional<YaffsTags> read_tags1(Bytes raw, const YaffsGeometry& g) {
  std::array<uint8_t, 8> bytes;
  if (raw.size() < g.raw()) return std::nullopt;
  const bool spread = g.tags == Tags::kYaffs1Spare;
  for (size_t i = 0; i < 8; ++i) bytes[i] = raw[g.tags_at + (spread ? kSpareBytes[i] : i)];
  if (std::ranges::all_of(bytes, [](uint8_t b) { return b == 0xff; })) return std::nullopt;
  const bool little = g.order == Order::kLittle;
  const Bytes fields(std::as_bytes(std::span(bytes)));
  const auto word = [&](uint64_t at) { return *fields.get<uint32_t>(at, g.order, ""); };
  const uint32_t stored = (word(4) >> (little ? 18 : 2)) & 0xfff;
  const uint32_t without = word(4) & ~(0xfffu << (little ? 18 : 2));
  auto checked = bytes;
  for (size_t i = 0; i < 4; ++i) checked[4 + i] = static_cast<uint8_t>(without >> (little ? 8 * i : 8 * (3 - i)));
  const uint32_t wrong = code_of_tags1(checked) ^ stored;
  YaffsTags t;
  t.code = wrong == 0 ? Code::kHolds : wrong <= 64 ? Code::kCorrected : Code::kBroken;
  if (t.code == Code::kCorrected) bytes[(wrong - 1) / 8] ^= static_cast<uint8_t>(1u << (wrong - 1) % 8);
  const uint32_t a = word(0), b = word(4);
  t.chunk = little ? a & 0xfffff : a >> 12;
  t.serial = static_cast<uint8_t>((little ? a >> 20 : a >> 10) & 3);
  t.bytes = little ? a >> 22 : a & 0x3ff;
  t.object = little ? b & 0x3ffff : b >> 14;
  // A page is deleted by clearing bits of its status, or one bit of packed tags.
  t.deleted = spread ? std::popcount(raw[g.tags_at + 4]) < 7 : ((b >> (little ? 30 : 1)) & 1) == 0;
  const bool wiped = !spread && t.deleted && a == ~0u && t.object == kMostObjects;  // nothing else is left
  return wiped || plausible(t, g) ? std::optional(t) : std::nullopt;
}

struct Run {
  uint64_t valid = 0, headers = 0, coded = 0;
  uint64_t score() const { return valid + headers + coded; }
};

// The mode of an object: 16 bits, in a field of 32. That of a hard link is left as erased.
bool has_mode(Bytes page, Order order) {
  return *page.get<uint32_t>(268, order, "") <= 0xffff || *page.get<uint32_t>(0, order, "") == 4;
}

bool agrees(const Bytes& page, const YaffsTags& t, const YaffsGeometry& g) {
  return t.sequence == kYaffsCheckpoint || t.chunk != 0 || is_yaffs_header(page, g.order);
}

// How many of the first pages are chunks, until one is not.
Run first_run(Bytes from, const YaffsGeometry& g, uint64_t most) {
  Run run;
  for (uint64_t at = 0; from.size() - at >= g.raw() && run.valid < most; at += g.raw()) {
    const Bytes raw = from.head(g.raw(), at);
    const auto t = read_yaffs_tags(raw, g);
    if (!t && is_erased(raw)) break;
    if (!t || !agrees(raw.head(g.page), *t, g)) break;
    ++run.valid;
    run.headers +=
        t->chunk == 0 && !t->deleted && t->sequence != kYaffsCheckpoint && has_mode(raw.head(g.page), g.order);
    run.coded += t->code == Code::kHolds;
  }
  return run;
}

class Search {
 public:
  Search(Bytes from, bool anywhere) : from_(from), anywhere_(anywhere) {}

  void look(const YaffsGeometry& g) {
    if (from_.size() < g.raw() || !may_be_tags(g) || !read_yaffs_tags(from_.head(g.raw()), g)) return;
    // A few pages first: of many places most are refused by them. At the start of a part the root's header stands
    // there.
    if (const Run few = first_run(from_, g, 4); few.valid == 0 || (!anywhere_ && few.headers == 0)) return;
    const Run run = first_run(from_, g, kPagesLookedAt);
    // One chunk alone is one only when its code says so; two without a header are not believed.
    if (run.valid == 0 || run.headers == 0 || (run.valid < 3 && run.coded == 0)) return;
    // Tags of YAFFS1 are few bits that nearly all bytes could be, but always with their code.
    if (g.is_yaffs1() && run.coded * 2 < run.valid) return;
    if (run.score() <= best_.score()) return;
    best_ = run;
    geometry_ = g;
  }

  void run() {
    for (const Order order : {Order::kLittle, Order::kBig}) {
      for (const Pages& p : kPages)
        for (uint32_t at = 0; at + kTagsSize <= p.spare; ++at)
          look({p.page, p.spare, p.page + at, Tags::kYaffs2, order});
      for (const uint32_t page : kInbandPages) look({page, 0, page - 16, Tags::kYaffs2Inband, order});
      look({512, 16, 512, Tags::kYaffs1Spare, order});
      for (uint32_t at = 0; at <= 8; ++at) look({512, 16, 512 + at, Tags::kYaffs1Packed, order});
    }
  }
  const Run& best() const { return best_; }
  const YaffsGeometry& geometry() const { return geometry_; }

 private:
  // Thousands of places are looked at: what no correction of one bit is worth trying on is refused first.
  bool may_be_tags(const YaffsGeometry& g) const {
    if (g.is_yaffs1()) return true;
    const uint32_t sequence = from_.get<uint32_t>(g.tags_at, g.order, "").value_or(0);
    const uint32_t object = from_.get<uint32_t>(g.tags_at + 4, g.order, "").value_or(0) & 0x0fffffff;
    return (sequence >= kYaffsFirstSequence || sequence == kYaffsCheckpoint) && sequence <= kLastSequence &&
           object - 1 < kMostObjects;
  }

  Bytes from_;
  bool anywhere_;
  Run best_;
  YaffsGeometry geometry_;
};

void take(YaffsChunks& all, uint64_t at, const YaffsTags& t) {
  all.chunks.push_back({at, t});
  all.coded += t.code == Code::kHolds;
  all.corrected += t.code == Code::kCorrected;
  all.broken += t.code == Code::kBroken;
}

}  // namespace

bool is_yaffs_header(Bytes page, Order order) {
  const auto type = page.get<uint32_t>(0, order, ""), parent = page.get<uint32_t>(4, order, "");
  if (page.size() < 512 || *type < 1 || *type > 5 || *parent == 0 || *parent > kMostObjects) return false;
  const std::string_view name = page.head(256, 10).text();
  const size_t end = name.find('\0');
  if (end == name.npos) return false;
  return std::ranges::all_of(name.substr(0, end),
                             [](char c) { return static_cast<uint8_t>(c) >= 0x20 && c != 0x7f && c != '/'; });
}

std::optional<YaffsTags> read_yaffs_tags(Bytes raw, const YaffsGeometry& g) {
  return g.is_yaffs1() ? read_tags1(raw, g) : read_tags2(raw, g);
}

bool is_yaffs_page(Bytes raw, const YaffsGeometry& g) {
  const auto t = read_yaffs_tags(raw, g);
  return t && agrees(raw.head(g.page), *t, g);
}

std::optional<YaffsGeometry> find_yaffs_tags(uint32_t page, uint32_t spare, const std::vector<Bytes>& pages) {
  std::optional<YaffsGeometry> best;
  size_t most = 1;
  const auto look = [&](const YaffsGeometry& g) {
    const auto count = static_cast<size_t>(std::ranges::count_if(pages, [&](const Bytes& raw) {
      const auto t = read_yaffs_tags(raw, g);
      return t && t->chunk == 0 && !t->deleted && is_yaffs_header(raw.head(page), g.order);
    }));
    if (count > most) most = count, best = g;
  };
  for (const Order order : {Order::kLittle, Order::kBig}) {
    for (uint32_t at = 0; at + kTagsSize <= spare; ++at) look({page, spare, page + at, Tags::kYaffs2, order});
    if (page != 512) continue;
    look({512, 16, 512, Tags::kYaffs1Spare, order});
    for (uint32_t at = 0; at <= 8; ++at) look({512, 16, 512 + at, Tags::kYaffs1Packed, order});
  }
  return best;
}

Result<YaffsChunks> read_yaffs_chunks(Bytes from, bool anywhere) {
  if (!anywhere && !is_yaffs_header(from, Order::kLittle) && !is_yaffs_header(from, Order::kBig))
    return fail(Fault::kForeign, "no object header at the start", from.base());
  Search search(from, anywhere);
  search.run();
  if (search.best().valid == 0) return fail(Fault::kMalformed, "no page size has tags that fit", from.base());
  YaffsChunks all;
  const YaffsGeometry g = all.geometry = search.geometry();
  uint64_t strange = 0;
  for (uint64_t at = 0; from.size() - at >= g.raw() && strange <= kBadChunks; at += g.raw()) {
    const Bytes raw = from.head(g.raw(), at);
    const auto t = read_yaffs_tags(raw, g);
    if (t && agrees(raw.head(g.page), *t, g)) {
      take(all, at, *t);
      strange = 0;
    } else if (!is_erased(raw)) {
      ++strange;
      continue;
    }
    if (strange == 0) all.length = at + g.raw();
  }
  // Tags without a code that never holds had none: what stands there belongs to somebody else.
  if (all.coded * 2 < all.chunks.size()) all.coded = all.corrected = all.broken = 0;
  all.verified = all.coded > 0 || all.chunks.size() >= 4;
  return all;
}

}  // namespace assay::unpack
