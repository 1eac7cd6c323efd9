#include "certify/judge_status.h"

#include "core/text.h"

#include <algorithm>

namespace assay::certify {
namespace {

// Who signed, by the name the verifier knows him; an error: it does not count.
Result<std::string> signed_by(const LoggedStatus& logged, const Bundle& verdict, const VerifierKey& log,
                              const MaySetStatus& may) {
  if (logged.event.log != log.name || logged.event.index != verdict.entry.index)
    return fail(Fault::kMalformed,
                "it names entry " + std::to_string(logged.event.index) + " of " + escape(logged.event.log));
  return may(logged);
}

}  // namespace

MaySetStatus by_keys(const std::vector<PublicKey>& keys) {
  return [keys](const LoggedStatus& logged) -> Result<std::string> {
    if (std::ranges::find(keys, logged.signer) != keys.end()) return "key " + logged.signer.id();
    return fail(Fault::kMalformed,
                "key " + logged.signer.id() + " did not sign the certificate (--trust says who else may)");
  };
}

MaySetStatus by_trust(Trust trust, const VerifierKey& log) {
  return [trust = std::move(trust), log](const LoggedStatus& logged) {
    return check_signer(trust, logged.signer, kSignsStatus, log, logged.index);
  };
}

StatusNow judge_status(const std::vector<LoggedStatus>& events, const Bundle& verdict, const VerifierKey& log,
                       const MaySetStatus& may) {
  StatusNow out;
  for (const LoggedStatus& logged : events) {
    const std::string entry = escape(logged.event.event) + " in entry " + std::to_string(logged.index);
    const auto who = signed_by(logged, verdict, log, may);
    const auto next = after(out.status, logged.event.event);
    if (!who || !next) {
      out.ignored.push_back(entry + ": " + (who ? next.error().what : who.error().what));
      continue;
    }
    out.status = *next;
    out.why = entry + ", signed by " + escape(*who) + ", day claimed by the signer " + escape(logged.event.claimed_on) +
              (logged.event.reason.empty() ? "" : ": " + escape(logged.event.reason)) +
              (logged.event.by.empty() ? "" : "; in its place: the verdict with sha256 " + logged.event.by);
  }
  return out;
}

}  // namespace assay::certify
