#include "unpack/formats/nand_layout.h"

#include "core/hash.h"
#include "unpack/formats/nand_codes.h"

#include <algorithm>
#include <bit>

namespace assay::unpack {
namespace {

constexpr NandGeometry kGeometries[] = {
    {512, 16},   {2048, 64},  {2048, 128},   {2048, 112},   {4096, 128},   {4096, 224}, {4096, 256},
    {4096, 218}, {4096, 216}, {4096, 208},   {8192, 256},   {8192, 436},   {8192, 448}, {8192, 512},
    {8192, 640}, {8192, 744}, {16384, 1024}, {16384, 1280}, {16384, 2208},
};
constexpr size_t kSamples = 24, kLooks = 4096;
constexpr uint64_t kLeastPages = 8;
constexpr size_t kLeastColumnPages = 16, kLeastColumns = 2;
constexpr uint32_t kLeastHeaders = 3;

// Pages that hold something, evenly from the whole dump.
std::vector<Bytes> sample_pages(Bytes dump, const NandGeometry& g) {
  const uint64_t pages = dump.size() / g.raw();
  const uint64_t stride = std::max<uint64_t>(1, pages / kLooks);
  std::vector<Bytes> filled;
  for (uint64_t i = 0; i < pages; i += stride) {
    const Bytes page = dump.head(g.raw(), i * g.raw());
    if (!is_run(page.head(g.page))) filled.push_back(page);
  }
  if (filled.size() <= kSamples) return filled;
  std::vector<Bytes> out;
  for (size_t i = 0; i < kSamples; ++i) out.push_back(filled[i * filled.size() / kSamples]);
  return out;
}

// Nearly every page says that its block is good; what a code covers stands elsewhere in all layouts that are known.
bool has_markers(const std::vector<Bytes>& samples, const NandGeometry& g) {
  const auto good = std::ranges::count_if(samples, [&](const Bytes& page) { return page[g.marker()] == 0xff; });
  return static_cast<size_t>(good) * 4 >= samples.size() * 3;
}

// At least two columns of the spare bytes, the bad block marker's among them, are 0xff in every page that holds
// something, though the data around is not.
bool has_blank_columns(Bytes dump, const NandGeometry& g) {
  const uint64_t pages = dump.size() / g.raw();
  const uint64_t stride = std::max<uint64_t>(1, pages / kLooks);
  std::vector<uint32_t> blank(g.raw(), 0);
  uint32_t looked = 0;
  for (uint64_t i = 0; i < pages; i += stride) {
    const Bytes page = dump.head(g.raw(), i * g.raw());
    if (is_run(page.head(64, 0)) || is_run(page.head(64, g.page - 64))) continue;
    ++looked;
    for (uint32_t k = 0; k < g.raw(); ++k) blank[k] += page[k] == 0xff;
  }
  if (looked < kLeastColumnPages) return false;
  const auto full = [&](uint32_t k) { return blank[k] == looked; };
  size_t in_spare = 0, in_data = 0;
  for (uint32_t k = 0; k < g.raw(); ++k) (k < g.page ? in_data : in_spare) += full(k);
  return full(g.marker()) && in_spare >= kLeastColumns && in_data == 0;
}

// UBI's erase counter headers, checksums good, a power of two of pages apart: nowhere else do they lie so.
bool has_ubi_blocks(Bytes dump, const NandGeometry& g) {
  uint32_t found = 0;
  const uint64_t block = uint64_t{g.raw()} * 32;
  for (uint64_t at = 0; at < dump.size() && found < kLeastHeaders; at += block) {
    const Bytes header = dump.head(64, at);
    found += header.size() == 64 && header.starts_with("UBI#") &&
             checksum_holds(crc32_raw(header.head(60)), *header.be<uint32_t>(60, ""));
  }
  return found >= kLeastHeaders;
}

void gather(std::span<const std::byte> raw, const std::vector<NandPiece>& pieces, std::vector<std::byte>& out) {
  out.clear();
  for (const NandPiece& p : pieces) {
    const auto part = raw.subspan(p.at, p.length);
    out.insert(out.end(), part.begin(), part.end());
  }
}

void scatter(std::span<std::byte> raw, const std::vector<NandPiece>& pieces, std::span<const std::byte> from) {
  for (const NandPiece& p : pieces) {
    std::ranges::copy(from.first(p.length), raw.begin() + p.at);
    from = from.subspan(p.length);
  }
}

// A step that was never written reads as ones, a few bits of which may have flipped.
std::optional<uint32_t> flips_of_erased(std::span<const std::byte> message, std::span<const uint8_t> stored,
                                        uint32_t most) {
  uint32_t ones = 0;
  for (const std::byte b : message) ones += static_cast<uint32_t>(std::popcount(static_cast<uint8_t>(b)));
  for (const uint8_t b : stored) ones += static_cast<uint32_t>(std::popcount(b));
  const auto zeros = static_cast<uint32_t>(8 * (message.size() + stored.size()) - ones);
  if (zeros > most) return std::nullopt;
  return zeros;
}

}  // namespace

uint32_t NandGeometry::pages_per_block() const {
  return page <= 512 ? 32 : page <= 4096 ? 64 : page <= 8192 ? 128 : 256;
}

uint32_t NandGeometry::marker() const { return page + (page <= 512 ? 5 : 0); }

NandLayout plain_layout(const NandGeometry& g) { return {{{0, g.page}}, {}, nullptr, "not known"}; }

Result<NandDump> find_nand_layout(Bytes dump) {
  NandDump best;
  BchTables tables;
  double best_score = 0;
  bool any = false;
  for (const NandGeometry& g : kGeometries) {
    if (dump.size() % g.raw() != 0 || dump.size() / g.raw() < kLeastPages) continue;
    const std::vector<Bytes> samples = sample_pages(dump, g);
    if (samples.size() < 2 || !has_markers(samples, g)) continue;
    double score = 0;
    auto layouts = find_nand_codes(g, samples, tables, score);
    if (!layouts.empty() && score > best_score) {
      best = {g, std::move(layouts), true};
      best_score = score;
      any = true;
    }
    if (best_score > 0) continue;
    const bool ubi = has_ubi_blocks(dump, g);
    if (!ubi && (any || !has_blank_columns(dump, g))) continue;
    best = {g, {plain_layout(g)}, ubi};
    any = true;
  }
  if (!any) return fail(Fault::kForeign, "no page size with spare bytes fits", dump.base());
  return best;
}

NandPage correct_page(const NandLayout& layout, std::span<std::byte> raw) {
  NandPage page;
  page.erased = is_erased(Bytes(std::span<const std::byte>(raw)));
  if (page.erased) return page;
  std::vector<std::byte> message;
  std::vector<uint8_t> stored;
  for (const NandStep& step : layout.steps) {
    gather(raw, step.message, message);
    stored.clear();
    for (const uint32_t at : step.stored) stored.push_back(static_cast<uint8_t>(raw[at]));
    if (std::ranges::equal(layout.ecc->computed(message, stored[0]), stored)) continue;
    if (const auto zeros = flips_of_erased(message, stored, layout.ecc->strength())) {
      page.corrected += *zeros;
      std::ranges::fill(message, std::byte{0xff});
    } else if (const auto bits = layout.ecc->correct(message, stored)) {
      page.corrected += *bits;
    } else {
      ++page.failed;
      continue;
    }
    scatter(raw, step.message, message);
  }
  return page;
}

}  // namespace assay::unpack
