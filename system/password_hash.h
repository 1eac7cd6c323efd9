// Stored password hashes: what kind one is, what one trial costs (read from the salt before it is paid), and the trial.
#pragma once
#include "core/result.h"

#include <span>
#include <string>
#include <string_view>

namespace assay::system {

// The value of Account::hash_kind for a password field as stored in passwd, shadow or htpasswd.
std::string_view hash_kind(std::string_view hash);

// Work of one trial; one unit is about a microsecond of a 2020s core. The error says why the hash is not tried.
Result<uint64_t> trial_cost(std::string_view hash);

// Whether `password` gives `hash`. Only for hashes that trial_cost accepts.
bool opens(std::string_view hash, std::string_view password);

// Commonly known default passwords, the general ones first (default_passwords.cc says where the list comes from).
std::span<const std::string_view> default_passwords();

}  // namespace assay::system
