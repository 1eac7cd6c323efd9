// Runs every check and orders what they state: the arrow "judge". The same facts give the same findings, whatever the
// order in which checks state them.
#include "checks/check.h"
#include "core/hash.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace assay::checks {
namespace {

constexpr size_t kLongestShown = 200;  // core/facts.h, Evidence::shows

// What is hashed is written with its length before it, so that no two lists of evidence read the same.
void add_field(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

std::string id_of(const Finding& finding) {
  std::string text;
  add_field(text, finding.rule);
  for (const Evidence& e : finding.evidence) {
    add_field(text, e.artifact);
    add_field(text, std::to_string(e.offset));
    add_field(text, e.shows);
  }
  return sha256(Bytes(text)).hex().substr(0, 12);
}

// A cut never splits a UTF-8 sequence.
void shorten(std::string& shows) {
  if (shows.size() <= kLongestShown) return;
  size_t end = kLongestShown;
  while (end > 0 && (static_cast<uint8_t>(shows[end]) & 0xC0) == 0x80) --end;
  shows.resize(end);
}

class Collecting : public Report {
 public:
  explicit Collecting(const Check& check) : check_(check) {}

  void state(Severity severity, Confidence confidence, std::string claim, Evidence first,
             std::vector<Evidence> more) override {
    Finding f;
    f.rule = std::string(check_.id);
    f.version = check_.version;
    f.title = std::string(check_.title);
    f.severity = severity;
    f.confidence = confidence;
    f.cwe.assign(check_.cwe.begin(), check_.cwe.end());
    f.requirements.assign(check_.requirements.begin(), check_.requirements.end());
    f.claim = std::move(claim);
    f.evidence.push_back(std::move(first));
    for (Evidence& e : more) f.evidence.push_back(std::move(e));
    for (Evidence& e : f.evidence) shorten(e.shows);
    f.id = id_of(f);
    findings.push_back(std::move(f));
  }

  std::vector<Finding> findings;

 private:
  const Check& check_;
};

auto order(const Finding& f) {
  const Evidence& at = f.evidence.front();
  return std::tuple(-static_cast<int>(f.severity), std::string_view(f.rule), std::string_view(at.artifact), at.offset,
                    -static_cast<int>(f.confidence), std::string_view(f.claim), std::string_view(f.id));
}

// Two statements of one rule about the same evidence are one finding, which keeps the graver severity and both claims.
std::vector<Finding> merge(std::vector<Finding> sorted) {
  std::vector<Finding> out;
  std::map<std::string, size_t> index;
  for (Finding& f : sorted) {
    const auto [at, fresh] = index.emplace(f.id, out.size());
    if (fresh) {
      out.push_back(std::move(f));
    } else if (Finding& same = out[at->second]; same.claim.find(f.claim) == std::string::npos) {
      same.claim += ". Also: " + f.claim;
    }
  }
  return out;
}

}  // namespace

std::vector<Finding> judge(const Input& input) {
  std::vector<Finding> all;
  for (const Check* check : checks()) {
    Collecting report(*check);
    check->run(input, report);
    std::ranges::sort(report.findings, [](const Finding& a, const Finding& b) { return order(a) < order(b); });
    for (Finding& f : merge(std::move(report.findings))) all.push_back(std::move(f));
  }
  std::ranges::sort(all, [](const Finding& a, const Finding& b) { return order(a) < order(b); });
  return all;
}

std::vector<Rule> rules() {
  std::vector<Rule> out;
  for (const Check* check : checks()) {
    Rule rule{.id = std::string(check->id),
              .version = check->version,
              .title = std::string(check->title),
              .means = std::string(check->means),
              .misses = std::string(check->misses),
              .mistakes = std::string(check->mistakes)};
    rule.cwe.assign(check->cwe.begin(), check->cwe.end());
    rule.requirements.assign(check->requirements.begin(), check->requirements.end());
    out.push_back(std::move(rule));
  }
  return out;
}

}  // namespace assay::checks
