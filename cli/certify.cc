// assay certify IMAGE…: examined afresh, judged by a policy, signed, logged, in one file that a stranger can check.
#include "certify/evidence_file.h"
#include "certify/files.h"
#include "certify/issue.h"
#include "certify/verdict.h"
#include "cli/judging.h"
#include "core/text.h"
#include "report/report.h"

#include <fmt/format.h>

#include <map>

namespace assay::cli {
namespace {

struct Flags : JudgingFlags {
  std::string key, log, output, save_evidence;
  std::vector<std::string> waivers;
};

// The program that examined, by its own bytes.
Result<std::string> program_sha256() { return sha256(Bytes(TRY(certify::read_file("/proc/self/exe", 1 << 30)))).hex(); }

void print_verdicts(const std::vector<certify::Judgement>& judgements) {
  std::map<std::string_view, size_t> counts;
  for (const certify::Judgement& j : judgements) ++counts[certify::name_of(j.verdict)];
  for (const certify::Verdict open : {certify::Verdict::kFail, certify::Verdict::kInconclusive})
    for (const certify::Judgement& j : judgements)
      if (j.verdict == open)
        fmt::print("{:<14} {}{}\n               {}\n", certify::name_of(j.verdict), escape(j.ref),
                   j.blocking ? "" : " (not blocking)", j.because);
  for (const auto& [name, count] : counts) fmt::print("{:<15}{}\n", name, count);
}

Result<std::vector<certify::Waived>> waivers_of(const Flags& flags, const PolicyText& policy, const Judged& judged,
                                                const certify::PublicKey& certifier) {
  std::vector<certify::Waived> out;
  for (const std::string& path : flags.waivers) {
    std::string file = TRY(certify::read_file(path, kLongestDocument));
    auto waiver =
        certify::accept_waiver(file, policy.policy, sha256(Bytes(policy.text)).hex(), judged.evidence, &certifier);
    if (!waiver) return fail(waiver.error().fault, path + ": " + waiver.error().what);
    out.push_back({std::move(*waiver), std::move(file)});
  }
  return out;
}

Result<certify::Ground> ground_of(const PolicyText& policy, const Judged& judged, const std::string& evidence) {
  certify::Ground out;
  for (const engine::Inspection& one : judged.inspections)
    out.images.push_back({&one.examination(), report::cyclonedx(one.examination()), certify::fact_root(one.arrows())});
  out.policy = &policy.policy;
  out.policy_sha256 = sha256(Bytes(policy.text)).hex();
  out.program_sha256 = TRY(program_sha256());
  out.evidence_sha256 = sha256(Bytes(evidence)).hex();
  out.outside = judged.outside;
  return out;
}

Result<int> certify_submission(const Flags& flags) {
  const PolicyText policy = TRY(load_policy(flags.policy));
  const certify::SigningKey key = TRY(certify::SigningKey::open(flags.key));
  certify::Log log = TRY(certify::Log::open(flags.log));
  TRY_VOID(log.checkpoint());  // nothing is added to a log that does not hold
  const Judged judged = TRY(gather_evidence(flags));
  const auto judgements = certify::evaluate(policy.policy, judged.evidence);
  const std::string evidence = certify::evidence_json(judged.evidence);
  certify::Ground ground = TRY(ground_of(policy, judged, evidence));
  ground.declaration = judged.declaration ? &*judged.declaration : nullptr;
  ground.waivers = TRY(waivers_of(flags, policy, judged, key.public_key()));
  const certify::Statements statements = TRY(certify::statements_of(ground, judgements));
  if (!flags.save_evidence.empty()) TRY_VOID(write_whole(flags.save_evidence, evidence, kPrivate));
  const std::string text = TRY(certify::issue(statements.verdict, statements.inputs, key, log));
  TRY_VOID(write_whole(flags.output, text, 0644));
  const certify::Decision decision = certify::decide(ground, judgements);
  print_verdicts(judgements);
  fmt::print("{}: {}\n", decision.passed ? "PASSED" : "FAILED", decision.because);
  fmt::print("certificate: {}, in the log {}\n", flags.output, log.key().name);
  fmt::print("No certificate proves that there is nothing: it says what was examined and by which rules.\n");
  say_incomplete(judged);
  if (!decision.passed) return judged.complete() ? kFindings : kIncomplete;
  return kClean;
}

int run(const Flags& flags) {
  const auto status = certify_submission(flags);
  if (status) return *status;
  return complain(status.error().fault == Fault::kIo ? kUnreadable : kUsage, status.error().what);
}

}  // namespace

void add_certify(App& app, int& status) {
  App* command = app.add_subcommand("certify", "Judge images by a policy; sign and log the verdict");
  auto flags = std::make_shared<Flags>();
  flags->add_examination(*command);
  command->remove_option("--key");
  command->add_option("--policy", flags->policy, "Name of a ready policy (assay policy list), or a file")->required();
  command->add_option("--key", flags->key, "Signing key: a file of `assay keygen`, or pkcs11:URI")
      ->required()
      ->type_name("K");
  command->add_option("--format-key", flags->keys, "Key that a laboratory has for an encrypted format, FORMAT=FILE")
      ->type_name("KEY");
  command->add_option("--waiver", flags->waivers, "What two approvers accepted (assay policy waive)")
      ->type_name("FILE");
  command->add_option("--save-evidence", flags->save_evidence, "Write what was judged; its digest is certified")
      ->type_name("FILE");
  command->add_option("--log", flags->log, "Folder of the log (assay log init)")->required()->type_name("DIR");
  command->add_option("-o,--output", flags->output, "The certificate's file")->required()->type_name("FILE");
  command->footer(
      "Exit status: 0 PASSED, 1 FAILED, 2 usage, 3 unreadable, 4 FAILED and the examination is incomplete.");
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
