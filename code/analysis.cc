// Puts together what the parts of the room find.
#include "code/analysis.h"

#include "code/discovery.h"
#include "code/graph.h"

#include <algorithm>

namespace assay::code {
namespace {

class Assembly {
 public:
  Assembly(const Program& program, Discovery& found) : program_(program), found_(found) {}
  Analysis run();

 private:
  void add(const Discovery::Start& start, uint64_t next);
  void make_room(std::span<const uint32_t> kept);
  void add_body(uint32_t index, ReadFunction& body);
  void settle_calls();
  void settle_references();
  std::optional<Use> use_of(uint64_t address) const;
  bool is_pointer(uint64_t address, std::string_view text) const;

  const Program& program_;
  Discovery& found_;
  Analysis out_;
};

void Assembly::add(const Discovery::Start& s, uint64_t next) {
  uint64_t end = s.address;
  for (const Range& r : s.body.extents)
    if (r.from < next && r.to > end) end = std::min(r.to, next);
  out_.functions.all.push_back({.address = s.address,
                                .size = s.stated_size ? s.stated_size : end - s.address,
                                .processor = s.processor,
                                .found = s.found,
                                .sure = s.sure,
                                .name = s.name});
}

void Assembly::add_body(uint32_t index, ReadFunction& body) {
  const auto first_block = static_cast<uint32_t>(out_.blocks.size()),
             first_edge = static_cast<uint32_t>(out_.edges.size());
  out_.bodies.push_back({.first_block = first_block,
                         .blocks = static_cast<uint32_t>(body.blocks.size()),
                         .instructions = body.instructions});
  out_.functions.unshaped += !shape(body.blocks, body.edges);
  for (Block& b : body.blocks) {
    b.function = index;
    b.first_edge += first_edge;
    if (b.dominator != kNone) b.dominator += first_block;
    if (b.loop != kNone) b.loop += first_block;
    out_.blocks.push_back(b);
  }
  for (const Edge& e : body.edges) out_.edges.push_back({e.to + first_block, e.way});
  for (JumpTable& t : body.tables) {
    t.function = index;
    out_.jump_tables.push_back(std::move(t));
  }
  for (Reference& r : body.references) {
    r.function = index;
    out_.references.push_back(r);
  }
  for (Call& c : body.calls) {
    c.caller = index;
    out_.calls.push_back(c);
  }
  for (const Escape& e : body.escapes)
    if (!e.falls) out_.calls.push_back({.site = e.site, .target = e.target, .caller = index, .kind = CallKind::kTail});
  for (SystemCall& s : body.system_calls) {
    s.function = index;
    out_.system_calls.push_back(s);
  }
  Functions& f = out_.functions;
  f.instructions += body.instructions;
  f.undecodable += body.undecodable;
  f.incomplete += body.incomplete;
  f.indirect_jumps += body.indirect_jumps;
  f.indirect_calls += body.indirect_calls;
  f.indirect_calls_resolved += body.indirect_calls_resolved;
  out_.indirect_jumps_resolved += body.indirect_jumps_resolved;
  body = {};
}

// Of all that bodies come to, at once.
void Assembly::make_room(std::span<const uint32_t> kept) {
  size_t blocks = 0, edges = 0, references = 0, calls = 0;
  for (const uint32_t i : kept) {
    const ReadFunction& b = found_.start(i).body;
    blocks += b.blocks.size(), edges += b.edges.size();
    references += b.references.size(), calls += b.calls.size() + b.escapes.size();
  }
  out_.functions.all.reserve(kept.size()), out_.bodies.reserve(kept.size());
  out_.blocks.reserve(blocks), out_.edges.reserve(edges);
  out_.references.reserve(references), out_.calls.reserve(calls);
}

// ARM's function pointers carry the mode in bit 0. A jump into the middle of a function is no call.
void Assembly::settle_calls() {
  const auto starts = [&](uint64_t address) {
    return std::ranges::binary_search(out_.functions.all, address, {}, &Function::address);
  };
  const bool arm = family_of(program_.processor) == Family::kArm;
  for (Call& c : out_.calls)
    if (c.target != kNowhere && arm && !starts(c.target)) c.target &= ~uint64_t{1};
  std::erase_if(out_.calls, [&](const Call& c) {
    const bool weak = c.kind == CallKind::kTail || c.kind == CallKind::kCallback;
    return weak && c.import == kNone && !starts(c.target);
  });
  std::ranges::stable_sort(out_.calls, {}, &Call::site);
}

std::optional<Use> Assembly::use_of(uint64_t address) const {
  if (const Filled* f = program_.filled_at(address); f && f->import != kNone) return Use::kImport;
  const uint64_t bare = family_of(program_.processor) == Family::kArm ? address & ~uint64_t{1} : address;
  if (std::ranges::binary_search(out_.functions.all, bare, {}, &Function::address)) return Use::kFunction;
  if (found_.map().owner(address) >= CodeMap::kFirstOwner) return std::nullopt;
  if (!program_.data_at(address)) return std::nullopt;
  // ARM's constants behind code are words, whatever letters they happen to be.
  if (family_of(program_.processor) == Family::kArm && found_.map().owner(address) == CodeMap::kData) return Use::kData;
  const std::string_view text = string_at(program_, address);
  return text.empty() || is_pointer(address, text) ? Use::kData : Use::kString;
}

// A pointer whose bytes happen to be characters, but not those that texts are made of.
bool Assembly::is_pointer(uint64_t address, std::string_view text) const {
  if (text.size() >= program_.pointer || address % program_.pointer != 0) return false;
  if (std::ranges::all_of(text, [](char c) { return (c >= 32 && c < 127) || (c >= 9 && c <= 13); })) return false;
  const auto word = program_.word(address, static_cast<uint8_t>(program_.pointer));
  return word && (program_.data_at(*word) || program_.code_at(*word));
}

void Assembly::settle_references() {
  size_t kept = 0;
  for (Reference& r : out_.references)
    if (const auto use = use_of(r.to)) {
      r.use = *use;
      out_.references[kept++] = r;
    }
  out_.references.resize(kept);
  if (!std::ranges::is_sorted(out_.references, {}, &Reference::from))
    std::ranges::stable_sort(out_.references, {}, &Reference::from);
}

Analysis Assembly::run() {
  std::vector<uint32_t> kept;
  for (const auto& [address, index] : found_.order())
    if (!found_.start(index).stub) kept.push_back(index);
  make_room(kept);
  for (size_t i = 0; i < kept.size(); ++i)
    add(found_.start(kept[i]), i + 1 < kept.size() ? found_.start(kept[i + 1]).address : kNowhere);
  for (uint32_t i = 0; i < kept.size(); ++i) {
    add_body(i, found_.start(kept[i]).body);
    out_.bodies.back().returns = found_.start(kept[i]).returns;
    out_.functions.unsettled += found_.start(kept[i]).unsettled;
  }
  out_.imports = program_.imports;
  for (uint32_t i = 0; i < out_.imports.size(); ++i) out_.imports[i].stub = found_.stub_of(i);
  std::ranges::stable_sort(out_.jump_tables, {}, &JumpTable::address);
  std::ranges::stable_sort(out_.system_calls, {}, &SystemCall::site);
  settle_calls();
  settle_references();
  for (const Area& a : program_.code) out_.functions.code_bytes += a.bytes.size();
  return std::move(out_);
}

}  // namespace

std::string_view name_of(Use use) {
  constexpr std::string_view kNames[] = {"string", "data", "function", "import"};
  return kNames[static_cast<size_t>(use)];
}

std::string_view name_of(CallKind kind) {
  constexpr std::string_view kNames[] = {"direct", "indirect", "tail", "callback"};
  return kNames[static_cast<size_t>(kind)];
}

uint32_t Analysis::function_at(uint64_t address) const {
  auto at = std::ranges::upper_bound(functions.all, address, {}, &Function::address);
  if (at == functions.all.begin()) return kNone;
  --at;
  const bool holds = address == at->address || address - at->address < at->size;
  return holds ? static_cast<uint32_t>(at - functions.all.begin()) : kNone;
}

namespace {

// Bytes of the printable character that `text` starts with; 0: none. Above ASCII, UTF-8 (RFC 3629).
size_t printable(std::string_view text) {
  const auto c = static_cast<uint8_t>(text[0]);
  if (c < 0x80) return (c >= 32 && c < 127) || (c >= 7 && c <= 13) || c == 27 ? 1 : 0;
  const size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  if (c < 0xc2 || c > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

}  // namespace

std::string_view string_at(const Program& program, uint64_t address) {
  constexpr size_t kLongest = 4096;
  auto area = std::ranges::upper_bound(program.data, address, {}, &Area::address);
  if (area == program.data.begin()) return {};
  --area;
  if (address - area->address >= area->bytes.size()) return {};
  const std::string_view rest = area->bytes.text().substr(address - area->address, kLongest);
  size_t n = 0;
  for (size_t taken = 1; n < rest.size() && taken != 0; n += taken) taken = printable(rest.substr(n));
  return n >= 2 && n < rest.size() && rest[n] == '\0' ? rest.substr(0, n) : std::string_view();
}

Analysis analyse(const Program& program) {
  Discovery found(program);
  found.run();
  return Assembly(program, found).run();
}

}  // namespace assay::code
