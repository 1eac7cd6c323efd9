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
namespace account_default_password { extern const Check kAccountDefaultPassword; }
namespace account_duplicate_uid { extern const Check kAccountDuplicateUid; }
namespace account_empty_password { extern const Check kAccountEmptyPassword; }
namespace account_predefined { extern const Check kAccountPredefined; }
namespace account_root_login_remote { extern const Check kAccountRootLoginRemote; }
namespace boot_console_shell { extern const Check kBootConsoleShell; }
namespace boot_interruptible { extern const Check kBootInterruptible; }
namespace boot_unverified { extern const Check kBootUnverified; }
namespace certificate_expired { extern const Check kCertificateExpired; }
namespace component_undeclared { extern const Check kComponentUndeclared; }
namespace component_unsupported { extern const Check kComponentUnsupported; }
namespace credential_default_snmp { extern const Check kCredentialDefaultSnmp; }
namespace credential_hard_coded { extern const Check kCredentialHardCoded; }
namespace credential_wifi_or_wps_default { extern const Check kCredentialWifiOrWpsDefault; }
namespace elf_no_overflow_protection { extern const Check kElfNoOverflowProtection; }
namespace elf_rpath { extern const Check kElfRpath; }
namespace encrypted_not_examined { extern const Check kEncryptedNotExamined; }
namespace firewall_accept_all { extern const Check kFirewallAcceptAll; }
namespace firewall_wan_management { extern const Check kFirewallWanManagement; }
namespace image_documented_key { extern const Check kImageDocumentedKey; }
namespace key_authorized_key { extern const Check kKeyAuthorizedKey; }
namespace key_private_in_image { extern const Check kKeyPrivateInImage; }
namespace key_shared { extern const Check kKeyShared; }
namespace key_weak { extern const Check kKeyWeak; }
namespace leftover_development { extern const Check kLeftoverDevelopment; }
namespace leftover_emulation { extern const Check kLeftoverEmulation; }
namespace mount_options { extern const Check kMountOptions; }
namespace outbound_undeclared { extern const Check kOutboundUndeclared; }
namespace password_plain { extern const Check kPasswordPlain; }
namespace password_weak_hash { extern const Check kPasswordWeakHash; }
namespace privilege_capabilities { extern const Check kPrivilegeCapabilities; }
namespace privilege_setuid { extern const Check kPrivilegeSetuid; }
namespace privilege_web_server_root { extern const Check kPrivilegeWebServerRoot; }
namespace privilege_world_writable { extern const Check kPrivilegeWorldWritable; }
namespace service_adb_open { extern const Check kServiceAdbOpen; }
namespace service_debug { extern const Check kServiceDebug; }
namespace service_listens_and_starts_shell { extern const Check kServiceListensAndStartsShell; }
namespace service_plaintext_remote_access { extern const Check kServicePlaintextRemoteAccess; }
namespace service_port_undeclared { extern const Check kServicePortUndeclared; }
namespace service_present_not_started { extern const Check kServicePresentNotStarted; }
namespace service_shell_without_login_network { extern const Check kServiceShellWithoutLoginNetwork; }
namespace service_shell_without_login_serial { extern const Check kServiceShellWithoutLoginSerial; }
namespace service_undeclared { extern const Check kServiceUndeclared; }
namespace startup_remote_script { extern const Check kStartupRemoteScript; }
namespace startup_removable_media_autorun { extern const Check kStartupRemovableMediaAutorun; }
namespace sysctl_aslr { extern const Check kSysctlAslr; }
namespace sysctl_icmp_broadcast { extern const Check kSysctlIcmpBroadcast; }
namespace sysctl_rp_filter { extern const Check kSysctlRpFilter; }
namespace sysctl_syn_cookies { extern const Check kSysctlSynCookies; }
namespace update_plaintext_url { extern const Check kUpdatePlaintextUrl; }
namespace update_unsigned { extern const Check kUpdateUnsigned; }
namespace web_cgi_shell_scripts { extern const Check kWebCgiShellScripts; }
namespace web_compiler_in_cgi { extern const Check kWebCompilerInCgi; }
namespace web_default_content { extern const Check kWebDefaultContent; }
namespace web_directory_listing { extern const Check kWebDirectoryListing; }
namespace web_server_side_exec { extern const Check kWebServerSideExec; }
namespace web_unauthenticated_handler { extern const Check kWebUnauthenticatedHandler; }

