// assay list: what this build reads and judges.
#include "cli/commands.h"

#include "checks/check.h"
#include "unpack/format.h"

#include <fmt/format.h>

namespace assay::cli {

void add_list(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("list", "List the formats it reads or the checks it makes");
  auto what = std::make_shared<std::string>();
  command->add_option("WHAT", *what, "formats or checks")->required()->check(CLI::IsMember({"formats", "checks"}));
  command->callback([what, &status] {
    std::string out;
    if (*what == "formats")
      for (const unpack::Format* format : unpack::formats())
        out += fmt::format("{:<14} {}\n", format->id, format->title);
    else
      for (const checks::Check* check : checks::checks()) {
        out += fmt::format("{} (version {}): {}\n  means: {}\n  misses: {}\n  mistakes: {}\n", check->id,
                           check->version, check->title, check->means, check->misses, check->mistakes);
        for (const std::string_view requirement : check->requirements)
          out += fmt::format("  requirement: {}\n", requirement);
      }
    if (auto written = write_file("-", out); !written) status = complain(kUnreadable, written.error().what);
  });
}

}  // namespace assay::cli
