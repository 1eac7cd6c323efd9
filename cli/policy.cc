// assay policy: the ready policies, whether a file is one, what it says of an image, and what another would say.
#include "cli/judging.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

using Flags = JudgingFlags;

int list() {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (const auto policy = certify::read_policy(ready.text); policy)
      fmt::print("{:<22} {:<8} {}\n", policy->name, policy->version, policy->title);
  return kClean;
}

int check(const Flags& flags) {
  const auto policy = load_policy(flags.policy);
  if (!policy) return complain(kUsage, policy.error().what);
  size_t tested = 0;
  for (const certify::Demand& demand : policy->policy.demands) tested += !demand.tests.empty();
  fmt::print("{} {}: {} requirements, {} with a check\n", policy->policy.name, policy->policy.version,
             policy->policy.demands.size(), tested);
  return kClean;
}

int judge(const Flags& flags) {
  const auto policy = load_policy(flags.policy);
  if (!policy) return complain(kUsage, policy.error().what);
  const auto judged = examine_afresh(flags);
  if (!judged) return complain(judged.error().fault == Fault::kIo ? kUnreadable : kUsage, judged.error().what);
  bool failed = false;
  for (const certify::Judgement& j : certify::evaluate(policy->policy, judged->evidence)) {
    failed = failed || (j.blocking && j.verdict == certify::Verdict::kFail);
    fmt::print("{:<14} {}\n               {}\n", certify::name_of(j.verdict), j.ref, j.because);
  }
  if (!judged->inspection.examination().complete) return kIncomplete;
  return failed ? kFindings : kClean;
}

// What a regulator asks before changing a policy: which verdicts would change.
int diff(const Flags& flags) {
  const auto a = load_policy(flags.policy), b = load_policy(flags.other);
  if (!a || !b) return complain(kUsage, (a ? b : a).error().what);
  const auto judged = examine_afresh(flags);
  if (!judged) return complain(judged.error().fault == Fault::kIo ? kUnreadable : kUsage, judged.error().what);
  std::map<std::string, std::pair<std::string, std::string>> verdicts;
  for (const certify::Judgement& j : certify::evaluate(a->policy, judged->evidence))
    verdicts[j.ref].first = certify::name_of(j.verdict);
  for (const certify::Judgement& j : certify::evaluate(b->policy, judged->evidence))
    verdicts[j.ref].second = certify::name_of(j.verdict);
  for (const auto& [ref, pair] : verdicts)
    if (pair.first != pair.second)
      fmt::print("{}: {} -> {}\n", ref, pair.first.empty() ? "absent" : pair.first,
                 pair.second.empty() ? "absent" : pair.second);
  return judged->inspection.examination().complete ? kClean : kIncomplete;
}

}  // namespace

void add_policy(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("policy", "List, check, apply and compare policies");
  command->require_subcommand(1);
  command->add_subcommand("list", "The ready policies")->callback([&status] { status = list(); });
  const auto add = [&](const char* name, const char* what, int (*run)(const Flags&)) {
    auto flags = std::make_shared<Flags>();
    CLI::App* sub = command->add_subcommand(name, what);
    sub->add_option("POLICY", flags->policy, "Name of a ready policy, or a file")->required();
    sub->callback([flags, run, &status] { status = run(*flags); });
    return std::pair(sub, flags);
  };
  add("check", "Whether a file is a policy", check);
  const auto [judging, judge_flags] = add("judge", "What a policy says of an image: verdicts, unsigned", judge);
  judge_flags->add_examination(*judging);
  const auto [differing, diff_flags] = add("diff", "Which verdicts on an image change under another policy", diff);
  differing->add_option("OTHER", diff_flags->other, "The other policy")->required();
  diff_flags->add_examination(*differing);
}

}  // namespace assay::cli
