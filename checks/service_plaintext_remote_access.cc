// service.plaintext_remote_access: a service of remote login or file transfer whose passwords and contents cross the
// network readable (telnet RFC 854, FTP RFC 959, TFTP RFC 1350, rlogin RFC 1282, rsh, rexec).
#include "checks/words.h"
#include "core/text.h"

namespace assay::checks::service_plaintext_remote_access {
namespace {

constexpr uint32_t kCwe[] = {319};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_NO_UNNECESSARY_SERVICE",
                                              "TS 33.117 TC_PROTECT_DATA_INFO_TRANSFER_1"};
constexpr std::string_view kLogins[] = {"telnet", "rsh", "rlogin", "rexec", "shell", "login", "exec"};
constexpr std::string_view kFiles[] = {"ftp", "tftp"};

void run(const Input& input, Report& report) {
  for (const Service& s : input.facts.services) {
    const bool login = is_one_of(s.name, kLogins);
    if (!s.started || is_serial(s) || (!login && !is_one_of(s.name, kFiles))) continue;
    report.state(login ? Severity::kHigh : Severity::kMedium,
                 s.conditional ? Confidence::kLikely : Confidence::kCertain,
                 describe(s) + "; " + escape(s.name) + " sends " + (login ? "passwords and commands" : "files") +
                     " over the network unencrypted",
                 s.at, s.more);
  }
}

}  // namespace

extern const Check kServicePlaintextRemoteAccess;
const Check kServicePlaintextRemoteAccess = {
    .id = "service.plaintext_remote_access",
    .version = 1,
    .title = "Remote access without encryption",
    .means = "A service of remote login or file transfer without encryption is started.",
    .misses =
        "Web management over HTTP and SNMP versions 1 and 2, which are listed as services; services on unknown ports.",
    .mistakes = "Services bound to an inner interface, or started only in a mode that the product does not ship in.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::service_plaintext_remote_access
