// The trial of default passwords: candidates in rounds over all distinct hashes, each paid for before it is made.
#include "system/password_trial.h"

#include "system/password_hash.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::system {
namespace {

struct Target {  // one distinct hash
  std::string hash;
  std::set<std::string> names;  // of the accounts that store it
  std::vector<std::string> candidates;
  uint64_t cost = 0;
  size_t tried = 0;
  bool open = false;
  std::string opened_by, not_tried;
};

// An NT hash stands in smbpasswd as 32 hexadecimal digits; libcrypt knows it as "$3$$" and lower case.
std::string crypt_form(const Account& account) {
  if (account.source != "smbpasswd" || account.hash.size() != 32) return account.hash;
  std::string form = "$3$$" + account.hash;
  std::ranges::transform(form, form.begin(), [](unsigned char c) { return std::tolower(c); });
  return form;
}

bool holds_hash(const Account& a) {
  return !a.hash.empty() && a.hash_kind != "none" && a.hash_kind != "empty" && a.hash_kind != "locked" &&
         a.hash_kind != "plain";
}

void prepare(Target& target, uint64_t budget) {
  const auto cost = trial_cost(target.hash);
  if (!cost) {
    target.not_tried = cost.error().what;
    return;
  }
  target.cost = *cost;
  if (target.cost > budget) {
    const size_t rounds = target.hash.find("rounds=");
    const std::string what = rounds == std::string::npos
                                 ? std::string(hash_kind(target.hash)) + " parameters"
                                 : target.hash.substr(rounds, target.hash.find('$', rounds) - rounds);
    target.not_tried = what + " exceed the budget";
    return;
  }
  std::set<std::string_view> seen;
  const auto add = [&](std::string_view candidate) {
    if (candidate.size() <= 64 && seen.insert(candidate).second) target.candidates.emplace_back(candidate);
  };
  size_t names = 0;
  for (const std::string& name : target.names)
    if (++names <= 4) add(name);
  const auto passwords = default_passwords();
  for (size_t i = 0; i < passwords.size(); ++i) {
    add(passwords[i]);
    if (i == 1) add("");
  }
}

// One candidate for each hash that is still closed; false when no hash took one.
bool round(std::vector<Target>& targets, uint64_t& left) {
  bool any = false;
  for (Target& target : targets) {
    if (target.open || !target.not_tried.empty() || target.tried == target.candidates.size()) continue;
    if (target.cost > left) {
      target.not_tried = std::to_string(target.candidates.size() - target.tried) + " of " +
                         std::to_string(target.candidates.size()) + " candidates exceed the budget";
      continue;
    }
    left -= target.cost;
    const std::string& candidate = target.candidates[target.tried++];
    any = true;
    if (!opens(target.hash, candidate)) continue;
    target.open = true;
    target.opened_by = candidate;
  }
  return any;
}

void judge_plain(Account& account) {
  const auto passwords = default_passwords();
  account.tried = static_cast<uint32_t>(passwords.size() + 1);
  if (account.hash == account.name || std::ranges::find(passwords, account.hash) != passwords.end())
    account.opened_by = account.hash;
}

}  // namespace

void try_default_passwords(std::vector<Account>& accounts, uint64_t budget) {
  std::map<std::string, size_t> index;
  std::vector<Target> targets;
  for (const Account& account : accounts) {
    if (!holds_hash(account)) continue;
    const std::string hash = crypt_form(account);
    const auto [at, fresh] = index.emplace(hash, targets.size());
    if (fresh) targets.push_back({.hash = hash});
    targets[at->second].names.insert(account.name);
  }
  for (Target& target : targets) prepare(target, budget);
  for (uint64_t left = budget; round(targets, left);) {
  }
  for (Account& account : accounts) {
    if (account.hash_kind == "plain") judge_plain(account);
    if (!holds_hash(account)) continue;
    const Target& target = targets[index.at(crypt_form(account))];
    account.opened_by = target.opened_by;
    account.tried = static_cast<uint32_t>(target.tried);
    account.not_tried = target.not_tried;
    if (target.open && target.opened_by.empty()) account.hash_kind = "empty";  // the hash of the empty password
  }
}

}  // namespace assay::system
