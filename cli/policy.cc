// assay policy: the ready policies, whether a file is one, what it says of an image, and what another would say.
#include "certify/policy.h"
#include "certify/files.h"
#include "cli/commands.h"

#include <fmt/format.h>

namespace assay::cli {
namespace {

constexpr uint64_t kLongest = 1 << 20;

struct Flags : Common {
  std::string policy, other, declaration, as_of;
};

// A ready policy by its name, else a file.
Result<certify::Policy> load(const std::string& name) {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (ready.name == name) return certify::read_policy(ready.text);
  const auto read = certify::read_policy(TRY(certify::read_file(name, kLongest)));
  if (!read) return fail(read.error().fault, name + ": " + read.error().what);
  return *read;
}

int list() {
  for (const certify::Embedded& ready : certify::embedded_policies())
    if (const auto policy = certify::read_policy(ready.text); policy)
      fmt::print("{:<22} {:<8} {}\n", policy->name, policy->version, policy->title);
  return kClean;
}

int check(const Flags& flags) {
  const auto policy = load(flags.policy);
  if (!policy) return complain(kUsage, policy.error().what);
  size_t tested = 0;
  for (const certify::Demand& demand : policy->demands) tested += !demand.tests.empty();
  fmt::print("{} {}: {} requirements, {} with a check\n", policy->name, policy->version, policy->demands.size(),
             tested);
  return kClean;
}

struct Judged {
  certify::Evidences evidence;
  bool complete = false;
};

// Afresh, never from the user's store.
Result<Judged> examine(const Flags& flags) {
  engine::Options options = TRY(flags.options());
  options.store_folder.clear();
  if (!flags.as_of.empty()) options.as_of = flags.as_of;
  if (!flags.declaration.empty()) {
    const std::string yaml = TRY(certify::read_file(flags.declaration, kLongest));
    auto declaration = checks::read_declaration(yaml);
    if (!declaration) return fail(declaration.error().fault, flags.declaration + ": " + declaration.error().what);
    options.declaration = std::move(*declaration);
    options.declaration_digest = sha256(Bytes(yaml)).hex();
  }
  const auto inspection = TRY(engine::Inspection::run(options));
  end_progress_line();
  const Examination& e = inspection.examination();
  return Judged{certify::gather(e, options.declaration ? &*options.declaration : nullptr), e.complete};
}

int judge(const Flags& flags) {
  const auto policy = load(flags.policy);
  if (!policy) return complain(kUsage, policy.error().what);
  const auto judged = examine(flags);
  if (!judged) return complain(judged.error().fault == Fault::kIo ? kUnreadable : kUsage, judged.error().what);
  bool failed = false;
  for (const certify::Judgement& j : certify::evaluate(*policy, judged->evidence)) {
    failed = failed || (j.blocking && j.verdict == certify::Verdict::kFail);
    fmt::print("{:<14} {}\n               {}\n", certify::name_of(j.verdict), j.ref, j.because);
  }
  if (!judged->complete) return kIncomplete;
  return failed ? kFindings : kClean;
}

// What a regulator asks before changing a policy: which verdicts would change.
int diff(const Flags& flags) {
  const auto a = load(flags.policy), b = load(flags.other);
  if (!a || !b) return complain(kUsage, (a ? b : a).error().what);
  const auto judged = examine(flags);
  if (!judged) return complain(judged.error().fault == Fault::kIo ? kUnreadable : kUsage, judged.error().what);
  std::map<std::string, std::pair<std::string, std::string>> verdicts;
  for (const certify::Judgement& j : certify::evaluate(*a, judged->evidence))
    verdicts[j.ref].first = certify::name_of(j.verdict);
  for (const certify::Judgement& j : certify::evaluate(*b, judged->evidence))
    verdicts[j.ref].second = certify::name_of(j.verdict);
  for (const auto& [ref, pair] : verdicts)
    if (pair.first != pair.second)
      fmt::print("{}: {} -> {}\n", ref, pair.first.empty() ? "absent" : pair.first,
                 pair.second.empty() ? "absent" : pair.second);
  return judged->complete ? kClean : kIncomplete;
}

void add_examination(CLI::App& command, Flags& flags) {
  flags.add_to(command);
  command.add_option("--declaration", flags.declaration, "What the vendor says is there (YAML)")->type_name("FILE");
  command.add_option("--as-of", flags.as_of, "Day to judge by, YYYY-MM-DD [today]")->type_name("DATE");
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
  add_examination(*judging, *judge_flags);
  const auto [differing, diff_flags] = add("diff", "Which verdicts on an image change under another policy", diff);
  differing->add_option("OTHER", diff_flags->other, "The other policy")->required();
  add_examination(*differing, *diff_flags);
}

}  // namespace assay::cli
