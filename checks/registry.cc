// Every check, in alphabetical order of id. Adding one: its file, its two lines here, its pair of cases in
// test/checks/.
//
// How grave a finding is (core/finding.h, Severity) is decided in the check, by this table:
//
//   critical  whoever reaches the network (or holds the image) controls the device, and nothing asks for a secret:
//             a shell without login, a root account that is empty or opened by a documented password, a login key or an
//             authority whose private key is in the image
//   high      one published or guessable thing stands between a stranger and control, or passwords cross the network
//             readable: telnet, a private key, a hard-coded management password, code fetched and run, an authorised
//             key, a superuser nobody declared, software written without a signature
//   medium    it takes a second step, the inner network, or the case to be opened: a shell on the serial line, weak
//             hashes, an undeclared service or account, unusual setuid programs, unsupported components, a missing
//             protection of a program that faces the network
//   low       a weakness that only matters together with another, or one that is only possible: a server that nothing
//             starts, missing protections elsewhere, expired authorities, hosts that the declaration does not name
//   note      nothing to mend by itself; the reader should know it: what was not examined, customary setuid programs,
//             a kernel default
//
// A lack of exposure lowers by one or two steps what is otherwise the same (not started, no login shell, encrypted with
// a passphrase). Confidence: certain, the bytes say it; likely, they say it unless something outside the facts undoes
// it; possible, they are compatible with it. A name never raises a severity above what the mechanism gives.
#include "checks/check.h"

namespace assay::checks {

// clang-format off
extern const Check kAccountDefaultPassword;
extern const Check kAccountDuplicateUid;
extern const Check kAccountEmptyPassword;
extern const Check kAccountPredefined;
extern const Check kAccountRootLoginRemote;
extern const Check kBootConsoleShell;
extern const Check kBootInterruptible;
extern const Check kBootUnverified;
extern const Check kCertificateExpired;
extern const Check kComponentUndeclared;
extern const Check kComponentUnsupported;
extern const Check kCredentialDefaultSnmp;
extern const Check kCredentialHardCoded;
extern const Check kCredentialWifiOrWpsDefault;
extern const Check kElfNoOverflowProtection;
extern const Check kElfRpath;
extern const Check kEncryptedNotExamined;
extern const Check kFirewallAcceptAll;
extern const Check kFirewallWanManagement;
extern const Check kImageDocumentedKey;
extern const Check kKeyAuthorizedKey;
extern const Check kKeyPrivateInImage;
extern const Check kKeyShared;
extern const Check kKeyWeak;
extern const Check kLeftoverDevelopment;
extern const Check kLeftoverEmulation;
extern const Check kMountOptions;
extern const Check kOutboundUndeclared;
extern const Check kPasswordPlain;
extern const Check kPasswordWeakHash;
extern const Check kPrivilegeCapabilities;
extern const Check kPrivilegeSetuid;
extern const Check kPrivilegeWebServerRoot;
extern const Check kPrivilegeWorldWritable;
extern const Check kServiceDebug;
extern const Check kServiceListensAndStartsShell;
extern const Check kServicePlaintextRemoteAccess;
extern const Check kServicePortUndeclared;
extern const Check kServicePresentNotStarted;
extern const Check kServiceShellWithoutLoginNetwork;
extern const Check kServiceShellWithoutLoginSerial;
extern const Check kServiceUndeclared;
extern const Check kStartupRemoteScript;
extern const Check kStartupRemovableMediaAutorun;
extern const Check kSysctlAslr;
extern const Check kSysctlIcmpBroadcast;
extern const Check kSysctlRpFilter;
extern const Check kSysctlSynCookies;
extern const Check kUpdatePlaintextUrl;
extern const Check kUpdateUnsigned;
extern const Check kWebCgiShellScripts;
extern const Check kWebCompilerInCgi;
extern const Check kWebDefaultContent;
extern const Check kWebDirectoryListing;
extern const Check kWebServerSideExec;
extern const Check kWebUnauthenticatedHandler;

constexpr const Check* kChecks[] = {
    &kAccountDefaultPassword,
    &kAccountDuplicateUid,
    &kAccountEmptyPassword,
    &kAccountPredefined,
    &kAccountRootLoginRemote,
    &kBootConsoleShell,
    &kBootInterruptible,
    &kBootUnverified,
    &kCertificateExpired,
    &kComponentUndeclared,
    &kComponentUnsupported,
    &kCredentialDefaultSnmp,
    &kCredentialHardCoded,
    &kCredentialWifiOrWpsDefault,
    &kElfNoOverflowProtection,
    &kElfRpath,
    &kEncryptedNotExamined,
    &kFirewallAcceptAll,
    &kFirewallWanManagement,
    &kImageDocumentedKey,
    &kKeyAuthorizedKey,
    &kKeyPrivateInImage,
    &kKeyShared,
    &kKeyWeak,
    &kLeftoverDevelopment,
    &kLeftoverEmulation,
    &kMountOptions,
    &kOutboundUndeclared,
    &kPasswordPlain,
    &kPasswordWeakHash,
    &kPrivilegeCapabilities,
    &kPrivilegeSetuid,
    &kPrivilegeWebServerRoot,
    &kPrivilegeWorldWritable,
    &kServiceDebug,
    &kServiceListensAndStartsShell,
    &kServicePlaintextRemoteAccess,
    &kServicePortUndeclared,
    &kServicePresentNotStarted,
    &kServiceShellWithoutLoginNetwork,
    &kServiceShellWithoutLoginSerial,
    &kServiceUndeclared,
    &kStartupRemoteScript,
    &kStartupRemovableMediaAutorun,
    &kSysctlAslr,
    &kSysctlIcmpBroadcast,
    &kSysctlRpFilter,
    &kSysctlSynCookies,
    &kUpdatePlaintextUrl,
    &kUpdateUnsigned,
    &kWebCgiShellScripts,
    &kWebCompilerInCgi,
    &kWebDefaultContent,
    &kWebDirectoryListing,
    &kWebServerSideExec,
    &kWebUnauthenticatedHandler,
};
// clang-format on

std::span<const Check* const> checks() { return kChecks; }

}  // namespace assay::checks
