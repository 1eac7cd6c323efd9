#include "cli/judging.h"

#include "certify/evidence_file.h"
#include "certify/files.h"
#include "core/text.h"

#include <sys/stat.h>

#include <algorithm>

namespace assay::cli {
namespace {

Result<void> read_declaration(const JudgingFlags& flags, engine::Options& options) {
  if (flags.declaration.empty()) return {};
  const std::string yaml = TRY(certify::read_file(flags.declaration, kLongestDocument));
  auto declaration = checks::read_declaration(yaml);
  if (!declaration) return fail(declaration.error().fault, flags.declaration + ": " + declaration.error().what);
  options.declaration = std::move(*declaration);
  options.declaration_digest = sha256(Bytes(yaml)).hex();
  return {};
}

// Each file by its reader; an error names the file.
template <class Read>
Result<void> read_outside(const std::vector<std::string>& files, std::vector<certify::Outside>& into, Read read) {
  for (const std::string& file : files) {
    const std::string text = TRY(certify::read_file(file, kLongestEvidence));
    auto outside = read(text);
    if (!outside) return fail(outside.error().fault, file + ": " + outside.error().what);
    outside->file = file.substr(file.rfind('/') + 1);
    outside->sha256 = sha256(Bytes(text)).hex();
    into.push_back(std::move(*outside));
  }
  return {};
}

Result<void> add_outside(const JudgingFlags& flags, const checks::Declaration* declaration, Judged& out) {
  const auto nmap = [&](std::string_view text) { return certify::read_nmap(text, declaration); };
  TRY_VOID(read_outside(flags.nmap, out.outside, nmap));
  TRY_VOID(read_outside(flags.sarif, out.outside, certify::read_sarif));
  TRY_VOID(read_outside(flags.results, out.outside, certify::read_manual));
  for (const certify::Outside& one : out.outside) certify::add(out.evidence, one);
  return {};
}

Result<Judged> evidence_from_file(const JudgingFlags& flags) {
  if (!flags.images.empty() || !flags.declaration.empty())
    return fail(Fault::kMalformed, "--evidence stands instead of IMAGE and --declaration");
  Judged out;
  auto read = certify::read_evidence(TRY(certify::read_file(flags.evidence, kLongestEvidence)));
  if (!read) return fail(read.error().fault, flags.evidence + ": " + read.error().what);
  out.evidence = std::move(*read);
  TRY_VOID(add_outside(flags, nullptr, out));
  return out;
}

}  // namespace

void JudgingFlags::add_examination(App& command) {
  add_to(command);
  command.remove_option("IMAGE");
  command.remove_option("--store");
  command.remove_option("--no-store");
  command.add_option("IMAGE", images, "Firmware images or directory trees of one submission");
  command.add_option("--declaration", declaration, "What the vendor says is there (YAML)")->type_name("FILE");
  command.add_option("--as-of", as_of, "Day to judge by, YYYY-MM-DD [today]")->type_name("DATE");
  command.add_option("--nmap", nmap, "Ports seen from outside: nmap's XML (-oX)")->type_name("FILE");
  command.add_option("--sarif", sarif, "What another tool found: SARIF 2.1.0")->type_name("FILE");
  command.add_option("--results", results, "Results of tests by hand (YAML, docs/policy.md)")->type_name("FILE");
}

Result<PolicyText> load_policy(const std::string& name) {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (ready.name == name) return PolicyText{TRY(certify::read_policy(ready.text)), std::string(ready.text)};
  auto read = certify::read_file(name, kLongestDocument);
  if (!read) return fail(read.error().fault, read.error().what + "; `assay policy list` names the ready policies");
  std::string text = std::move(*read);
  auto policy = certify::read_policy(text);
  if (!policy) return fail(policy.error().fault, name + ": " + policy.error().what);
  if (const auto known = certify::check_fields(*policy); !known)
    return fail(known.error().fault, name + ": policy: " + known.error().what);
  return PolicyText{std::move(*policy), std::move(text)};
}

Result<engine::Options> JudgingFlags::examination_options() const {
  engine::Options out = TRY(options());
  out.store_folder.clear();
  out.root = true;
  if (!as_of.empty()) out.as_of = as_of;
  TRY_VOID(read_declaration(*this, out));
  return out;
}

Result<void> write_whole(const std::string& file, std::string_view bytes, unsigned mode) {
  struct stat at{};
  if (file == "-" || (stat(file.c_str(), &at) == 0 && !S_ISREG(at.st_mode))) return write_file(file, bytes);
  return certify::write_durably(file, bytes, mode);
}

bool Judged::complete() const {
  return std::ranges::all_of(inspections, [](const engine::Inspection& i) { return i.examination().complete; });
}

void say_incomplete(const Judged& judged) {
  for (const engine::Inspection& one : judged.inspections) {
    const Examination& e = one.examination();
    std::string why;
    for (const std::string& reason : e.incomplete_because) why += (why.empty() ? "" : "; ") + reason;
    if (!e.complete) complain(kIncomplete, escape(e.name) + ": the examination is not complete: " + escape(why));
  }
}

Result<Judged> gather_evidence(const JudgingFlags& flags) {
  if (!flags.evidence.empty()) return evidence_from_file(flags);
  if (flags.images.empty()) return fail(Fault::kMalformed, "an IMAGE is missing");
  engine::Options options = TRY(flags.examination_options());
  Judged out;
  for (const std::string& image : flags.images) {
    options.input = image;
    out.inspections.push_back(TRY(engine::Inspection::run(options)));
  }
  end_progress_line();
  std::vector<const Examination*> examinations;
  for (const engine::Inspection& one : out.inspections) examinations.push_back(&one.examination());
  const checks::Declaration* declaration = options.declaration ? &*options.declaration : nullptr;
  out.evidence = certify::gather(examinations, declaration);
  TRY_VOID(add_outside(flags, declaration, out));
  out.declaration = std::move(options.declaration);
  return out;
}

}  // namespace assay::cli
