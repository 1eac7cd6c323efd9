// roots.json: whom a verifier trusts, and for what. Read strictly: an unknown field is an error that names it.
//
//   {"logs": [VKEY, …], "witnesses": [VKEY, …], "cosignatures": 1,
//    "keys": [{"name": "center 2026", "key": SPKI in base64, "roles": ["certificate", "status"], "log": ORIGIN,
//              "from": 0, "until": 812, "compromised": 700}, …]}
//
// A key's life is told in entries of a log, never in days: what a key claims about time, its thief can claim too.
// `from` and `until` bound the entries it may sign (rotation: the old key ends where the new one begins); from
// `compromised` on nothing it signed counts, and what the log held before that stays good.
#pragma once
#include "certify/note.h"

#include <optional>

namespace assay::certify {

inline constexpr char kSignsCertificates[] = "certificate", kSignsStatus[] = "status";

struct TrustedKey {
  std::string name;
  PublicKey key;
  std::vector<std::string> roles;
  std::string log;
  uint64_t from = 0;
  std::optional<uint64_t> until, compromised;
};
struct Trust {
  std::vector<VerifierKey> logs, witnesses;
  uint64_t cosignatures = 0;  // how many witnesses must have seen a checkpoint
  std::vector<TrustedKey> keys;
};

Result<Trust> read_trust(std::string_view json, const std::string& file);

Result<void> check_log(const Trust& trust, const VerifierKey& log);
// Whether this key may sign the entry `index` of `log` in that role; the error says which line forbids it. Gives the
// name.
Result<std::string> check_signer(const Trust& trust, const PublicKey& key, const std::string& role,
                                 const VerifierKey& log, uint64_t index);

}  // namespace assay::certify
