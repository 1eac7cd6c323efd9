// assay inspect IMAGE: everything, with evidence.
#include "cli/commands.h"

#include "checks/check.h"
#include "core/date.h"
#include "report/report.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>

namespace assay::cli {
namespace {

struct Flags : Common {
  std::string json, sarif, cyclonedx, openvex, html, declaration, as_of, arrows;
  std::string fail_on = "high";
  bool no_code = false;
};

constexpr const char* kSeverities[] = {"note", "low", "medium", "high", "critical", "none"};

report::Terminal how(const std::string& image) {
  winsize size{};
  const bool terminal = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40;
  return {.width = terminal ? size.ws_col : 100u,
          .color = isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR"),
          .image = image};
}

Result<void> read_declaration(const std::string& path, engine::Options& options) {
  if (path.empty()) return {};
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Fault::kIo, "cannot open " + path + ": " + std::strerror(errno));
  const std::string yaml((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto declaration = checks::read_declaration(yaml);
  if (!declaration) return fail(declaration.error().fault, path + ": " + declaration.error().what);
  options.declaration = std::move(*declaration);
  options.declaration_digest = sha256(Bytes(yaml)).hex();
  return {};
}

// The specification has no document without a statement: where nothing was found, none is written, and that is said.
Result<void> write_openvex(const std::string& file, const Examination& e) {
  if (!e.findings.empty()) return write_file(file, report::openvex(e));
  complain(
      0, "--openvex: nothing was found, and OpenVEX has no document without a statement: " + file + " is not written");
  return {};
}

Result<void> write_reports(const Flags& flags, const engine::Inspection& inspection) {
  const Examination& e = inspection.examination();
  if (!flags.json.empty()) TRY_VOID(write_file(flags.json, report::json(e)));
  if (!flags.sarif.empty()) TRY_VOID(write_file(flags.sarif, report::sarif(e)));
  if (!flags.cyclonedx.empty()) TRY_VOID(write_file(flags.cyclonedx, report::cyclonedx(e)));
  if (!flags.openvex.empty()) TRY_VOID(write_openvex(flags.openvex, e));
  if (!flags.html.empty()) TRY_VOID(write_file(flags.html, report::html(e, inspection.code_views())));
  if (!flags.arrows.empty()) {
    std::string text;
    for (const engine::Arrow& arrow : inspection.arrows())
      text += fmt::format("{}\t{}\t{}\n", arrow.stored ? "stored" : "run", arrow.name, arrow.way);
    TRY_VOID(write_file(flags.arrows, text));
  }
  for (const std::string* file :
       {&flags.json, &flags.sarif, &flags.cyclonedx, &flags.openvex, &flags.html, &flags.arrows})
    if (*file == "-") return {};
  return write_file("-", report::terminal(e, how(flags.image)));
}

bool has_finding_at(const Examination& examination, const std::string& severity) {
  for (size_t i = 0; i < std::size(kSeverities); ++i)
    if (severity == kSeverities[i])
      for (const Finding& finding : examination.findings)
        if (static_cast<size_t>(finding.severity) >= i) return true;
  return false;
}

int run(const Flags& flags) {
  auto options = flags.options();
  if (!options) return complain(kUsage, options.error().what);
  options->code = !flags.no_code;
  options->code_view = !flags.html.empty();
  if (!flags.as_of.empty()) options->as_of = flags.as_of;
  if (auto date = seconds_of_date(options->as_of); !date) return complain(kUsage, "--as-of: " + date.error().what);
  if (auto read = read_declaration(flags.declaration, *options); !read) return complain(kUsage, read.error().what);
  const auto inspection = engine::Inspection::run(*options);
  if (!inspection) return complain(kUnreadable, inspection.error().what);
  end_progress_line();
  if (!inspection->store_trouble().empty()) complain(0, "store: " + inspection->store_trouble());
  if (auto written = write_reports(flags, *inspection); !written) return complain(kUnreadable, written.error().what);
  if (!inspection->examination().complete) return kIncomplete;
  return has_finding_at(inspection->examination(), flags.fail_on) ? kFindings : kClean;
}

}  // namespace

void add_inspect(App& app, int& status) {
  App* command = app.add_subcommand("inspect", "Unpack an image, read its facts, state findings with evidence");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  command->add_option("--json", flags->json, "Write the report as JSON (- is standard output)")->type_name("FILE");
  command->add_option("--sarif", flags->sarif, "Write the findings as SARIF 2.1.0")->type_name("FILE");
  command->add_option("--cyclonedx", flags->cyclonedx, "Write the components as a CycloneDX 1.6 SBOM")
      ->type_name("FILE");
  command->add_option("--openvex", flags->openvex, "Write the findings as OpenVEX 0.2.0 for the vendor to answer")
      ->type_name("FILE");
  command->add_option("--html", flags->html, "Write one self-contained page to look at")->type_name("FILE");
  command->add_option("--declaration", flags->declaration, "What the vendor says is there (YAML)")->type_name("FILE");
  command->add_option("--as-of", flags->as_of, "Day to judge expiry and support by, YYYY-MM-DD [today]")
      ->type_name("DATE");
  command->add_option("--fail-on", flags->fail_on, "Exit 1 from note, low, medium, high, critical on, or none [high]")
      ->type_name("SEVERITY")
      ->one_of(std::vector<std::string>(std::begin(kSeverities), std::end(kSeverities)));
  command->add_flag("--no-code", flags->no_code, "Leave the machine code of programs unread");
  command->add_option("--arrows", flags->arrows, "Write which analyses ran and which came from the store")
      ->type_name("FILE");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
