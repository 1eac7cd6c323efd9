// What became of a certificate: issue, review, suspend, reinstate, withdraw, expire, supersede. Each is an in-toto
// statement of its own, signed and logged, that names the certificate by its digest and by log and index.
//
// Predicate: {"event": "suspend", "of": {"log": ORIGIN, "index": N}, "reason": TEXT, "claimedOn": "YYYY-MM-DD",
//             "by": {"sha256": HEX}}     (by: of supersede, the verdict that takes its place)
//
// So that nobody who keeps a log can hide one, the entry of a status statement is followed by one in clear,
//     assay.status.v1\n VERDICT-SHA256\n STATEMENT-SHA256\n
// A reader of the log sees every event of a certificate, whether or not he is shown the statement, which lies beside
// the tiles as status/STATEMENT-SHA256.json: {"dsseEnvelope": …, "publicKey": SPKI in base64}.
#pragma once
#include "certify/certificate.h"
#include "certify/log_view.h"
#include "certify/statement.h"

namespace assay::certify {

enum class Status : uint8_t { kIssued, kUnderReview, kSuspended, kExpired, kSuperseded, kWithdrawn };
std::string_view name_of(Status status);  // "issued", "under review", …

struct StatusEvent {
  std::string event, reason, claimed_on, by;  // by: hex, "" : none
  std::string verdict;                        // hex: SHA-256 of the verdict's statement
  std::string log;                            // origin
  uint64_t index = 0;                         // the verdict's entry
};
std::vector<std::string> status_events();
Result<Status> after(Status now, const std::string& event);  // kMalformed: not from there; says which events are
Result<Statement> status_statement(const StatusEvent& event, const std::string& name);

// Signs, keeps and logs it; the index of its entry.
Result<uint64_t> set_status(const StatusEvent& event, const std::string& name, const SigningKey& key,
                            const std::string& folder, Log& log);

struct LoggedStatus {
  uint64_t index;
  PublicKey signer;
  StatusEvent event;
};
// All that the log says of this verdict since its entry. An entry in clear whose statement cannot be had is an error.
Result<std::vector<LoggedStatus>> statuses_of(const Bundle& verdict, const LogView& log, const Checkpoint& now);

}  // namespace assay::certify
