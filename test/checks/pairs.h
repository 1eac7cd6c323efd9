// For each check two values of Facts: one on which it speaks, and a near twin, one fact away, on which it stays silent.
#pragma once
#include "checks/check.h"

#include <optional>

namespace assay::checks::test {

constexpr std::string_view kAsOf = "2026-03-01";
constexpr int64_t kAsOfSeconds = 1772323200;  // date -u -d 2026-03-01 +%s

struct Case {
  Facts facts;
  std::optional<Declaration> declaration = {};
};
struct Pair {
  std::string_view id;
  Case speaks, silent;
};

std::vector<Pair> account_pairs();  // accounts, boot, certificates, components, credentials, ELF files
std::vector<Pair> key_pairs();  // encrypted parts, firewall, keys, leftovers, mounts, outbound, passwords, privileges
std::vector<Pair> service_pairs();  // services, startup, sysctl, updates, web
std::vector<Pair> all_pairs();

// "squashfs/" stands for a file system in the image; names of a maker stand in the paths on purpose.
inline Evidence at(std::string way, std::string shows = "", uint64_t offset = 0) {
  return {.artifact = "trx/part1/squashfs/" + way, .offset = offset, .length = shows.size(), .shows = shows};
}

// A list of facts with one more change: `with(x, [](auto& y) { y.port = 23; })`.
template <class T, class Change>
T with(T value, Change change) {
  change(value);
  return value;
}

std::vector<Finding> findings(const Case& one);
std::vector<Finding> findings(const Case& one, std::string_view rule);

}  // namespace assay::checks::test
