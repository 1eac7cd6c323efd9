#include "certify/status.h"

#include "certify/base64.h"
#include "certify/files.h"
#include "certify/json.h"
#include "core/date.h"
#include "core/json_parse.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace assay::certify {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMark = "assay.status.v1\n";
constexpr size_t kMarkSize = 16 + 2 * 65;

struct Rule {
  std::string_view event;
  Status becomes;
  std::string_view from;  // letters of the states it may follow: i issued, r under review, s suspended
};
constexpr Rule kRules[] = {{"issue", Status::kIssued, "i"},          {"review", Status::kUnderReview, "i"},
                           {"suspend", Status::kSuspended, "ir"},    {"reinstate", Status::kIssued, "rs"},
                           {"withdraw", Status::kWithdrawn, "irs"},  {"expire", Status::kExpired, "irs"},
                           {"supersede", Status::kSuperseded, "irs"}};

char letter(Status status) { return "irsexw"[static_cast<size_t>(status)]; }

std::string mark(const std::string& verdict, const std::string& statement) {
  return std::string(kMark) + verdict + "\n" + statement + "\n";
}

// One who is shown a statement under its digest needs no more than signature and key.
std::string kept_json(const Envelope& envelope, const PublicKey& signer) {
  return "{\"dsseEnvelope\":" + envelope_json(envelope) + ",\"publicKey\":" + json_string(base64(signer.spki)) + "}\n";
}
std::string kept_path(const std::string& statement) { return "status/" + statement + ".json"; }

struct Kept {
  Envelope envelope;
  PublicKey signer;
};
Result<Kept> read_kept(const std::string& text, const std::string& file) {
  try {
    const Json json = TRY(parse_json(text, file));
    const Json& envelope = json.at("dsseEnvelope");
    Kept out;
    const std::string spki = TRY(from_base64(json.at("publicKey").get<std::string>(), file + ": publicKey"));
    out.signer = TRY(public_key_from_spki(spki));
    out.envelope = {TRY(from_base64(envelope.at("payload").get<std::string>(), file + ": payload")), kStatementPayload,
                    out.signer.id(),
                    TRY(from_base64(envelope.at("signatures").at(0).at("sig").get<std::string>(), file + ": sig"))};
    if (kept_json(out.envelope, out.signer) != text || !verify_envelope(out.envelope, out.signer))
      return fail(Fault::kMalformed, file + ": its signature does not verify, or a byte was changed");
    return out;
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, file + ": a damaged status statement: " + error.what());
  }
}

Result<StatusEvent> read_event(const std::string& payload, const std::string& file) {
  try {
    const Json json = TRY(parse_json(payload, file));
    const Json& predicate = json.at("predicate");
    if (json.at("predicateType") != kStatusType)
      return fail(Fault::kMalformed, file + ": predicateType is not " + kStatusType);
    return StatusEvent{predicate.at("event").get<std::string>(),
                       predicate.at("reason").get<std::string>(),
                       predicate.value("claimedOn", std::string()),
                       predicate.value("/by/sha256"_json_pointer, std::string()),
                       json.at("subject").at(0).at("digest").at("sha256").get<std::string>(),
                       predicate.at("of").at("log").get<std::string>(),
                       predicate.at("of").at("index").get<uint64_t>()};
  } catch (const Json::exception& error) {
    return fail(Fault::kMalformed, file + ": a damaged status statement: " + error.what());
  }
}

// The statement that the entry in clear at `index` speaks of, held against the signed entry before it. None where that
// is another entry: anybody who may append can write such a line, but not the signed entry.
Result<std::optional<LoggedStatus>> statement_at(uint64_t index, const std::string& statement,
                                                 const std::string& before, const LogView& log) {
  const std::string path = kept_path(statement);
  const auto text = log.read(path);
  if (!text)
    return fail(Fault::kIo, "entry " + std::to_string(index) +
                                " of the log changes the status of this certificate, but its statement " +
                                "is not shown (" + text.error().what + ")");
  const Kept kept = TRY(read_kept(*text, log.where + "/" + path));
  if (sha256(Bytes(kept.envelope.payload)).hex() != statement)
    return fail(Fault::kMalformed, log.where + "/" + path + ": not the statement of that digest");
  if (log_body(kept.envelope, kept.signer) != before) return std::optional<LoggedStatus>();
  return std::optional(
      LoggedStatus{index - 1, kept.signer, TRY(read_event(kept.envelope.payload, log.where + "/" + path))});
}

}  // namespace

