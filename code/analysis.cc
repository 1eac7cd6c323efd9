// Puts together what the parts of the room find.
#include "code/analysis.h"

#include "code/decode.h"

#include <algorithm>

namespace assay::code {
namespace {

// Direct calls of one function, in the order of its bytes.
void direct_calls(const Program& program, uint32_t index, Analysis& out) {
  const Function& f = out.functions.all[index];
  const Area* area = program.code_at(f.address);
  if (!area) return;
  Decoder decoder(f.processor, program.dialect);
  Insn insn;
  for (uint64_t at = f.address; at < f.address + f.size && at < area->end(); at += std::max<uint64_t>(1, insn.size)) {
    if (!decoder.decode(area->bytes.span().subspan(at - area->address), at, insn)) continue;
    if (insn.flow == Flow::kCall) out.calls.push_back({.site = at, .target = insn.target, .caller = index});
  }
}

}  // namespace

std::string_view name_of(Use use) {
  constexpr std::string_view kNames[] = {"string", "data", "function", "import"};
  return kNames[static_cast<size_t>(use)];
}

std::string_view name_of(CallKind kind) {
  constexpr std::string_view kNames[] = {"direct", "indirect", "tail", "callback", "table"};
  return kNames[static_cast<size_t>(kind)];
}

uint32_t Analysis::function_at(uint64_t address) const {
  auto at = std::ranges::upper_bound(functions.all, address, {}, &Function::address);
  if (at == functions.all.begin()) return kNone;
  --at;
  const bool holds = address == at->address || address - at->address < at->size;
  return holds ? static_cast<uint32_t>(at - functions.all.begin()) : kNone;
}

std::string_view string_at(const Program& program, uint64_t address) {
  constexpr size_t kLongest = 4096;
  auto area = std::ranges::upper_bound(program.data, address, {}, &Area::address);
  if (area == program.data.begin()) return {};
  --area;
  if (address - area->address >= area->bytes.size()) return {};
  const std::string_view rest = area->bytes.text().substr(address - area->address, kLongest);
  size_t n = 0;
  const auto printable = [](char c) { return (c >= 32 && c < 127) || (c >= 7 && c <= 13) || c == 27 || (c & 0x80); };
  while (n < rest.size() && printable(rest[n])) ++n;
  return n >= 2 && n < rest.size() && rest[n] == '\0' ? rest.substr(0, n) : std::string_view();
}

Analysis analyse(const Program& program) {
  Analysis out;
  out.functions = find_functions(program);
  out.bodies.resize(out.functions.all.size());
  for (uint32_t i = 0; i < out.functions.all.size(); ++i) direct_calls(program, i, out);
  std::ranges::sort(out.calls, {}, &Call::site);
  return out;
}

}  // namespace assay::code