constexpr const Check* kChecks[] = {
    &account_default_password::kAccountDefaultPassword,
    &account_duplicate_uid::kAccountDuplicateUid,
    &account_empty_password::kAccountEmptyPassword,
    &account_predefined::kAccountPredefined,
    &account_root_login_remote::kAccountRootLoginRemote,
    &boot_console_shell::kBootConsoleShell,
    &boot_interruptible::kBootInterruptible,
    &boot_unverified::kBootUnverified,
    &certificate_expired::kCertificateExpired,
    &component_undeclared::kComponentUndeclared,
    &component_unsupported::kComponentUnsupported,
    &credential_default_snmp::kCredentialDefaultSnmp,
    &credential_hard_coded::kCredentialHardCoded,
    &credential_wifi_or_wps_default::kCredentialWifiOrWpsDefault,
    &elf_no_overflow_protection::kElfNoOverflowProtection,
    &elf_rpath::kElfRpath,
    &encrypted_not_examined::kEncryptedNotExamined,
    &firewall_accept_all::kFirewallAcceptAll,
    &firewall_wan_management::kFirewallWanManagement,
    &image_documented_key::kImageDocumentedKey,
    &key_authorized_key::kKeyAuthorizedKey,
    &key_private_in_image::kKeyPrivateInImage,
    &key_shared::kKeyShared,
    &key_weak::kKeyWeak,
    &leftover_development::kLeftoverDevelopment,
    &leftover_emulation::kLeftoverEmulation,
    &mount_options::kMountOptions,
    &outbound_undeclared::kOutboundUndeclared,
    &password_plain::kPasswordPlain,
    &password_weak_hash::kPasswordWeakHash,
    &privilege_capabilities::kPrivilegeCapabilities,
    &privilege_setuid::kPrivilegeSetuid,
    &privilege_web_server_root::kPrivilegeWebServerRoot,
    &privilege_world_writable::kPrivilegeWorldWritable,
    &service_adb_open::kServiceAdbOpen,
    &service_debug::kServiceDebug,
    &service_listens_and_starts_shell::kServiceListensAndStartsShell,
    &service_plaintext_remote_access::kServicePlaintextRemoteAccess,
    &service_port_undeclared::kServicePortUndeclared,
    &service_present_not_started::kServicePresentNotStarted,
    &service_shell_without_login_network::kServiceShellWithoutLoginNetwork,
    &service_shell_without_login_serial::kServiceShellWithoutLoginSerial,
    &service_undeclared::kServiceUndeclared,
    &startup_remote_script::kStartupRemoteScript,
    &startup_removable_media_autorun::kStartupRemovableMediaAutorun,
    &sysctl_aslr::kSysctlAslr,
    &sysctl_icmp_broadcast::kSysctlIcmpBroadcast,
    &sysctl_rp_filter::kSysctlRpFilter,
    &sysctl_syn_cookies::kSysctlSynCookies,
    &update_plaintext_url::kUpdatePlaintextUrl,
    &update_unsigned::kUpdateUnsigned,
    &web_cgi_shell_scripts::kWebCgiShellScripts,
    &web_compiler_in_cgi::kWebCompilerInCgi,
    &web_default_content::kWebDefaultContent,
    &web_directory_listing::kWebDirectoryListing,
    &web_server_side_exec::kWebServerSideExec,
    &web_unauthenticated_handler::kWebUnauthenticatedHandler,
};
// clang-format on

std::span<const Check* const> checks() { return kChecks; }

}  // namespace assay::checks
