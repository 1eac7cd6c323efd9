#include "code/listing.h"

#include "code/decode.h"
#include "code/lift/function.h"
#include "code/pseudo/pseudo_c.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr size_t kMostCallers = 1000;

class Lister {
 public:
  Lister(Reading& reading, uint32_t index, uint64_t most)
      : reading_(reading),
        function_(reading.analysis.functions.all[index]),
        index_(index),
        most_(most),
        decoder_(function_.processor, reading.program.dialect) {}

  CodeListing list() {
    out_.function = reading_.function(index_);
    const Body& body = reading_.analysis.bodies[index_];
    for (uint32_t i = 0; i < body.blocks; ++i) block(reading_.analysis.blocks[body.first_block + i]);
    if (body.blocks == 0) lines(function_.address, function_.address + function_.size);
    for (const Call& c : reading_.analysis.calls)
      if (c.target == function_.address) caller(c);
    return std::move(out_);
  }

 private:
  void caller(const Call& c) {
    if (out_.callers.size() < kMostCallers)
      out_.callers.push_back(reading_.call(c));
    else
      ++out_.callers_left_off;
  }

  void block(const Block& b) {
    CodeBlock& block = out_.blocks.emplace_back();
    block.start = b.address, block.end = b.end;
    for (uint32_t i = 0; i < b.edges; ++i) {
      const Edge& edge = reading_.analysis.edges[b.first_edge + i];
      block.next.push_back(reading_.analysis.blocks[edge.to].address);
    }
    lines(b.address, b.end);
  }

  void lines(uint64_t from, uint64_t to) {
    const Area* area = reading_.program.code_at(from);
    if (!area) return;
    // Thumb's conditional blocks reach over the end of a block of ours, not over a gap.
    if (from != behind_) decoder_.restart();
    Insn insn;
    for (uint64_t at = from; at < std::min(to, area->end()); at += std::max<uint64_t>(insn.size, 1)) {
      const bool good = decoder_.decode(area->bytes.span().subspan(at - area->address), at, insn);
      if (out_.lines.size() >= most_)
        ++out_.lines_left_off;
      else
        out_.lines.push_back({at, good ? decoder_.set().text(insn) : "(no instruction)", good ? note(insn) : ""});
    }
    behind_ = to;
  }

  std::string note(const Insn& insn) {
    std::vector<std::string> parts;
    const auto say = [&](std::string part) {
      if (!part.empty() && std::ranges::find(parts, part) == parts.end()) parts.push_back(std::move(part));
    };
    for (const Call& c : reading_.calls_from(insn.address)) say(reading_.call(c).callee);
    for (const Reference& r : reading_.references_from(insn.address)) say(reading_.meaning(r));
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
    return out;
  }

  Reading& reading_;
  const Function& function_;
  uint32_t index_;
  uint64_t most_, behind_ = kNowhere;
  Decoder decoder_;
  CodeListing out_;
};

// What the instructions of each block do, simplified as a function: beside the instruction that the operation came
// from.
void add_operations(Reading& reading, uint32_t index, CodeListing& out) {
  const Function& f = reading.analysis.functions.all[index];
  out.refused = lift::refusal(f.processor);
  if (!out.refused.empty()) return;
  const lift::Isa isa = lift::isa_for(reading.program, f.processor);
  ir::Function code;
  ir::Counters counters;
  lift::lift_function(isa, lift::shape_of(reading.program, reading.analysis, index),
                      {.convention = ir::convention_of(f.processor, isa.file)}, counters, code);
  for (const ir::Block& b : code.blocks)
    for (ir::Line& line : ir::lines(code, b)) {
      const auto at = std::ranges::lower_bound(out.lines, line.address, {}, &CodeLine::address);
      if (at != out.lines.end() && at->address == line.address) at->operations.push_back(std::move(line.text));
    }
  out.simplified = ir::print(counters);
}

}  // namespace

CodeListing listing(Reading& reading, uint32_t function, uint64_t most, std::string_view form) {
  CodeListing out = Lister(reading, function, most).list();
  if (form == "ir") add_operations(reading, function, out);
  if (form == "c") {
    out.blocks.clear();
    out.lines = pseudo_c(reading, function, out.refused);
    const uint64_t shown = std::min<uint64_t>(out.lines.size(), most);
    out.lines_left_off = out.lines.size() - shown;
    out.lines.resize(shown);
  }
  return out;
}

}  // namespace assay::code
