// A dump of a raw NAND chip: pages, each followed by its spare (out-of-band) bytes, which hold error correcting codes,
// the marker of bad blocks and what file systems keep there. Nothing in it says so: the page size must divide the dump,
// and codes that agree, or UBI's headers where erase blocks begin, or columns of blank spare bytes, tell the rest.
//
//   page 512   spare 16        bad block: byte 5 of the spare of a block's first or second page is not 0xff
//   page 2048  spare 64 … 128  bad block: byte 0
//   page 4096  spare 128 … 256
//   page 8192  spare 256 … 744, page 16384 spare 1024 … 2208
//
// What the codes correct is corrected and counted, a page with a code word they cannot correct is
// named and that word given as it is stored, and the pages without spare bytes become the one part, at the
// offsets a driver sees. A bad block reads as erased there.
// Blocks of YAFFS, whose tags stand in the spare bytes, become parts of their own that keep them.
// Source: Linux drivers/mtd/nand (layouts in raw/nand_base.c, codes in ecc-sw-hamming.c, ecc-sw-bch.c, lib/bch.c).
#include "unpack/describe.h"
#include "unpack/formats/nand_layout.h"
#include "unpack/formats/yaffs_chunks.h"

#include <algorithm>
#include <set>

namespace assay::unpack::nand {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kCleanMarkers[] = {"\x85\x19\x03\x20\x08\x00\x00\x00"sv,
                                              "\x19\x85\x20\x03\x00\x00\x00\x08"sv};
constexpr uint64_t kStepsOfCode = 4, kStepsOfCorrection = 64;
constexpr size_t kMostNamed = 1000, kMostHeaders = 64;

Result<Measured> measure(Bytes from) {
  const NandDump dump = TRY(find_nand_layout(from));
  return Measured{from.size(), dump.verified};
}

std::string runs_of(const std::vector<uint64_t>& numbers) {
  std::string out;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    out += (out.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (end - i > 1) out += "-" + std::to_string(numbers[end - 1]);
    if (out.size() > 2000) return out + ", …";
    i = end;
  }
  return out;
}

class Reader {
 public:
  Reader(Bytes whole, const NandDump& dump, Sink& into) : whole_(whole), dump_(dump), g_(dump.geometry), into_(into) {
    for (const NandLayout& layout : dump.layouts) known_.push_back(known_bytes(layout));
    pages_of_.assign(dump.layouts.size(), 0);
  }

  Result<void> run() {
    const uint64_t pages = whole_.size() / g_.raw();
    find_bad_blocks(pages);
    raw_.resize(g_.raw());
    for (const Part& part : parts(pages)) TRY_VOID(give(part, part.first == 0 && part.end == pages));
    state(pages);
    return {};
  }

 private:
  struct Part {  // pages
    uint64_t first = 0, end = 0;
    bool yaffs = false;
  };

  // Blocks of YAFFS and others, in turn; blocks that are erased or bad belong to what stands before them.
  std::vector<Part> parts(uint64_t pages) {
    std::vector<Bytes> headers;
    for (uint64_t i = 0; i < pages && headers.size() < kMostHeaders; ++i) {
      const Bytes raw = whole_.head(g_.raw(), i * g_.raw());
      if (is_yaffs_header(raw, Order::kLittle) || is_yaffs_header(raw, Order::kBig)) headers.push_back(raw);
    }
    yaffs_ = find_yaffs_tags(g_.page, g_.spare, headers);
    std::vector<Part> out = {{0, pages, false}};
    if (!yaffs_) return out;
    for (uint64_t first = 0; first < pages; first += g_.pages_per_block()) {
      const Bytes raw = whole_.head(g_.raw(), first * g_.raw());
      if (is_run(raw) && first > 0) continue;
      const bool yaffs = is_yaffs_page(raw, *yaffs_);
      if (yaffs == out.back().yaffs) continue;
      if (first == 0) out.clear();
      if (!out.empty()) out.back().end = first;
      out.push_back({first, pages, yaffs});
    }
    return out;
  }

  Result<void> give(const Part& part, bool alone) {
    at_page_ = part.first;
    open_ = part.first * g_.raw();
    with_spare_ = part.yaffs;
    for (uint64_t page = part.first; page < part.end; ++page) {
      TRY_VOID(into_.step(1 + kStepsOfCode * (g_.raw() / 512)));
      if (bad_.contains(page / g_.pages_per_block()))
        TRY_VOID(write_erased());
      else
        TRY_VOID(read_page(page));
    }
    finish_extent(part.end * g_.raw());
    std::string name = part.yaffs ? "yaffs" : "data";
    if (!alone) name += "-" + hex_number(part.first * g_.page);
    std::vector<Bytes> extents;
    extents.swap(extents_);
    return into_.child(name, {std::move(extents), "nand"});
  }

