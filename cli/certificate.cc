// assay certificate …: a certificate for people (one page), and for the public (a view with statements withheld).
#include "certify/certificate.h"
#include "certify/fact_root.h"
#include "certify/files.h"
#include "certify/page.h"
#include "certify/statement.h"
#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace assay::cli {
namespace {

struct Flags {
  std::string certificate, output;
  std::vector<std::string> withhold = {"sbom", "arrows"};
};

const std::map<std::string, std::string> kTypes = {
    {"sbom", certify::kSbomType}, {"arrows", certify::kArrowsType}, {"results", certify::kTestResultType}};

Result<void> page(const Flags& flags) {
  const std::string text = TRY(certify::read_file(flags.certificate, 1 << 28));
  const auto certificate = TRY(certify::read_certificate(text, flags.certificate));
  const auto terms = TRY(certify::read_terms(certificate.bundles[0].envelope.payload, flags.certificate));
  return write_file(flags.output, TRY(certify::certificate_page(certificate, terms, text)));
}

Result<void> redact(const Flags& flags) {
  const std::string text = TRY(certify::read_file(flags.certificate, 1 << 28));
  const auto certificate = TRY(certify::read_certificate(text, flags.certificate));
  std::vector<std::string> types;
  for (const std::string& name : flags.withhold) types.push_back(kTypes.at(name));
  const auto view = certify::redacted(certificate, types);
  const auto count = std::ranges::count_if(view.bundles, [](const auto& bundle) { return !bundle.withheld.empty(); });
  TRY_VOID(write_file(flags.output, certify::certificate_json(view)));
  if (flags.output != "-") fmt::print("{} of {} statements are withheld\n", count, view.bundles.size());
  return {};
}

int report(const Result<void>& done) {
  if (done) return kClean;
  const bool unreadable = done.error().fault == Fault::kIo;
  return complain(unreadable ? kUnreadable : kFindings, (unreadable ? "" : "rejected: ") + done.error().what);
}

}  // namespace

void add_certificate(App& app, int& status) {
  App* group = app.add_subcommand("certificate", "Show a certificate to people, or to the public");
  group->require_subcommand();
  auto flags = std::make_shared<Flags>();
  const auto part = [&](const char* name, const char* what) {
    App* command = group->add_subcommand(name, what);
    command->add_option("CERT", flags->certificate, "The certificate's file")->required();
    command->add_option("-o,--output", flags->output, "File to write")->required()->type_name("FILE");
    return command;
  };
  part("page", "One HTML page: what, verdicts, coverage, what was not tested; prints well")->callback([flags, &status] {
    status = report(page(*flags));
  });
  App* view = part("redact", "A view with statements withheld that still verifies");
  view->add_option("--withhold", flags->withhold, "sbom, arrows, results [sbom arrows]")
      ->one_of({"sbom", "arrows", "results"});
  view->callback([flags, &status] { status = report(redact(*flags)); });
}

}  // namespace assay::cli
