// assay list: what this build reads and judges.
#include "cli/commands.h"

#include "checks/check.h"
#include "unpack/format.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

std::string checks_listed() {
  std::string out;
  for (const checks::Check* check : checks::checks()) {
    out += fmt::format("{} (version {}): {}\n  means: {}\n  misses: {}\n  mistakes: {}\n", check->id, check->version,
                       check->title, check->means, check->misses, check->mistakes);
    for (const std::string_view requirement : check->requirements)
      out += fmt::format("  requirement: {}\n", requirement);
  }
  return out;
}

std::string formats_listed() {
  std::string out;
  for (const unpack::Format* format : unpack::formats()) out += fmt::format("{:<14} {}\n", format->id, format->title);
  return out;
}

std::string_view kind_of(const unpack::Format& format) {
  if (format.decode) return "stream, decoded";
  return format.unpack ? "container, opened" : "leaf, typed and measured only";
}

std::string item(std::string_view name, std::string_view text) {
  return text.empty() ? "" : fmt::format("- {}: {}\n", name, text);
}

// docs/formats.md, whole; a case compares the two.
std::string formats_as_markdown() {
  std::string out = fmt::format(
      "# Formats\n\n"
      "Made by `assay list formats --markdown` from the registry; a test fails when it is stale. {} formats.\n\n"
      "*Reads* names the variants that are read beyond what the title says, *not read* what is known to be missing,\n"
      "*checked against* what the reader was held to: files that others made (real images, samples), the output of a\n"
      "foreign tool, or our own builder only, which shares our mistakes.\n",
      unpack::formats().size());
  for (const unpack::Format* format : unpack::formats()) {
    out += fmt::format("\n## {}: {}\n\n", format->id, format->title);
    out += item("kind", kind_of(*format)) + item("reads", format->reads) + item("not read", format->limits) +
           item("source", format->source) + item("checked against", format->checked);
  }
  return out;
}

}  // namespace

void add_list(App& app, int& status) {
  App* command = app.add_subcommand("list", "List the formats it reads or the checks it makes");
  auto what = std::make_shared<std::string>();
  auto markdown = std::make_shared<bool>(false);
  command->add_option("WHAT", *what, "formats or checks")->required()->one_of({"formats", "checks"});
  command->add_flag("--markdown", *markdown, "With formats: variants, limits, sources; as docs/formats.md has it");
  command->callback([what, markdown, &status] {
    if (*markdown && *what != "formats") {
      status = complain(kUsage, "--markdown goes with formats only");
      return;
    }
    const std::string out = *what == "checks" ? checks_listed() : *markdown ? formats_as_markdown() : formats_listed();
    if (auto written = write_file("-", out); !written) status = complain(kUnreadable, written.error().what);
  });
}

}  // namespace assay::cli
