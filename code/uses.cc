#include "code/uses.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr size_t kMostPlaces = 100'000, kFarthestStart = 4096;

struct Place {  // addresses that stand for what was asked
  uint64_t from = 0, to = 0;
};

// Where strings that hold `text` lie: from their first byte to the end of the text, for suffixes are shared.
std::vector<Place> strings_with(const Program& program, std::string_view text, uint64_t& left_off) {
  std::vector<Place> out;
  for (const Area& area : program.data) {
    const std::string_view bytes = area.bytes.text();
    size_t behind = 0;  // strings that overlap are one place
    for (size_t at = bytes.find(text); at != bytes.npos; at = bytes.find(text, at + 1)) {
      if (out.size() >= kMostPlaces) {
        ++left_off;
        continue;
      }
      size_t start = at;
      while (start > behind && at - start < kFarthestStart && bytes[start - 1] != '\0') --start;
      behind = at + text.size();
      out.push_back({area.address + start, area.address + behind});
    }
  }
  std::ranges::stable_sort(out, {}, &Place::from);
  return out;
}

bool holds(const std::vector<Place>& places, uint64_t address) {
  auto at = std::ranges::upper_bound(places, address, {}, &Place::from);
  return at != places.begin() && address < std::prev(at)->to;
}

void of_function(Reading& reading, uint64_t address, CodeAnswer& out) {
  for (const Call& c : reading.analysis.calls)
    if (c.target == address) out.calls.push_back(reading.call(c));
}

void of_import(Reading& reading, uint32_t index, std::vector<Place>& places, CodeAnswer& out) {
  const Import& import = reading.analysis.imports[index];
  if (import.slot) places.push_back({import.slot, import.slot + 1});
  if (import.stub) places.push_back({import.stub, import.stub + 1});
  for (const Call& c : reading.analysis.calls)
    if (c.import == index) out.calls.push_back(reading.call(c));
}

// Names first: "main" is asked for as a function even where a string holds it.
std::vector<Place> named(Reading& reading, const std::string& text, CodeAnswer& out) {
  std::vector<Place> places;
  for (const uint32_t f : reading.functions_named(text)) {
    const uint64_t address = reading.analysis.functions.all[f].address;
    places.push_back({address, address + 1});
    of_function(reading, address, out);
  }
  for (const uint32_t i : reading.imports_named(text)) of_import(reading, i, places, out);
  if (places.empty() && out.calls.empty()) places = strings_with(reading.program, text, out.places_left_off);
  std::ranges::stable_sort(places, {}, &Place::from);
  return places;
}

}  // namespace

void uses(Reading& reading, const CodeQuestion& question, CodeAnswer& out) {
  std::vector<Place> places = {{question.address, question.address + 1}};
  if (question.text.empty()) {
    of_function(reading, question.address, out);
    const auto& imports = reading.analysis.imports;
    for (uint32_t i = 0; i < imports.size(); ++i)
      if (question.address != 0 && imports[i].stub == question.address) of_import(reading, i, places, out);
    std::ranges::stable_sort(places, {}, &Place::from);
  } else {
    places = named(reading, question.text, out);
  }
  if (places.empty() && out.calls.empty()) {
    out.refused = "no function, import or string of the program is called " + question.text;
    return;
  }
  for (const Reference& r : reading.analysis.references)
    if (holds(places, r.to)) out.references.push_back(reading.reference(r));
}

}  // namespace assay::code
