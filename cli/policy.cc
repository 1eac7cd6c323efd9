// assay policy: the ready policies, whether a file is one, what it says of an image, what another would say, and
// waivers.
#include "certify/evidence_file.h"
#include "certify/files.h"
#include "certify/verdict.h"
#include "certify/waiver.h"
#include "checks/yaml.h"
#include "cli/judging.h"
#include "core/suggest.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace assay::cli {
namespace {

struct Flags : JudgingFlags {
  std::string output, ref, reason, until, key, cosign;
};

int fault_of(const Error& error) { return error.fault == Fault::kIo ? kUnreadable : kUsage; }

int list() {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (const auto policy = certify::read_policy(ready.text); policy)
      fmt::print("{:<22} {:<8} {}\n", policy->name, policy->version, policy->title);
  return kClean;
}

// A rule that there is not would never have run: what rests on it could only be INCONCLUSIVE.
Result<void> check_rules(const std::string& file, const certify::Policy& policy) {
  std::vector<std::string_view> known;
  for (const checks::Check* one : checks::checks()) known.push_back(one->id);
  for (const certify::Demand& demand : policy.demands)
    for (const certify::Test& test : demand.tests)
      for (const certify::Condition& c : test.of.conditions)
        for (const std::string& rule : c.value)
          if (test.of.collection == "findings" && c.field == "rule" && c.op != "^=" &&
              std::ranges::find(known, rule) == known.end())
            return fail(Fault::kMalformed, file + ": policy: line " + std::to_string(test.line) + ": " + demand.ref +
                                               ": there is no rule \"" + rule + "\"" + did_you_mean(rule, known) +
                                               " (assay list checks)");
  return {};
}

Result<int> check(const Flags& flags) {
  const PolicyText policy = TRY(load_policy(flags.policy));
  TRY_VOID(check_rules(flags.policy, policy.policy));
  size_t tested = 0;
  for (const certify::Demand& demand : policy.policy.demands) tested += !demand.tests.empty();
  fmt::print("{} {}: {} requirements, {} with a check\n", policy.policy.name, policy.policy.version,
             policy.policy.demands.size(), tested);
  return kClean;
}

const char* from_file(const Judged& judged) {
  return judged.inspections.empty() ? "; evidence from a file does not tell whether all was examined" : "";
}

// What a certificate would say, without waivers.
bool print_decision(const certify::Policy& policy, const std::vector<certify::Judgement>& judgements,
                    const Judged& judged) {
  const certify::Decision decision = certify::decide(policy, judgements, judged.complete());
  fmt::print("decision: {}: {}{}\n", decision.passed ? "PASSED" : "FAILED", decision.because,
             decision.passed ? from_file(judged) : "");
  return decision.passed;
}

Result<int> judge(const Flags& flags) {
  const PolicyText policy = TRY(load_policy(flags.policy));
  const Judged judged = TRY(gather_evidence(flags));
  const auto judgements = certify::evaluate(policy.policy, judged.evidence);
  for (const certify::Judgement& j : judgements)
    fmt::print("{:<14} {}\n               {}\n", certify::name_of(j.verdict), escape(j.ref), j.because);
  const bool passed = print_decision(policy.policy, judgements, judged);
  say_incomplete(judged);
  if (!judged.complete()) return kIncomplete;
  return passed ? kClean : kFindings;
}

// How many verdicts of how many that either policy has.
std::pair<size_t, size_t> print_changes(const std::vector<certify::Judgement>& before,
                                        const std::vector<certify::Judgement>& after) {
  std::map<std::string, std::pair<std::string, std::string>> verdicts;
  for (const certify::Judgement& j : before) verdicts[j.ref].first = certify::name_of(j.verdict);
  for (const certify::Judgement& j : after) verdicts[j.ref].second = certify::name_of(j.verdict);
  size_t changes = 0;
  for (const auto& [ref, pair] : verdicts) {
    if (pair.first == pair.second) continue;
    ++changes;
    fmt::print("{}: {} -> {}\n", escape(ref), pair.first.empty() ? "absent" : pair.first,
               pair.second.empty() ? "absent" : pair.second);
  }
  return {changes, verdicts.size()};
}

// What a regulator asks before changing a policy: which verdicts would change, and whether there were a certificate.
Result<int> diff(const Flags& flags) {
  const PolicyText a = TRY(load_policy(flags.policy)), b = TRY(load_policy(flags.other));
  const Judged judged = TRY(gather_evidence(flags));
  const auto before = certify::evaluate(a.policy, judged.evidence),
             after = certify::evaluate(b.policy, judged.evidence);
  const auto [changes, all] = print_changes(before, after);
  const auto word = [&](const certify::Policy& policy, const std::vector<certify::Judgement>& judgements) {
    return certify::decide(policy, judgements, judged.complete()).passed ? "PASSED" : "FAILED";
  };
  fmt::print("{} of {} verdicts change; decision: {} -> {}{}\n", changes, all, word(a.policy, before),
             word(b.policy, after), from_file(judged));
  say_incomplete(judged);
  return judged.complete() ? kClean : kIncomplete;
}

Result<int> save_evidence(const Flags& flags) {
  const Judged judged = TRY(gather_evidence(flags));
  TRY_VOID(write_whole(flags.output, certify::evidence_json(judged.evidence), kPrivate));
  say_incomplete(judged);
  return judged.complete() ? kClean : kIncomplete;
}

Result<std::string> payload_of(const Flags& flags) {
  const PolicyText policy = TRY(load_policy(flags.policy));
  if (std::ranges::none_of(policy.policy.demands, [&](const auto& d) { return d.ref == flags.ref; }))
    return fail(Fault::kMalformed, "--ref: the policy has no requirement \"" + flags.ref + "\"");
  certify::Waiver waiver{.ref = flags.ref, .reason = flags.reason, .until = flags.until};
  waiver.policy_sha256 = sha256(Bytes(policy.text)).hex();
  for (const std::string& image : flags.images)
    waiver.images.push_back(sha256(Bytes(TRY(certify::read_file(image, 1ull << 36)))).hex());
  std::ranges::sort(waiver.images);
  return certify::waiver_payload(waiver);
}

// The first approver states what is waived and signs; the second signs the same statement.
Result<int> waive(const Flags& flags) {
  const auto key = TRY(certify::SigningKey::open(flags.key));
  const bool first = flags.cosign.empty();
  if (first && (flags.policy.empty() || flags.ref.empty() || flags.reason.empty() || flags.until.empty()))
    return fail(Fault::kMalformed, "waive needs POLICY, IMAGE, --ref, --reason and --until, or --cosign FILE");
  const std::string file = first ? "" : TRY(certify::read_file(flags.cosign, kLongestDocument));
  const std::string payload = first ? TRY(payload_of(flags)) : certify::waiver_payload_of(file);
  const std::string signed_now = TRY(certify::sign_waiver(file, payload, key));
  if (!first) fmt::print("signed: {}\n", payload);
  TRY_VOID(write_file(flags.output, signed_now));
  return kClean;
}

using Run = Result<int> (*)(const Flags&);

struct Adder {
  App* command;
  int& status;