  // Spare bytes that are read: codes, what they cover of the data, the marker.
  std::vector<bool> known_bytes(const NandLayout& layout) const {
    std::vector<bool> known(g_.raw(), false);
    for (const NandPiece& p : layout.data) std::fill_n(known.begin() + p.at, p.length, true);
    for (const NandStep& step : layout.steps)
      for (const uint32_t at : step.stored) known[at] = true;
    known[g_.marker()] = true;
    return known;
  }

  bool is_bad(uint64_t page) const {
    const uint64_t at = page * g_.raw();
    return at < whole_.size() && whole_[at + g_.marker()] != 0xff;
  }
  void find_bad_blocks(uint64_t pages) {
    const uint64_t blocks = (pages + g_.pages_per_block() - 1) / g_.pages_per_block();
    for (uint64_t block = 0; block < blocks; ++block) {
      const uint64_t first = block * g_.pages_per_block();
      if (is_bad(first) || is_bad(first + 1)) bad_.insert(block);
    }
    // More than the worst chip has: the byte means something else here.
    if (bad_.size() * 4 > blocks + 4) {
      into_.note("bad block markers", "not recognised: every fourth block would be bad", 0);
      bad_.clear();
    }
  }

  Result<void> write_erased() {
    finish_extent(at_page_ * g_.raw());
    ++at_page_;
    open_ = at_page_ * g_.raw();
    return into_.output().write(std::vector<std::byte>(with_spare_ ? g_.raw() : g_.page, std::byte{0xff}));
  }

  Result<void> read_page(uint64_t page) {
    const Bytes stored = whole_.head(g_.raw(), page * g_.raw());
    NandPage best;
    size_t used = 0;
    for (size_t i = 0; i < dump_.layouts.size(); ++i) {
      std::ranges::copy(stored.span(), raw_.begin());
      const NandPage got = correct_page(dump_.layouts[i], raw_);
      if (got.corrected + got.failed > 0) TRY_VOID(into_.step(kStepsOfCorrection * (got.corrected + got.failed)));
      if (i == 0 || got.failed < best.failed) best = got, used = i;
      if (best.failed == 0) break;
    }
    if (best.failed > 0) {  // what cannot be corrected stays as it is stored: a guess would be worse
      TRY_VOID(into_.step(kStepsOfCorrection * (best.corrected + best.failed)));
      std::ranges::copy(stored.span(), raw_.begin());
      best = correct_page(dump_.layouts[used], raw_);
      failed_.push_back(page);
      if (failed_.size() <= kMostNamed) name_failed(page, best, dump_.layouts[used]);
    }
    if (!best.erased) ++pages_of_[used];
    erased_ += best.erased;
    corrected_ += best.corrected;
    corrected_pages_ += best.corrected > 0;
    claim(page, used);
    ++at_page_;
    return write_page(dump_.layouts[used]);
  }

  Result<void> write_page(const NandLayout& layout) {
    if (with_spare_) {  // codes are done with: what is left of the spare bytes is the file system's
      for (const NandStep& step : layout.steps)
        for (const uint32_t at : step.stored) raw_[at] = std::byte{0xff};
      return into_.output().write(raw_);
    }
    for (const NandPiece& p : layout.data)
      TRY_VOID(into_.output().write(std::span<const std::byte>(raw_).subspan(p.at, p.length)));
    return {};
  }

  void name_failed(uint64_t page, const NandPage& got, const NandLayout& layout) {
    into_.problem({Fault::kMalformed,
                   "page " + std::to_string(page) + " (block " + std::to_string(page / g_.pages_per_block()) +
                       "): " + std::to_string(got.failed) + " of " + std::to_string(layout.steps.size()) +
                       " code words have more wrong bits than their code corrects; these are given as stored",
                   page * g_.raw()});
  }

  // The whole page was read but for spare bytes whose meaning is not known.
  void claim(uint64_t page, size_t layout) {
    const uint64_t at = page * g_.raw();
    const std::string_view spare = whole_.head(g_.spare, at + g_.page).text();
    std::vector<bool> known = known_[layout];
    for (const std::string_view marker : kCleanMarkers) {
      const size_t found = spare.find(marker);
      if (found == spare.npos) continue;
      std::fill_n(known.begin() + g_.page + static_cast<ptrdiff_t>(found), marker.size(), true);
      ++clean_markers_;
    }
    bool unknown = false;
    for (uint32_t k = 0; k < g_.raw(); ++k) {
      const bool read = known[k] || with_spare_ || raw_[k] == std::byte{0xff};
      if (!read) finish_extent(at + k);
      if (!read) open_ = at + k + 1;
      unknown |= !read;
    }
    other_spare_ += unknown;
  }
  void finish_extent(uint64_t end) {
    if (end > open_) extents_.push_back(whole_.head(end - open_, open_));
    open_ = end;
  }

