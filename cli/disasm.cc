// assay disasm IMAGE [PATH] ADDRESS: one function's instructions, what their operands stand for, its blocks and
// callers.
#include "cli/asking.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::cli {
namespace {

constexpr size_t kNotesAt = 44, kMostCallers = 16;

struct Flags : ProgramFlags {
  std::string address;
};

std::string head(const CodeListing& listing) {
  const CodeFunction& f = listing.function;
  std::string out = fmt::format("{}: {} bytes, {}, found by {}, {}\n", place_of(f.address, f.name), f.size, f.processor,
                                f.found_by, f.confidence);
  for (size_t i = 0; i < std::min(listing.callers.size(), kMostCallers); ++i) {
    const CodeCall& c = listing.callers[i];
    out += fmt::format("  {} {} at {:#x}\n", c.how == "direct" ? "called by" : c.how + " from",
                       place_of(c.function, c.caller), c.from);
  }
  if (listing.callers.size() > kMostCallers)
    out += fmt::format("  and from {} places more: assay refs\n",
                       listing.callers.size() - kMostCallers + listing.callers_left_off);
  return out;
}

std::string block_line(const CodeBlock& block) {
  std::string next;
  for (const uint64_t to : block.next) next += (next.empty() ? "" : ", ") + hex_of(to);
  return fmt::format("{:#x}:{}\n", block.start, next.empty() ? "" : "  goes on at " + next);
}

std::string line_of(const CodeLine& line) {
  std::string out = fmt::format("  {:#x}  {}", line.address, line.text);
  if (!line.note.empty())
    out += std::string(out.size() < kNotesAt ? kNotesAt - out.size() : 1, ' ') + "; " + escape(line.note);
  return out + "\n";
}

std::string text_of(const CodeListing& listing) {
  std::string out = head(listing);
  auto block = listing.blocks.begin();
  for (const CodeLine& line : listing.lines) {
    while (block != listing.blocks.end() && block->start <= line.address) out += block_line(*block++);
    out += line_of(line);
  }
  if (listing.lines_left_off > 0) out += fmt::format("  {} instructions more\n", listing.lines_left_off);
  return out;
}

int run(Flags flags) {
  if (flags.address.empty()) std::swap(flags.address, flags.path);  // IMAGE is the program
  if (flags.address.empty()) return complain(kUsage, "disasm: an address or a name is missing");
  CodeQuestion question = {.kind = CodeQuestion::kListing};
  if (const auto address = address_of(flags.address))
    question.address = *address;
  else
    question.text = flags.address;
  const auto answer = ask_code(flags, question);
  if (!answer) return answer.error();
  std::string out;
  for (const CodeListing& listing : answer->listings) out += text_of(listing);
  if (auto written = write_file("-", out); !written) return complain(kUnreadable, written.error().what);
  return status_of(*answer);
}

}  // namespace

void add_disasm(App& app, int& status) {
  App* command = app.add_subcommand("disasm", "Show the instructions of one function");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  flags->add_path(*command);
  command->add_option("ADDRESS", flags->address, "An address inside the function (0x…), or its name");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
