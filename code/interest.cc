#include "code/interest.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace assay::code {
namespace {

// Functions of the C library, each counted once per caller. The numbers only order.
constexpr std::pair<std::string_view, uint32_t> kTelling[] = {
    {"system", 8},  {"popen", 8},  {"execl", 8},   {"execle", 8},   {"execlp", 8},      {"execv", 8},
    {"execve", 8},  {"execvp", 8}, {"gets", 8},    {"crypt", 6},    {"getspnam", 6},    {"getpwnam", 3},
    {"accept", 4},  {"bind", 4},   {"listen", 4},  {"recvfrom", 4}, {"recv", 4},        {"recvmsg", 4},
    {"setuid", 3},  {"setgid", 3}, {"ptrace", 3},  {"mprotect", 3}, {"reboot", 3},      {"strcmp", 2},
    {"strncmp", 2}, {"memcmp", 2}, {"strstr", 2},  {"socket", 2},   {"strcasecmp", 2},  {"getenv", 1},
    {"strcpy", 1},  {"strcat", 1}, {"sprintf", 1}, {"sscanf", 1},   {"strncasecmp", 2}, {"vsprintf", 1},
};

constexpr uint8_t kMostStrings = 3;  // that count

uint32_t weight(std::string_view name) {
  const auto at = std::ranges::find(kTelling, name, [](const auto& entry) { return entry.first; });
  return at == std::end(kTelling) ? 0 : at->second;
}

}  // namespace

std::vector<uint32_t> by_interest(Reading& reading) {
  const Analysis& all = reading.analysis;
  std::vector<uint32_t> of_import(all.imports.size()), score(all.functions.all.size());
  for (size_t i = 0; i < of_import.size(); ++i) of_import[i] = weight(all.imports[i].name);
  std::vector<std::pair<uint32_t, uint32_t>> told;  // caller, weight and which: each once
  const auto tell = [&](uint32_t caller, uint64_t callee, uint32_t by) {
    if (by > 0 && caller < score.size()) told.emplace_back(caller, static_cast<uint32_t>(callee) << 4 | by);
  };
  for (const Call& c : all.calls) {
    if (c.import < of_import.size()) {
      tell(c.caller, c.import, of_import[c.import]);
    } else if (const uint32_t to = all.function_at(c.target); to != kNone) {
      tell(c.caller, to, weight(all.functions.all[to].name));  // static programs with symbols
    }
  }
  std::ranges::sort(told);
  const auto rest = std::ranges::unique(told);
  told.erase(rest.begin(), rest.end());
  for (const auto& [caller, by] : told) score[caller] += by & 15;
  std::vector<uint8_t> strings(score.size());
  for (const Reference& r : all.references)
    if (r.use == Use::kString && r.function < score.size() && strings[r.function] < kMostStrings)
      ++strings[r.function], ++score[r.function];
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < score.size(); ++i) {
    if (all.functions.all[i].found == Found::kEntry) ++score[i];
    if (score[i] > 0) order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) { return score[a] > score[b]; });
  return order;
}

}  // namespace assay::code
