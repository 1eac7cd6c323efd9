// assay show IMAGE FINDING: one finding with its evidence in full.
#include "cli/commands.h"

#include "core/date.h"
#include "report/report.h"

#include <unistd.h>

namespace assay::cli {
namespace {

struct Flags : Common {
  std::string finding, as_of;
};

int run(const Flags& flags) {
  auto options = flags.options();
  if (!options) return complain(kUsage, options.error().what);
  if (!flags.as_of.empty()) options->as_of = flags.as_of;
  if (auto date = seconds_of_date(options->as_of); !date) return complain(kUsage, "--as-of: " + date.error().what);
  const auto inspection = engine::Inspection::run(*options);
  if (!inspection) return complain(kUnreadable, inspection.error().what);
  end_progress_line();
  std::string out;
  for (const Finding& finding : inspection->examination().findings)
    if (finding.id.starts_with(flags.finding) || finding.rule == flags.finding)
      out += report::finding(inspection->examination(), finding,
                             {.width = 100, .color = isatty(STDOUT_FILENO) != 0, .image = flags.image});
  if (out.empty())
    return complain(kUsage, "no finding has the id or rule " + flags.finding + "; `assay inspect` prints the ids");
  if (auto written = write_file("-", out); !written) return complain(kUnreadable, written.error().what);
  return kClean;
}

}  // namespace

void add_show(App& app, int& status) {
  App* command = app.add_subcommand("show", "Show a finding's evidence in full");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  command->add_option("FINDING", flags->finding, "Its id, the first digits of it, or a rule's id")->required();
  command->add_option("--as-of", flags->as_of, "Day to judge by, as for inspect [today]")->type_name("DATE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
