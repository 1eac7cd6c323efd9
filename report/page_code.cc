// Addresses are hexadecimal text: JavaScript's numbers end at 53 bits.
#include "report/page_code.h"

#include <fmt/format.h>

namespace assay::report {
namespace {

std::string hex_of(uint64_t address) { return fmt::format("{:x}", address); }

// [address, size, found by, confidence, name]: most of a page with much code are these rows.
Json row_of(const CodeFunction& f) {
  return Json::array({hex_of(f.address), f.size, f.found_by, f.confidence, escape(f.name)});
}

Json block_of(const CodeBlock& b) {
  Json next = Json::array();
  for (const uint64_t to : b.next) next.push_back(hex_of(to));
  return Json::array({hex_of(b.start), hex_of(b.end), std::move(next)});
}

Json listing_of(const CodeListing& listing) {
  Json out = {{"address", hex_of(listing.function.address)},
              {"name", escape(listing.function.name)},
              {"left_off", listing.lines_left_off},
              {"lines", Json::array()},
              {"blocks", Json::array()},
              {"callers", Json::array()},
              {"callers_left_off", listing.callers_left_off}};
  for (const CodeLine& line : listing.lines) {
    Json row = Json::array({hex_of(line.address), line.text});
    if (!line.note.empty()) row.push_back(escape(line.note));
    out["lines"].push_back(std::move(row));
  }
  for (const CodeBlock& block : listing.blocks) out["blocks"].push_back(block_of(block));
  for (const CodeCall& c : listing.callers)
    out["callers"].push_back(Json::array({hex_of(c.function), escape(c.caller), hex_of(c.from), c.how}));
  return out;
}

Json program_of(const Examination& e, const WayIndex& ways, const CodeView& view) {
  Json out = {{"artifact", ways.at(view.artifact)},
              {"way", full_way(e, view.artifact)},
              {"processor", view.answer.unit.processor},
              {"instructions", view.answer.unit.instructions},
              {"left_off", view.answer.listings_left_off},
              {"functions", Json::array()},
              {"listings", Json::array()}};
  for (const CodeFunction& f : view.answer.functions) out["functions"].push_back(row_of(f));
  for (const CodeListing& l : view.answer.listings) out["listings"].push_back(listing_of(l));
  return out;
}

}  // namespace

Json page_code(const Examination& e, const WayIndex& ways, const CodeViews& code) {
  Json out = {{"left_off", code.left_off}, {"programs", Json::array()}};
  for (const CodeView& view : code.programs) out["programs"].push_back(program_of(e, ways, view));
  return out;
}

}  // namespace assay::report
