// See requirements.h.
#include "certify/requirements.h"

#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

constexpr size_t kFields = 6;

struct Place {
  std::string_view stem;
  uint32_t line;
};

std::unexpected<Error> wrong(const Place& at, const std::string& what) {
  return fail(Fault::kMalformed, std::string(at.stem) + ": line " + std::to_string(at.line) + ": " + what);
}

Result<void> read_head(Standard& out, const std::vector<std::string_view>& fields, const Place& at) {
  const std::pair<std::string_view, std::string*> kHeads[] = {
      {"@prefix", &out.prefix}, {"@name", &out.name},     {"@title", &out.title}, {"@version", &out.version},
      {"@owner", &out.owner},   {"@source", &out.source}, {"@tests", &out.tests}};
  if (fields.size() != 2 || fields[1].empty()) return wrong(at, "a head is a name and a value");
  if (fields[0] == "@reviewed") {
    if (fields[1] != "yes" && fields[1] != "no") return wrong(at, "reviewed is yes or no");
    out.reviewed = fields[1] == "yes";
    return {};
  }
  for (const auto& [name, text] : kHeads)
    if (fields[0] == name) {
      *text = fields[1];
      return {};
    }
  return wrong(at, "unknown head " + std::string(fields[0]));
}

// At most once each, in the order F P S D, in either case.
bool is_evidence(std::string_view letters) {
  size_t last = 0;
  for (const char c : letters) {
    const size_t at = std::string_view("FPSD").find(static_cast<char>(c & ~0x20));
    if (at == std::string_view::npos || at < last) return false;
    last = at + 1;
  }
  return !letters.empty();
}

Result<Requirement> read_line(const std::vector<std::string_view>& fields, const Place& at) {
  if (fields.size() != kFields) return wrong(at, std::to_string(fields.size()) + " fields, not 6");
  for (size_t i = 0; i < kFields; ++i)
    if (fields[i].empty()) return wrong(at, "field " + std::to_string(i + 1) + " is empty; \"-\" means none");
  const auto text = [&](size_t i) { return fields[i] == "-" ? std::string() : std::string(fields[i]); };
  Requirement out = {text(0), text(1), text(2), text(3), text(4), {}};
  if (!is_evidence(out.evidence)) return wrong(at, "evidence \"" + out.evidence + "\" is not of the letters F P S D");
  if (fields[5] != "-")
    for (const std::string_view rule : words(fields[5])) out.rules.emplace_back(rule);
  if (!std::ranges::is_sorted(out.rules)) return wrong(at, "the rules are not in the alphabet");
  return out;
}

}  // namespace

std::string reference_of(const Standard& s, const Requirement& r) {
  return s.prefix + ":" + r.clause + (r.id.empty() ? "" : " " + r.id);
}

bool is_wired(const Requirement& r) { return r.evidence.contains('F') && !r.rules.empty(); }

Result<Standard> read_standard(std::string_view stem, std::string_view tsv) {
  Standard out{.stem = std::string(stem)};
  for (const Line& line : lines(tsv)) {
    if (line.text.empty() || line.text.starts_with('#')) continue;
    const Place at{stem, line.number};
    const auto fields = split(line.text, '\t');
    if (line.text.starts_with('@')) {
      TRY_VOID(read_head(out, fields, at));
      continue;
    }
    Requirement one = TRY(read_line(fields, at));
    if (std::ranges::any_of(out.requirements, [&](const auto& r) { return r.clause == one.clause && r.id == one.id; }))
      return wrong(at, one.clause + " " + one.id + " stands twice");
    out.requirements.push_back(std::move(one));
  }
  for (const std::string* head : {&out.prefix, &out.name, &out.title, &out.version, &out.owner, &out.source})
    if (head->empty()) return wrong({stem, 1}, "prefix, name, title, version, owner and source must be there");
  return out;
}

std::vector<Standard> standards() {
  std::vector<Standard> out;
  for (const Embedded& one : embedded_standards()) {
    auto standard = read_standard(one.name, one.text);
    ASSAY_CHECK(standard.has_value());
    out.push_back(std::move(*standard));
  }
  return out;
}

}  // namespace assay::certify
