// From the log's events to what a certificate is now.
#pragma once
#include "certify/status.h"
#include "certify/trust.h"

namespace assay::certify {

struct StatusNow {
  Status status = Status::kIssued;
  std::string why;                   // the event that led here, in words; "" : none since the entry
  std::vector<std::string> ignored;  // events that do not count, and why
};
// Whose word counts: gives the signer's name, or why it does not.
using MaySetStatus = std::function<Result<std::string>(const LoggedStatus&)>;
MaySetStatus by_keys(const std::vector<PublicKey>& keys);    // these, like the certificate's own
MaySetStatus by_trust(Trust trust, const VerifierKey& log);  // those with the role

StatusNow judge_status(const std::vector<LoggedStatus>& events, const Bundle& verdict, const VerifierKey& log,
                       const MaySetStatus& may);

}  // namespace assay::certify
