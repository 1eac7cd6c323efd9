#include "code/reading.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr size_t kMostProblems = 4, kLongestString = 120;

// What was not read of a program, in one line.
std::string unread(const Program& program, const Functions& functions) {
  std::string out;
  for (size_t i = 0; i < std::min(program.problems.size(), kMostProblems); ++i)
    out += (out.empty() ? "" : "; ") + program.problems[i].what;
  if (program.problems.size() > kMostProblems)
    out += "; " + std::to_string(program.problems.size() - kMostProblems) + " more";
  const auto say = [&](uint64_t count, std::string_view what) {
    if (count == 0) return;
    out += (out.empty() ? "" : "; ") + std::to_string(count) + (count == 1 ? " function " : " functions ");
    out += what;
  };
  say(functions.incomplete, "too large to follow values in");
  say(functions.unsettled, "read again and again without an end");
  say(functions.unshaped, "without dominators and loops");
  return out;
}

std::string quoted(std::string_view text) {
  const bool cut = text.size() > kLongestString;
  return "\"" + std::string(text.substr(0, kLongestString)) + (cut ? "…\"" : "\"");
}

template <class T, class Key>
std::span<const T> equal(const std::vector<T>& sorted, uint64_t address, Key key) {
  const auto found = std::ranges::equal_range(sorted, address, {}, key);
  return {found.begin(), found.end()};
}

}  // namespace

Reading::Reading(const Program& from) : program(from), analysis(analyse(from)) {
  for (uint32_t i = 0; i < analysis.imports.size(); ++i)
    for (const uint64_t address : {analysis.imports[i].stub, analysis.imports[i].slot})
      if (address != 0) ways_.emplace_back(address, i);
  std::ranges::sort(ways_);
}

CodeUnit Reading::unit() const {
  const Functions& f = analysis.functions;
  CodeUnit unit;
  unit.processor = name_of(program.processor);
  unit.functions = f.all.size();
  unit.instructions = f.instructions;
  unit.bytes = f.code_bytes;
  unit.undecodable = f.undecodable;
  unit.indirect_jumps = f.indirect_jumps;
  unit.indirect_jumps_resolved = analysis.indirect_jumps_resolved;
  unit.indirect_calls = f.indirect_calls;
  unit.indirect_calls_resolved = f.indirect_calls_resolved;
  unit.unread = unread(program, f);
  unit.at.shows = "code for " + unit.processor;
  return unit;
}

CodeFunction Reading::function(uint32_t index) {
  const Function& f = analysis.functions.all[index];
  return {.address = f.address,
          .size = f.size,
          .name = names_.shown(f.name),
          .processor = std::string(name_of(f.processor)),
          .found_by = std::string(name_of(f.found)),
          .confidence = std::string(name_of(f.sure))};
}

std::string Reading::name(uint32_t function) {
  return function < analysis.functions.all.size() ? names_.shown(analysis.functions.all[function].name) : "";
}

std::string Reading::name_at(uint64_t address) {
  const uint32_t index = analysis.function_at(address);
  if (index != kNone && analysis.functions.all[index].address == address) return name(index);
  const auto way = std::ranges::lower_bound(ways_, std::pair(address, uint32_t{0}));
  if (way == ways_.end() || way->first != address) return {};
  return names_.shown(analysis.imports[way->second].name);
}

std::string Reading::meaning(const Reference& r) {
  if (r.use == Use::kFunction || r.use == Use::kImport) return name_at(r.to);
  const std::string_view text = string_at(program, r.to);
  return text.empty() ? "" : quoted(text);
}

CodeCall Reading::call(const Call& c) {
  CodeCall out;
  const bool known = c.caller < analysis.functions.all.size();
  out.function = known ? analysis.functions.all[c.caller].address : 0;
  out.from = c.site;
  out.caller = name(c.caller);
  out.how = name_of(c.kind);
  if (c.target != kNowhere) out.to = c.target, out.callee = name_at(c.target);
  if (c.import < analysis.imports.size()) out.callee = names_.shown(analysis.imports[c.import].name);
  return out;
}

CodeReference Reading::reference(const Reference& r) {
  const bool known = r.function < analysis.functions.all.size();
  return {.from = r.from,
          .to = r.to,
          .function = known ? analysis.functions.all[r.function].address : 0,
          .in = name(r.function),
          .shows = meaning(r)};
}

std::span<const Reference> Reading::references_from(uint64_t address) const {
  return equal(analysis.references, address, &Reference::from);
}

std::span<const Call> Reading::calls_from(uint64_t address) const {
  return equal(analysis.calls, address, &Call::site);
}

std::vector<uint32_t> Reading::functions_named(std::string_view wanted) {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < analysis.functions.all.size(); ++i) {
    const std::string& stored = analysis.functions.all[i].name;
    if (!stored.empty() && (stored == wanted || names_.shown(stored) == wanted)) out.push_back(i);
  }
  return out;
}

std::vector<uint32_t> Reading::imports_named(std::string_view wanted) {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < analysis.imports.size(); ++i)
    if (analysis.imports[i].name == wanted || names_.shown(analysis.imports[i].name) == wanted) out.push_back(i);
  return out;
}

}  // namespace assay::code
