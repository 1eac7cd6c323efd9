// Where codes stand differs from driver to driver; what is common is that the code words of a page follow each other at
// one distance. So for codes over data alone each place is tried, and the line of places that most samples agree with
// is taken. Codes that cover spare bytes too, and pages in which codes stand between the data, are tried in the
// layouts of the controllers that have them:
//   Broadcom  512 bytes and the spare bytes before the code, which ends each slice of the spare bytes
//   Allwinner 512 or 1024 bytes and 4 spare bytes, the code behind these
//   Qualcomm  516 bytes a code word, split by the bad block marker; code words fill the page from its start
// Source: Linux drivers/mtd/nand/raw/nand_base.c (layouts), brcmnand, qcom_nandc.c, sunxi_nand.c; github.com/ak-hard/
// brcm-nand-bch; linux-sunxi/sunxi-tools nand-image-builder.c.
#include "unpack/formats/nand_codes.h"

#include <algorithm>
#include <iterator>

namespace assay::unpack {
namespace {

using Mask = EccKind::Mask;

struct Code {
  uint32_t step, m, t, polynomial;
};
constexpr Code kCodes[] = {
    {512, 13, 4, 0x201b},   {512, 13, 8, 0x201b},   {512, 13, 16, 0x201b},  {512, 14, 4, 0x5803},
    {512, 14, 8, 0x5803},   {512, 14, 16, 0x5803},  {512, 14, 4, 0x4443},   {512, 14, 8, 0x4443},
    {1024, 14, 4, 0x402b},  {1024, 14, 8, 0x402b},  {1024, 14, 16, 0x402b}, {1024, 14, 24, 0x402b},
    {1024, 14, 8, 0x5803},  {1024, 14, 16, 0x5803}, {1024, 14, 24, 0x5803}, {1024, 14, 8, 0x4443},
    {1024, 14, 16, 0x4443}, {1024, 14, 24, 0x4443},
};
constexpr double kLeastShare = 0.5, kLeastShareOfBch = 0.2;
constexpr uint32_t kLeastWords = 3;

std::span<const std::byte> bytes_of(const Bytes& b) { return b.span(); }

// Tries one code over data alone: votes for every place where its bytes stand.
class PlaceSearch {
 public:
  PlaceSearch(const NandGeometry& g, uint32_t step, size_t code_bytes)
      : geometry_(g), step_(step), bytes_(static_cast<uint32_t>(code_bytes)), steps_(g.page / step) {
    fits_ = steps_ > 0 && steps_ * bytes_ <= g.spare;
    if (fits_) votes_.assign(size_t{steps_} * g.spare, 0);
  }
  bool fits() const { return fits_; }

  void look(const Ecc& ecc, const std::vector<Bytes>& samples) {
    for (const Bytes& page : samples)
      for (uint32_t s = 0; s < steps_; ++s) {
        const Bytes data = page.head(step_, uint64_t{s} * step_);
        if (is_run(data)) continue;
        ++words_;
        const auto code = ecc.computed(bytes_of(data));
        const std::string_view want(reinterpret_cast<const char*>(code.data()), code.size());
        for (uint32_t at = 0; at + bytes_ <= geometry_.spare; ++at)
          votes_[s * geometry_.spare + at] += page.starts_with(want, geometry_.page + at);
      }
  }

  // The line base + s * distance that most words agree with; its share of all words.
  double best(uint32_t& base, uint32_t& distance) const {
    uint32_t most = 0;
    for (uint32_t d = bytes_; d <= geometry_.spare / steps_; ++d)
      for (uint32_t b = 0; b + (steps_ - 1) * d + bytes_ <= geometry_.spare; ++b) {
        uint32_t sum = 0;
        for (uint32_t s = 0; s < steps_; ++s) sum += votes_[s * geometry_.spare + b + s * d];
        if (sum > most) most = sum, base = b, distance = d;
      }
    return most < kLeastWords ? 0 : static_cast<double>(most) / words_;
  }