std::string_view name_of(Status status) {
  constexpr std::string_view kNames[] = {"issued", "under review", "suspended", "expired", "superseded", "withdrawn"};
  return kNames[static_cast<size_t>(status)];
}

std::vector<std::string> status_events() {
  std::vector<std::string> out;
  for (const Rule& rule : kRules) out.emplace_back(rule.event);
  return out;
}

Result<Status> after(Status now, const std::string& event) {
  std::string possible;
  for (const Rule& rule : kRules) {
    const bool may = rule.from.find(letter(now)) != std::string_view::npos;
    if (rule.event == event && may) return rule.becomes;
    if (may) possible += (possible.empty() ? "" : ", ") + std::string(rule.event);
  }
  return fail(Fault::kMalformed, event + ": a certificate that is " + std::string(name_of(now)) + " cannot; " +
                                     (possible.empty() ? "that is final" : "what can follow: " + possible));
}

Result<Statement> status_statement(const StatusEvent& e, const std::string& name) {
  if (!seconds_of_date(e.claimed_on)) return fail(Fault::kMalformed, "claimedOn: " + e.claimed_on + " is no day");
  if ((e.event == "supersede") == e.by.empty())
    return fail(Fault::kMalformed, e.event == "supersede" ? "supersede: --by names the certificate that takes its place"
                                                          : "--by: only supersede has it");
  std::string predicate = "{\"event\":" + json_string(e.event) + ",\"of\":{\"log\":" + json_string(e.log) +
                          ",\"index\":" + std::to_string(e.index) + "},\"reason\":" + json_string(e.reason) +
                          ",\"claimedOn\":" + json_string(e.claimed_on);
  if (!e.by.empty()) predicate += ",\"by\":{\"sha256\":" + json_string(e.by) + "}";
  return Statement{kStatusType, {{name, e.verdict}}, predicate + "}"};
}

Result<uint64_t> set_status(const StatusEvent& event, const std::string& name, const SigningKey& key,
                            const std::string& folder, Log& log) {
  const Statement unsigned_statement = TRY(status_statement(event, name));
  const std::string statement = TRY(statement_bytes(unsigned_statement));
  const Envelope envelope = TRY(sign_envelope(statement, kStatementPayload, key));
  const std::string digest = sha256(Bytes(statement)).hex();
  // Kept first: a log that names a statement nobody can read would leave the certificate in doubt.
  TRY_VOID(make_folders(folder + "/status"));
  TRY_VOID(write_durably(folder + "/" + kept_path(digest), kept_json(envelope, key.public_key())));
  const uint64_t index = TRY(log.append({log_body(envelope, key.public_key()), mark(event.verdict, digest)}));
  TRY_VOID(log.publish());
  return index;
}

Result<std::vector<LoggedStatus>> statuses_of(const Bundle& verdict, const LogView& log, const Checkpoint& now) {
  const std::string digest = sha256(Bytes(verdict.envelope.payload)).hex();
  const std::string ours = std::string(kMark) + digest + "\n";
  std::vector<LoggedStatus> out;
  std::string before;
  TRY_VOID(
      each_entry(log.read, now, verdict.entry.index, [&](uint64_t index, const std::string& entry) -> Result<void> {
        if (entry.size() == kMarkSize && entry.starts_with(ours) && entry.ends_with('\n')) {
          auto one = TRY(statement_at(index, entry.substr(ours.size(), 64), before, log));
          if (one && one->event.verdict == digest) out.push_back(std::move(*one));
        }
        before = entry;
        return {};
      }));
  return out;
}

}  // namespace assay::certify
