#include "code/answer.h"

#include "code/interest.h"
#include "code/listing.h"
#include "code/raw.h"
#include "code/uses.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint64_t kMostLines = 1'000'000;  // of one function

void list_functions(Reading& reading, CodeAnswer& out) {
  const auto count = static_cast<uint32_t>(reading.analysis.functions.all.size());
  out.functions.reserve(count);
  for (uint32_t i = 0; i < count; ++i) out.functions.push_back(reading.function(i));
}

void functions(Reading& reading, CodeAnswer& out) {
  list_functions(reading, out);
  for (const JumpTable& t : reading.analysis.jump_tables) out.tables.push_back({t.address, t.table, t.targets});
  for (const Reference& r : reading.analysis.references)
    if (r.use == Use::kString) out.references.push_back(reading.reference(r));
}

void one_listing(Reading& reading, const CodeQuestion& question, CodeAnswer& out) {
  uint32_t index = reading.analysis.function_at(question.address);
  if (!question.text.empty()) {
    const std::vector<uint32_t> named = reading.functions_named(question.text);
    if (named.size() > 1) out.refused = std::to_string(named.size()) + " functions are called " + question.text;
    if (named.empty()) out.refused = "no function is called " + question.text;
    if (named.size() != 1) return;
    index = named[0];
  }
  if (index == kNone)
    out.refused = "no function holds " + hexadecimal(question.address);
  else
    out.listings.push_back(listing(reading, index, kMostLines, question.form));
}

void view(Reading& reading, const CodeQuestion& question, CodeAnswer& out) {
  list_functions(reading, out);
  const std::vector<uint32_t> order = by_interest(reading);
  for (const uint32_t index : order) {
    if (out.listings.size() == question.listings) break;
    out.listings.push_back(listing(reading, index, question.most));
  }
  out.listings_left_off = order.size() - out.listings.size();
}

Result<Program> program_of(Bytes content, const CodeQuestion& question) {
  if (question.cpu.empty()) return load(content);
  const Processor processor = processor_named(question.cpu);
  if (processor != Processor::kUnknown) return raw_program(content, processor, question.base.value_or(0));
  std::string known;
  for (size_t i = 1; i < kProcessors; ++i) known += " " + std::string(name_of(static_cast<Processor>(i)));
  return fail(Fault::kUnsupported, "no processor is called " + question.cpu + "; there are:" + known);
}

}  // namespace

void read_code(Bytes content, Facts& out) {
  const auto program = load(content);
  if (program) {
    out.code.push_back(Reading(*program).unit());
    return;
  }
  CodeUnit unit;
  unit.unread = program.error().what;
  unit.at.shows = "code that is not read";
  out.code.push_back(std::move(unit));
}

CodeAnswer answer(Bytes content, const CodeQuestion& question) {
  CodeAnswer out;
  const auto program = program_of(content, question);
  if (!program) {
    out.refused = program.error().what;
    return out;
  }
  Reading reading(*program);
  out.unit = reading.unit();
  switch (question.kind) {
    case CodeQuestion::kFunctions:
      functions(reading, out);
      break;
    case CodeQuestion::kListing:
      one_listing(reading, question, out);
      break;
    case CodeQuestion::kReferences:
      uses(reading, question, out);
      break;
    case CodeQuestion::kCalls:
      for (const Call& c : reading.analysis.calls) out.calls.push_back(reading.call(c));
      break;
    case CodeQuestion::kView:
      view(reading, question, out);
      break;
  }
  return out;
}

}  // namespace assay::code