 private:
  NandGeometry geometry_;
  uint32_t step_, bytes_, steps_, words_ = 0;
  bool fits_ = false;
  std::vector<uint32_t> votes_;
};

// The share of the samples' code words that hold exactly.
double share_of(const NandLayout& layout, const std::vector<Bytes>& samples) {
  uint32_t words = 0, good = 0;
  std::vector<std::byte> message;
  for (const Bytes& page : samples)
    for (const NandStep& step : layout.steps) {
      message.clear();
      for (const NandPiece& p : step.message)
        std::ranges::copy(page.head(p.length, p.at).span(), std::back_inserter(message));
      if (is_run(Bytes(std::span<const std::byte>(message)))) continue;
      const auto code = layout.ecc->computed(message, page[step.stored[0]]);
      ++words;
      bool same = true;
      for (size_t i = 0; i < code.size() && same; ++i) same = page[step.stored[i]] == code[i];
      good += same;
    }
  return good < kLeastWords ? 0 : static_cast<double>(good) / words;
}

std::vector<uint32_t> places(uint32_t from, size_t count) {
  std::vector<uint32_t> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = from + static_cast<uint32_t>(i);
  return out;
}

// A word of a strong code is one of the weaker codes of its family too, which take a part of its check bytes for data.
bool ends_alike(const NandLayout& a, const NandLayout& b) {
  return a.steps.size() == b.steps.size() && a.steps[0].stored.back() == b.steps[0].stored.back();
}

class Finder {
 public:
  Finder(const NandGeometry& g, const std::vector<Bytes>& samples, BchTables& tables)
      : g_(g), samples_(samples), tables_(tables) {}

  void run() {
    try_hamming();
    for (const Code& code : kCodes) {
      if (code.step > g_.page || uint64_t{g_.page / code.step} * (code.m * code.t / 8) > g_.spare) continue;
      const auto& bch = tables_.of(code.m, code.t, code.polynomial);
      for (const bool reversed : {false, true}) try_bch(code, bch, reversed);
    }
  }

  struct Scored {
    double share;
    NandLayout layout;
  };
  std::vector<Scored> found;

 private:
  static double least(const EccKind& kind) { return kind.m ? kLeastShareOfBch : kLeastShare; }

  void keep(NandLayout layout) {
    const double share = share_of(layout, samples_);
    if (share < least(layout.ecc->kind())) return;
    for (const Scored& other : found)
      if (other.layout.name == layout.name) return;
    found.push_back({share, std::move(layout)});
  }

  NandLayout layout_of(std::shared_ptr<const Ecc> ecc, const std::string& where) const {
    NandLayout layout = plain_layout(g_);
    layout.name = ecc->name() + "; " + where;
    layout.ecc = std::move(ecc);
    return layout;
  }

  void try_hamming() {
    for (const uint32_t step : {256u, 512u})
      for (const bool swapped : {false, true})
        for (const Mask mask : {Mask::kNone, Mask::kInverted}) {
          EccKind kind;
          kind.swapped = swapped;
          kind.mask = mask;
          try_everywhere(step, std::make_shared<const Ecc>(kind, step));
          if (g_.spare == 16 && g_.page == 512 && step == 256) try_small_page(std::make_shared<const Ecc>(kind, step));
        }
  }

  // Linux's layout of small pages: the bad block marker stands in the middle of the second code.
  void try_small_page(std::shared_ptr<const Ecc> ecc) {
    NandLayout layout = layout_of(std::move(ecc), "spare bytes 0-3, 6-7");
    layout.steps.push_back({{{0, 256}}, {512, 513, 514}});
    layout.steps.push_back({{{256, 256}}, {515, 518, 519}});
    keep(std::move(layout));
  }

  void try_bch(const Code& code, const std::shared_ptr<const Bch>& bch, bool reversed) {
    EccKind kind = {code.m, code.t, code.polynomial, reversed};
    for (const Mask mask : {Mask::kNone, Mask::kInverted, Mask::kErased}) {
      kind.mask = mask;
      try_everywhere(code.step, std::make_shared<const Ecc>(kind, code.step, bch));
    }
    kind.mask = Mask::kNone;
    try_slices(code, kind, bch);
    if (code.m == 14) try_behind_four(code, kind, bch);
    if (code.m == 13 && !reversed) try_codewords(code, kind, bch);
  }

