// assay refs IMAGE [PATH] ADDRESS|STRING|NAME: who uses it. The first question about anything suspicious.
#include "cli/asking.h"

#include "core/text.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

struct Flags : ProgramFlags {
  std::string what;
};

std::string text_of(const CodeAnswer& answer) {
  std::string out;
  for (const CodeCall& c : answer.calls)
    out += fmt::format("{:#x}  in {}  {} call of {}\n", c.from, place_of(c.function, c.caller), c.how,
                       c.to ? place_of(c.to, c.callee) : escape(c.callee));
  for (const CodeReference& r : answer.references)
    out += fmt::format("{:#x}  in {}  uses {}{}\n", r.from, place_of(r.function, r.in), hex_of(r.to),
                       r.shows.empty() ? "" : " " + escape(r.shows));
  if (answer.places_left_off > 0)
    out += fmt::format("# {} strings more hold the text and were not looked at\n", answer.places_left_off);
  return out + fmt::format("# {} calls, {} uses; {} of {} indirect calls are resolved\n", answer.calls.size(),
                           answer.references.size(), answer.unit.indirect_calls_resolved, answer.unit.indirect_calls);
}

int run(Flags flags) {
  if (flags.what.empty()) std::swap(flags.what, flags.path);  // IMAGE is the program
  if (flags.what.empty()) return complain(kUsage, "refs: an address, a string or a name is missing");
  const auto answer = ask_code(flags, question_about(CodeQuestion::kReferences, flags.what));
  if (!answer) return answer.error();
  if (auto written = write_file("-", text_of(*answer)); !written) return complain(kUnreadable, written.error().what);
  return status_of(*answer);
}

}  // namespace

void add_refs(App& app, int& status) {
  App* command = app.add_subcommand("refs", "Show who uses an address, a string or a function");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  flags->add_path(*command);
  command->add_option("WHAT", flags->what, "An address (0x…), a function's name, or text that a string holds");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
