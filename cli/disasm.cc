// assay disasm IMAGE [PATH] ADDRESS: one function's instructions, what their operands stand for, its blocks and
// callers; with what each instruction does beside it; or as pseudo-C.
#include "cli/asking.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::cli {
namespace {

constexpr size_t kNotesAt = 44, kMostCallers = 16;

struct Flags : ProgramFlags {
  std::string address;
  bool ir = false, c = false;
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

void to_notes(std::string& out) { out += std::string(out.size() < kNotesAt ? kNotesAt - out.size() : 1, ' '); }

std::string line_of(const CodeLine& line) {
  std::string out = fmt::format("  {:#x}  {}", line.address, line.text);
  if (!line.note.empty()) to_notes(out), out += "; " + escape(line.note);
  return out + "\n";
}

// The instruction on the left, what it does on the right.
std::string line_with_operations(const CodeLine& line) {
  std::string out, left = fmt::format("  {:#x}  {}", line.address, line.text);
  const auto beside = [&](std::string_view text) {
    to_notes(left);
    out += left + "| " + std::string(text) + "\n";
    left.clear();
  };
  if (!line.note.empty()) beside("; " + escape(line.note));
  for (const std::string& operation : line.operations) beside(operation);
  return left.empty() ? out : out + left + "\n";
}

std::string line_of_c(const CodeLine& line) { return fmt::format("  {:#x}  {}\n", line.address, escape(line.text)); }

std::string form_of(const Flags& flags) { return flags.ir ? "ir" : flags.c ? "c" : ""; }

std::string text_of(const CodeListing& listing, std::string_view form) {
  std::string out = head(listing);
  auto block = listing.blocks.begin();
  for (const CodeLine& line : listing.lines) {
    while (block != listing.blocks.end() && block->start <= line.address) out += block_line(*block++);
    out += form == "ir" ? line_with_operations(line) : form == "c" ? line_of_c(line) : line_of(line);
  }
  if (listing.lines_left_off > 0)
    out += fmt::format("  {} {} more\n", listing.lines_left_off, form == "c" ? "lines" : "instructions");
  if (!listing.simplified.empty()) out += "simplified:\n" + listing.simplified;
  return out;
}

int run(Flags flags) {
  if (flags.address.empty()) std::swap(flags.address, flags.path);  // IMAGE is the program
  if (flags.address.empty()) return complain(kUsage, "disasm: an address or a name is missing");
  if (flags.ir && flags.c) return complain(kUsage, "disasm: --ir and --c exclude each other");
  CodeQuestion question = question_about(CodeQuestion::kListing, flags.address);
  question.form = form_of(flags);
  const auto answer = ask_code(flags, question);
  if (!answer) return answer.error();
  std::string out;
  for (const CodeListing& listing : answer->listings) out += text_of(listing, question.form);
  if (auto written = write_file("-", out); !written) return complain(kUnreadable, written.error().what);
  for (const CodeListing& listing : answer->listings)
    if (!listing.refused.empty()) return complain(kIncomplete, "disasm: " + listing.refused);
  return status_of(*answer);
}

}  // namespace

void add_disasm(App& app, int& status) {
  App* command = app.add_subcommand("disasm", "Show the instructions of one function");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  flags->add_path(*command);
  command->add_option("ADDRESS", flags->address, "An address inside the function (0x…), or its name");
  command->add_flag("--ir", flags->ir, "Beside each instruction what it does, simplified");
  command->add_flag("--c", flags->c, "As pseudo-C");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
