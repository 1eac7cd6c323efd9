// assay requirements: which clauses of which standards are known, what can decide them, which rules bear on them.
#include "certify/requirements.h"
#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::cli {
namespace {

struct Flags {
  std::string standard, cyclonedx;
};

void print_standard(const certify::Standard& s) {
  const auto wired = std::ranges::count_if(s.requirements, certify::is_wired);
  fmt::print("{:<13} {} {}, {}: {} requirements, {} decided by rules; reviewed: {}\n", s.stem, s.name, s.version,
             s.title, s.requirements.size(), wired, s.reviewed ? "yes" : "no");
}

void print_requirements(const certify::Standard& s) {
  for (const certify::Requirement& r : s.requirements) {
    fmt::print("{:<5} {}\n      {}\n", r.evidence, certify::reference_of(s, r), r.title);
    if (!r.rules.empty()) fmt::print("      rules: {}\n", fmt::join(r.rules, " "));
  }
}

int run(const Flags& flags) {
  std::vector<certify::Standard> all = certify::standards();
  const auto called = [&](const auto& s) { return s.stem == flags.standard || s.prefix == flags.standard; };
  if (!flags.standard.empty()) std::erase_if(all, [&](const auto& s) { return !called(s); });
  if (all.empty())
    return complain(kUsage, "no standard is called " + flags.standard + "; `assay requirements` names them");
  if (!flags.cyclonedx.empty()) {
    const auto written = write_file(flags.cyclonedx, certify::standards_cyclonedx(all));
    return written ? kClean : complain(kUnreadable, written.error().what);
  }
  for (const certify::Standard& s : all) print_standard(s);
  if (flags.standard.empty()) return kClean;
  fmt::print("source: {}\n", all[0].source);
  if (!all[0].tests.empty()) fmt::print("tests: {}\n", all[0].tests);
  print_requirements(all[0]);
  return kClean;
}

}  // namespace

void add_requirements(App& app, int& status) {
  App* command = app.add_subcommand("requirements", "Clauses of standards, and what can decide them");
  auto flags = std::make_shared<Flags>();
  command->add_option("STANDARD", flags->standard, "List one in full");
  command->add_option("--cyclonedx", flags->cyclonedx, "Write them as CycloneDX 1.6 (definitions.standards)")
      ->type_name("FILE");
  command->footer("Evidence: F firmware, P running product, S source, D documents; upper case can decide.");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