  void try_everywhere(uint32_t step, std::shared_ptr<const Ecc> ecc) {
    PlaceSearch search(g_, step, ecc->bytes());
    if (!search.fits()) return;
    search.look(*ecc, samples_);
    uint32_t base = 0, distance = 0;
    if (search.best(base, distance) < least(ecc->kind())) return;
    const auto bytes = static_cast<uint32_t>(ecc->bytes());
    NandLayout layout =
        layout_of(std::move(ecc), "spare byte " + std::to_string(base) + ", every " + std::to_string(distance));
    for (uint32_t s = 0; s < g_.page / step; ++s)
      layout.steps.push_back({{{s * step, step}}, places(g_.page + base + s * distance, bytes)});
    keep(std::move(layout));
  }

  // The code ends its slice of the spare bytes and covers what stands before it there.
  void try_slices(const Code& code, EccKind kind, const std::shared_ptr<const Bch>& bch) {
    const uint32_t steps = g_.page / code.step;
    uint32_t before = 0;
    for (const uint32_t slice : {g_.spare / steps, 16u, 27u}) {
      if (slice * steps > g_.spare || slice == before) continue;
      before = slice;
      for (const bool nibble : {false, true}) {
        if (nibble && bch->bits() % 8 != 4) continue;
        kind.nibble = nibble;
        const uint32_t bytes = bch->bytes();
        if (bytes >= slice) continue;
        auto ecc = std::make_shared<const Ecc>(kind, code.step + slice - bytes, bch);
        NandLayout layout = layout_of(std::move(ecc), "at the end of slices of " + std::to_string(slice));
        for (uint32_t s = 0; s < steps; ++s) {
          const uint32_t at = g_.page + s * slice;
          layout.steps.push_back(
              {{{s * code.step, code.step}, {at, slice - bytes}}, places(at + slice - bytes, bytes)});
        }
        keep(std::move(layout));
      }
    }
  }

  void try_behind_four(const Code& code, const EccKind& kind, const std::shared_ptr<const Bch>& bch) {
    const uint32_t steps = g_.page / code.step, bytes = bch->bytes(), slice = 4 + bytes + bytes % 2;
    if (slice * steps > g_.spare) return;
    NandLayout layout = layout_of(std::make_shared<const Ecc>(kind, code.step + 4, bch), "behind 4 spare bytes each");
    for (uint32_t s = 0; s < steps; ++s) {
      const uint32_t at = g_.page + s * slice;
      layout.steps.push_back({{{s * code.step, code.step}, {at, 4}}, places(at + 4, bytes)});
    }
    keep(std::move(layout));
  }

  void try_codewords(const Code& code, const EccKind& kind, const std::shared_ptr<const Bch>& bch) {
    const uint32_t words = g_.page / 512, size = code.t == 4 ? 528 : 532, bytes = bch->bytes();
    if (code.t > 8 || g_.page < 2048 || size * words > g_.raw() || size * (words - 1) >= g_.page) return;
    const uint32_t first = g_.page - size * (words - 1);  // data of a code word before the marker
    NandLayout layout = layout_of(std::make_shared<const Ecc>(kind, 516, bch), "code words between the data");
    layout.data.clear();
    for (uint32_t w = 0; w < words; ++w) {
      const uint32_t at = w * size;
      layout.steps.push_back({{{at, first}, {at + first + 1, 516 - first}}, places(at + 517, bytes)});
      const uint32_t second = 516 - first - (w + 1 == words ? 4 * words : 0);
      layout.data.push_back({at, first});
      layout.data.push_back({at + first + 1, second});
    }
    keep(std::move(layout));
  }

  const NandGeometry& g_;
  const std::vector<Bytes>& samples_;
  BchTables& tables_;
};

}  // namespace

std::vector<NandLayout> find_nand_codes(const NandGeometry& geometry, const std::vector<Bytes>& samples,
                                        BchTables& tables, double& score) {
  Finder finder(geometry, samples, tables);
  finder.run();
  const auto strength = [](const auto& scored) { return scored.layout.ecc->strength(); };
  std::ranges::stable_sort(finder.found, std::ranges::greater(), strength);
  std::vector<Finder::Scored> kept;
  for (auto& scored : finder.found)
    if (std::ranges::none_of(kept, [&](const auto& other) { return ends_alike(other.layout, scored.layout); }))
      kept.push_back(std::move(scored));
  std::ranges::stable_sort(kept, [](const auto& a, const auto& b) { return a.share > b.share; });
  std::vector<NandLayout> out;
  score = kept.empty() ? 0 : kept[0].share;
  for (auto& scored : kept) out.push_back(std::move(scored.layout));
  return out;
}

}  // namespace assay::unpack