  std::pair<App*, std::shared_ptr<Flags>> add(const char* name, const char* what, Run run) const {
    auto flags = std::make_shared<Flags>();
    App* sub = command->add_subcommand(name, what);
    int& into = status;
    sub->callback([flags, run, &into] {
      const auto done = run(*flags);
      into = done ? *done : complain(fault_of(done.error()), done.error().what);
    });
    return {sub, flags};
  }
};

void add_policy_option(App& sub, Flags& flags) {
  sub.add_option("POLICY", flags.policy, "Name of a ready policy, or a file")->required();
}

void add_evidence_options(App& sub, Flags& flags) {
  flags.add_examination(sub);
  sub.add_option("--evidence", flags.evidence, "What `assay policy evidence` wrote, instead of images")
      ->type_name("FILE");
}

void add_waive(const Adder& adder) {
  const auto [sub, flags] = adder.add("waive", "Accept that a requirement is not met; two approvers sign", waive);
  sub->add_option("POLICY", flags->policy, "The policy, which names its approvers");
  sub->add_option("IMAGE", flags->images, "The images it is for");
  sub->add_option("--ref", flags->ref, "The requirement, as the policy names it");
  sub->add_option("--reason", flags->reason, "Why");
  sub->add_option("--until", flags->until, "Last day it holds, YYYY-MM-DD")->type_name("DATE");
  sub->add_option("--cosign", flags->cosign, "Sign what the other approver signed")->type_name("FILE");
  sub->add_option("--key", flags->key, "The approver's key: a file of `assay keygen`, or pkcs11:URI")->required();
  sub->add_option("-o,--output", flags->output, "The waiver's file")->required()->type_name("FILE");
}

}  // namespace

void add_policy(App& app, int& status) {
  App* command = app.add_subcommand("policy", "List, check, apply and compare policies; evidence; waivers");
  command->require_subcommand();
  command->add_subcommand("list", "The ready policies")->callback([&status] { status = list(); });
  const Adder adder{command, status};
  const auto [checking, check_flags] = adder.add("check", "Whether a file is a policy", check);
  add_policy_option(*checking, *check_flags);
  const auto [judging, judge_flags] = adder.add("judge", "What a policy says of images: verdicts, unsigned", judge);
  add_policy_option(*judging, *judge_flags);
  add_evidence_options(*judging, *judge_flags);
  judging->footer("Exit status: 0 PASSED, 1 FAILED, 2 usage, 3 unreadable, 4 the examination is incomplete.");
  const auto [differing, diff_flags] = adder.add("diff", "Which verdicts change under another policy", diff);
  add_policy_option(*differing, *diff_flags);
  differing->add_option("OTHER", diff_flags->other, "The other policy")->required();
  add_evidence_options(*differing, *diff_flags);
  const auto [saving, save_flags] = adder.add("evidence", "Write the evidence that policies judge", save_evidence);
  save_flags->add_examination(*saving);
  saving->add_option("-o,--output", save_flags->output, "The evidence's file")->required()->type_name("FILE");
  add_waive(adder);
}

}  // namespace assay::cli
