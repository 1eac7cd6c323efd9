// startup.remote_script: something that starts by itself fetches code over the network and runs it: in one line
// ("wget -O- … | sh"), or in one script whose later line runs the file that an earlier line fetched.
#include "checks/words.h"
#include "core/text.h"

#include <set>

namespace assay::checks::startup_remote_script {
namespace {

constexpr uint32_t kCwe[] = {494, 829};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_SW_PKG_INTEGRITY_1", "TS 33.117 TC_NO_UNUSED_FUNCTIONS"};
constexpr std::string_view kFetchers[] = {"wget", "curl", "tftp", "ftpget", "uclient-fetch", "nc", "rcp", "scp"};

std::vector<std::string> words_of(std::string_view command) {
  std::string plain(command);
  for (char& c : plain)
    if (std::string_view("\"'`;()&|").find(c) != std::string_view::npos) c = ' ';
  std::vector<std::string> out;
  for (const std::string_view word : words(plain)) out.emplace_back(word);
  return out;
}

bool fetches(std::string_view command) {
  for (const std::string& word : words_of(command))
    if (is_one_of(base_name(word), kFetchers)) return true;
  return false;
}

// What follows the last pipe is a shell, or the fetched text is evaluated.
bool pipes_to_shell(std::string_view command) {
  for (const std::string_view part : split(command, '|')) {
    const auto parts = words(part);
    if (part.data() != command.data() && !parts.empty() && is_shell(parts.front())) return true;
  }
  return command.starts_with("eval ") || command.find(" eval ") != std::string_view::npos;
}

// The files a fetching command writes: after -O, -o, -l, or --output; "-" is standard output.
std::set<std::string> fetched_files(std::string_view command) {
  std::set<std::string> out;
  const auto all = words_of(command);
  for (size_t i = 0; i + 1 < all.size(); ++i)
    for (const std::string_view option : {"-O", "-o", "-l", "--output", "--output-document"})
      if (all[i] == option && all[i + 1].starts_with('/')) out.insert(all[i + 1]);
  return out;
}

bool runs(const Startup& s, const std::set<std::string>& files) {
  if (files.contains(s.program)) return true;
  if (!is_shell(s.program) && s.program != "." && s.program != "source" && s.program != "chmod") return false;
  for (const std::string& word : words_of(s.arguments))
    if (files.contains(word)) return true;
  return false;
}

const Startup* runs_later(const Facts& facts, const Startup& fetching) {
  const std::set<std::string> files = fetched_files(fetching.command);
  if (files.empty()) return nullptr;
  for (const Startup& s : facts.startup)
    if (&s != &fetching && s.at.artifact == fetching.at.artifact && runs(s, files)) return &s;
  return nullptr;
}

// "wget -O /tmp/x … && sh /tmp/x" in one line
bool runs_at_once(const Startup& s) {
  const std::set<std::string> files = fetched_files(s.command);
  std::string before;
  for (const std::string& word : words_of(s.command)) {
    const bool runs_it = is_shell(before) || before == "chmod" || before == "+x" || before == "." || before == "755";
    if (runs_it && files.contains(word)) return true;
    before = word;
  }
  return false;
}

void run(const Input& input, Report& report) {
  for (const Startup& s : input.facts.startup) {
    if (!fetches(s.command)) continue;
    const Startup* later = runs_later(input.facts, s);
    if (!pipes_to_shell(s.command) && !runs_at_once(s) && later == nullptr) continue;
    std::vector<Evidence> more;
    if (later != nullptr) more.push_back(later->at);
    report.state(Severity::kHigh, s.conditional ? Confidence::kPossible : Confidence::kLikely,
                 place(s.at) + " (" + s.mechanism + (s.event.empty() ? "" : ", " + s.event) +
                     ") fetches code over the network and runs it: " + in_quotes(s.command) +
                     (later != nullptr ? ", then " + in_quotes(later->command) : ""),
                 s.at, more);
  }
}

}  // namespace

extern const Check kStartupRemoteScript;
const Check kStartupRemoteScript = {
    .id = "startup.remote_script",
    .version = 1,
    .title = "Fetches code and runs it by itself",
    .means = "A start script or timer fetches a file over the network and runs what it got.",
    .misses = "Programs that do it in their own code, and file names put together from variables.",
    .mistakes = "Scripts that verify a signature between the two steps.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::startup_remote_script
