#include "cli/judging.h"

#include "certify/files.h"

namespace assay::cli {

void JudgingFlags::add_examination(CLI::App& command) {
  add_to(command);
  command.add_option("--declaration", declaration, "What the vendor says is there (YAML)")->type_name("FILE");
  command.add_option("--as-of", as_of, "Day to judge by, YYYY-MM-DD [today]")->type_name("DATE");
}

Result<PolicyText> load_policy(const std::string& name) {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (ready.name == name) return PolicyText{TRY(certify::read_policy(ready.text)), std::string(ready.text)};
  auto read = certify::read_file(name, kLongestDocument);
  if (!read) return fail(read.error().fault, read.error().what + "; `assay policy list` names the ready policies");
  std::string text = std::move(*read);
  auto policy = certify::read_policy(text);
  if (!policy) return fail(policy.error().fault, name + ": " + policy.error().what);
  return PolicyText{std::move(*policy), std::move(text)};
}

Result<Judged> examine_afresh(const JudgingFlags& flags) {
  engine::Options options = TRY(flags.options());
  options.store_folder.clear();
  if (!flags.as_of.empty()) options.as_of = flags.as_of;
  if (!flags.declaration.empty()) {
    const std::string yaml = TRY(certify::read_file(flags.declaration, kLongestDocument));
    auto declaration = checks::read_declaration(yaml);
    if (!declaration) return fail(declaration.error().fault, flags.declaration + ": " + declaration.error().what);
    options.declaration = std::move(*declaration);
    options.declaration_digest = sha256(Bytes(yaml)).hex();
  }
  auto inspection = TRY(engine::Inspection::run(options));
  end_progress_line();
  auto evidence = certify::gather(inspection.examination(), options.declaration ? &*options.declaration : nullptr);
  return Judged{std::move(inspection), std::move(evidence)};
}

}  // namespace assay::cli
