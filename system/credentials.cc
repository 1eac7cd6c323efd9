// Secrets that are no login of the operating system: SNMP communities, wireless keys, WPS PINs, the TR-069 passwords,
// PPP secrets, and passwords in default settings without a user name beside them.
// snmpd.conf(5): rocommunity, rwcommunity, com2sec; hostapd.conf and wpa_supplicant.conf are "name=value" files.
#include "core/text.h"
#include "system/account_files.h"
#include "system/config_files.h"
#include "system/script_commands.h"
#include "system/setting_words.h"

namespace assay::system::credentials {
namespace {

void add(const TextFile& file, Credential credential, const Line& line, Facts& out) {
  credential.at = file.at(line.offset, line.text);
  out.credentials.push_back(std::move(credential));
}

void read_snmpd(const TextFile& file, Facts& out) {
  for (const Line& line : lines(file.text)) {
    const std::vector<std::string_view> parts = words(line.text);
    if (parts.size() < 2 || parts[0].starts_with('#')) continue;
    const std::string_view directive = parts[0];
    Credential credential{.kind = "snmp-community", .name = std::string(directive)};
    if (directive.starts_with("rocommunity") || directive.starts_with("rwcommunity")) {
      credential.value = parts[1];
      credential.access = directive.substr(0, 2);
    } else if (directive.starts_with("com2sec") && parts.size() >= 4) {
      const size_t context = parts[1] == "-Cn" ? 2 : 0;  // an optional context stands before the name
      if (parts.size() < 4 + context) continue;
      credential.account = parts[1 + context];
      credential.value = parts[3 + context];
    } else if (directive == "createUser" && parts.size() >= 4) {
      credential = {
          .kind = "generic", .name = "createUser", .account = std::string(parts[1]), .value = std::string(parts[3])};
    } else {
      continue;
    }
    if (credential.value.find_first_of("$`@") == std::string::npos) add(file, std::move(credential), line, out);
  }
}

// hostapd.eap_user: "identity" METHODS "password"
void read_eap_users(const TextFile& file, Facts& out) {
  for (const Line& line : lines(file.text)) {
    if (!trim(line.text).starts_with('"')) continue;
    const std::vector<std::string_view> pieces = split(line.text, '"');
    if (pieces.size() < 5 || pieces[3].empty()) continue;
    add(file,
        {.kind = "generic", .name = "eap_user", .account = std::string(pieces[1]), .value = std::string(pieces[3])},
        line, out);
  }
}

// `nvram set name=value` and `uci set package.section.option=value` in scripts.
std::vector<NamedValue> settings_in_script(std::string_view script) {
  std::vector<NamedValue> found;
  if (script.find("nvram") == std::string_view::npos && script.find("uci") == std::string_view::npos) return found;
  for (const ScriptCommand& command : script_commands(script)) {
    const std::string_view program = command.program();
    if ((program != "nvram" && program != "uci") || !command.has("set")) continue;
    const std::string_view setting = command.arguments().empty() ? std::string_view() : command.arguments().back();
    const size_t equals = setting.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view name = setting.substr(0, equals), scope;
    if (const size_t dot = name.rfind('.'); dot != std::string_view::npos) {
      scope = name.substr(0, dot);
      name.remove_prefix(dot + 1);
    }
    found.push_back({std::string(scope), std::string(name), std::string(setting.substr(equals + 1)), command.offset,
                     command.text.size(), 0});
  }
  return found;
}

void keep(std::vector<Credential> found, const Artifact& artifact, Facts& out) {
  for (Credential& credential : found) {
    place(credential.at, artifact);
    out.credentials.push_back(std::move(credential));
  }
}

void run(Tree& tree, Facts& out) {
  for (const TextFile& file : text_files(tree)) {
    if (is_web_page(file)) continue;
    if (file.name.starts_with("snmpd") && !file.is_script()) read_snmpd(file, out);
    if (file.name.ends_with(".eap_user")) read_eap_users(file, out);
    if (file.name == "pap-secrets" || file.name == "chap-secrets")
      keep(read_ppp_secrets(file.text), *file.artifact, out);
    if (file.is_script())
      keep(secrets_of(settings_in_script(file.text), "nvram", file.text).credentials, *file.artifact, out);
  }
  for (const ConfigFile& file : config_files(tree)) {
    keep(secrets_of(file.values.values, file.source, file.text).credentials, *file.artifact, out);
    if (file.values.limited)
      out.problems.push_back({file.artifact->way, Fault::kLimit, "more settings than are read", 0});
  }
}

}  // namespace

extern const TreeAnalysis kCredentials;
const TreeAnalysis kCredentials = {.id = "credentials", .version = 1, .run = run};

}  // namespace assay::system::credentials