  void state(uint64_t pages) {
    into_.note("page", std::to_string(g_.page) + " + " + std::to_string(g_.spare) + " spare bytes", 0);
    into_.note("pages", std::to_string(pages) + ", erased " + std::to_string(erased_), 0);
    const std::vector<uint64_t> bad(bad_.begin(), bad_.end());
    if (!bad.empty())
      into_.note("bad blocks", runs_of(bad) + " of " + std::to_string(g_.pages_per_block()) + " pages each",
                 bad[0] * g_.pages_per_block() * g_.raw());
    if (clean_markers_) into_.note("JFFS2 clean markers in spare bytes", std::to_string(clean_markers_), 0);
    if (other_spare_) into_.note("pages with other spare bytes", std::to_string(other_spare_), 0);
    state_codes();
  }
  void state_codes() {
    if (!dump_.layouts[0].ecc) {
      into_.note("code", "not known: bits that flipped are neither found nor corrected", 0);
      into_.integrity({.kind = "checksum",
                       .name = "error correcting code",
                       .algorithm = "not known",
                       .state = "not-checkable",
                       .detail = "no code that is known agrees with the spare bytes",
                       .offset = g_.page});
      return;
    }
    for (size_t i = 0; i < dump_.layouts.size(); ++i)
      if (pages_of_[i])
        into_.note("code", dump_.layouts[i].name + "; " + std::to_string(pages_of_[i]) + " pages", g_.page);
    into_.note("corrected bits", std::to_string(corrected_) + " in " + std::to_string(corrected_pages_) + " pages", 0);
    if (!failed_.empty())
      into_.note("uncorrectable pages", std::to_string(failed_.size()) + ": " + runs_of(failed_),
                 failed_[0] * g_.raw());
    if (failed_.size() > kMostNamed)
      into_.problem({Fault::kMalformed,
                     std::to_string(failed_.size() - kMostNamed) + " further pages could not be corrected", 0});
    std::string detail = std::to_string(corrected_) + " bits corrected";
    if (!failed_.empty()) detail += "; pages that could not be corrected: " + runs_of(failed_);
    into_.integrity({.kind = "checksum",
                     .name = "error correcting code",
                     .algorithm = dump_.layouts[0].ecc->name(),
                     .state = failed_.empty() ? "valid" : "invalid",
                     .detail = std::move(detail),
                     .offset = g_.page});
  }

  Bytes whole_;
  const NandDump& dump_;
  NandGeometry g_;
  Sink& into_;
  std::vector<std::vector<bool>> known_;  // of each layout
  std::vector<uint64_t> pages_of_, failed_;
  std::set<uint64_t> bad_;
  std::vector<std::byte> raw_;
  std::vector<Bytes> extents_;
  std::optional<YaffsGeometry> yaffs_;
  bool with_spare_ = false;
  uint64_t open_ = 0, at_page_ = 0;  // where the extent that is being collected begins; pages done
  uint64_t erased_ = 0, corrected_ = 0, corrected_pages_ = 0, clean_markers_ = 0, other_spare_ = 0;
};

Result<void> unpack(Bytes whole, Sink& into) {
  const NandDump dump = TRY(find_nand_layout(whole));
  return Reader(whole, dump, into).run();
}

}  // namespace

extern const Format kNand;
const Format kNand = {
    .id = "nand",
    .title = "NAND dump with spare (OOB) bytes",
    .version = 1,
    .measure = measure,
    .unpack = unpack,
    .carve = false,
    .reads =
        "pages of 512 to 16384 bytes with 16 to 2208 spare bytes; Hamming (256 and 512 bytes), BCH over GF(2^13) "
        "and GF(2^14) of 4 to 24 bits wherever they stand; Broadcom, Allwinner and Qualcomm layouts; bad blocks",
    .limits =
        "whole dumps only, spare bytes behind each page; Reed-Solomon codes, scrambled data, NXP's and MediaTek's "
        "layouts are not known; YAFFS between other content is told apart by whole erase blocks; the size of an erase "
        "block is the usual one of its page size",
    .source = "Linux drivers/mtd/nand, lib/bch.c; github.com/ak-hard/brcm-nand-bch",
    .checked =
        "foreign tool: ubinize for the content; own builder only for spare bytes and codes (a second writer in "
        "Python), constants of Linux omap2.c for BCH"};

}  // namespace assay::unpack::nand
