// credential.wifi_or_wps_default: a key of the wireless network or a WPS PIN is stored in the image, so it is not
// unique to a device (ETSI EN 303 645, 5.1-1 asks for that).
#include "checks/words.h"

namespace assay::checks::credential_wifi_or_wps_default {
namespace {

constexpr uint32_t kCwe[] = {1392, 798};
constexpr std::string_view kRequirements[] = {"TS 33.117 TC_PREDEFINED_AUTHENTICATION_ATTRIBUTES_DELETION"};
constexpr std::string_view kKinds[] = {"wifi-psk", "wep-key", "wps-pin"};

std::string_view what(const std::string& kind) {
  if (kind == "wps-pin") return "A WPS PIN";
  return kind == "wep-key" ? "A WEP key" : "A WPA pre-shared key";
}

void run(const Input& input, Report& report) {
  for (const Credential& c : input.facts.credentials) {
    if (!is_one_of(c.kind, kKinds) || c.value.empty()) continue;
    report.state(Severity::kMedium, Confidence::kLikely,
                 std::string(what(c.kind)) + " is stored in " + place(c.at) + ": " + in_quotes(c.name) + " = " +
                     in_quotes(c.value) + "; every device with this image starts with it",
                 c.at);
  }
}

}  // namespace

extern const Check kCredentialWifiOrWpsDefault;
const Check kCredentialWifiOrWpsDefault = {
    .id = "credential.wifi_or_wps_default",
    .version = 1,
    .title = "Wireless key or WPS PIN in the image",
    .means = "A key of the wireless network or a WPS PIN is part of the image and so the same on many devices.",
    .misses = "Keys that a program computes from the address or the serial number of the device.",
    .mistakes = "Settings of a network that is off by default, or replaced by the key on the label at first boot.",
    .cwe = kCwe,
    .requirements = kRequirements,
    .run = run,
};

}  // namespace assay::checks::credential_wifi_or_wps_default
