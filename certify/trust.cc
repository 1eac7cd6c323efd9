#include "certify/trust.h"

#include "certify/base64.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRoles[] = {kSignsCertificates, kSignsStatus};

Result<void> only_fields(const Json& object, std::initializer_list<std::string_view> known, const std::string& where) {
  if (!object.is_object()) return fail(Fault::kMalformed, where + ": expected an object");
  for (const auto& [field, value] : object.items()) {
    if (std::ranges::find(known, field) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    return fail(Fault::kMalformed, where + ": " + field + " is no field here; there are: " + names);
  }
  return {};
}

Result<std::string> text(const Json& object, const char* field, const std::string& where) {
  if (!object.contains(field) || !object[field].is_string())
    return fail(Fault::kMalformed, where + ": " + field + ": expected a string");
  return object[field].get<std::string>();
}

Result<std::optional<uint64_t>> index(const Json& object, const char* field, const std::string& where) {
  if (!object.contains(field)) return std::optional<uint64_t>();
  if (!object[field].is_number_unsigned())
    return fail(Fault::kMalformed, where + ": " + field + ": expected the index of an entry in the log, not a day");
  return std::optional(object[field].get<uint64_t>());
}

Result<std::vector<std::string>> texts(const Json& object, const char* field, const std::string& where) {
  std::vector<std::string> out;
  if (!object.contains(field)) return out;
  if (!object[field].is_array()) return fail(Fault::kMalformed, where + ": " + field + ": expected a list");
  for (const Json& one : object[field]) {
    if (!one.is_string()) return fail(Fault::kMalformed, where + ": " + field + ": expected strings");
    out.push_back(one.get<std::string>());
  }
  return out;
}

Result<std::vector<VerifierKey>> verifier_keys(const Json& json, const char* field, uint8_t type,
                                               const std::string& file) {
  std::vector<VerifierKey> out;
  for (const std::string& one : TRY(texts(json, field, file))) {
    auto key = parse_verifier_key(one);
    if (!key) return fail(key.error().fault, file + ": " + field + ": " + key.error().what);
    if (key->type != type)
      return fail(Fault::kUnsupported,
                  file + ": " + field + ": wrong key type: " + one + " is a " +
                      (type == kNoteEd25519 ? "witness's key, not a log's" : "log's key, not a witness's"));
    out.push_back(std::move(*key));
  }
  return out;
}

Result<TrustedKey> read_key(const Json& json, const std::string& where) {
  TRY_VOID(only_fields(json, {"name", "key", "roles", "log", "from", "until", "compromised"}, where));
  TrustedKey out;
  out.name = TRY(text(json, "name", where));
  const std::string encoded = TRY(text(json, "key", where));
  const std::string spki = TRY(from_base64(encoded, where + ": key"));
  auto key = public_key_from_spki(spki);
  if (!key) return fail(key.error().fault, where + ": key: " + key.error().what);
  out.key = std::move(*key);
  out.roles = TRY(texts(json, "roles", where));
  for (const std::string& role : out.roles)
    if (std::ranges::find(kRoles, role) == std::end(kRoles))
      return fail(Fault::kMalformed, where + ": roles: " + role + " is no role; there are: certificate, status");
  if (out.roles.empty()) return fail(Fault::kMalformed, where + ": roles: a key without a role signs nothing");
  out.log = TRY(text(json, "log", where));
  const auto from = TRY(index(json, "from", where));
  out.from = from.value_or(0);
  out.until = TRY(index(json, "until", where));
  out.compromised = TRY(index(json, "compromised", where));
  return out;
}

std::string known_as(const TrustedKey& key) { return "key " + key.name + " (" + key.key.id().substr(0, 16) + "…)"; }

// Why the key may not sign this entry; "" : it may.
std::string objection(const TrustedKey& key, const std::string& role, uint64_t index) {
  const std::string entry = "entry " + std::to_string(index);
  if (std::ranges::find(key.roles, role) == key.roles.end()) return known_as(key) + " has not the role " + role;
  if (key.compromised && index >= *key.compromised)
    return known_as(key) + " is compromised from entry " + std::to_string(*key.compromised) + " on, and this is " +
           entry;
  if (index < key.from)
    return known_as(key) + " signs from entry " + std::to_string(key.from) + " on, and this is " + entry;
  if (key.until && index >= *key.until)
    return known_as(key) + " expired at entry " + std::to_string(*key.until) + " of the log, and this is " + entry +
           ": it must be signed by the key that followed";
  return "";
}

}  // namespace

Result<Trust> read_trust(std::string_view bytes, const std::string& file) {
  const Json json = TRY(parse_json(bytes, file));
  TRY_VOID(only_fields(json, {"logs", "witnesses", "cosignatures", "keys"}, file));
  Trust out;
  out.logs = TRY(verifier_keys(json, "logs", kNoteEd25519, file));
  out.witnesses = TRY(verifier_keys(json, "witnesses", kNoteCosignature, file));
  if (json.contains("cosignatures")) {
    const Json& count = json["cosignatures"];
    if (!count.is_number_unsigned() || count.get<uint64_t>() > out.witnesses.size())
      return fail(Fault::kMalformed,
                  file + ": cosignatures: expected a number of witnesses, as many as are named at most");
    out.cosignatures = count.get<uint64_t>();
  }
  const Json keys = json.value("keys", Json::array());
  if (!keys.is_array()) return fail(Fault::kMalformed, file + ": keys: expected a list");
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string where = file + ": keys[" + std::to_string(i) + "]";
    out.keys.push_back(TRY(read_key(keys[i], where)));
    if (std::ranges::none_of(out.logs, [&](const VerifierKey& log) { return log.name == out.keys.back().log; }))
      return fail(Fault::kMalformed, where + ": log: " + out.keys.back().log + " is not among logs");
  }
  return out;
}

Result<void> check_log(const Trust& trust, const VerifierKey& log) {
  if (std::ranges::find(trust.logs, log) != trust.logs.end()) return {};
  return fail(Fault::kMalformed, "the log " + log.text() + " is not among the trusted logs");
}

Result<std::string> check_signer(const Trust& trust, const PublicKey& key, const std::string& role,
                                 const VerifierKey& log, uint64_t index) {
  std::string why;
  for (const TrustedKey& known : trust.keys) {
    if (known.key != key || known.log != log.name) continue;
    const std::string one = objection(known, role, index);
    if (one.empty()) return known.name;
    if (why.empty()) why = one;
  }
  if (why.empty()) why = "key " + key.id() + " is not among the trusted keys of " + log.name;
  return fail(Fault::kMalformed, why);
}

}  // namespace assay::certify
