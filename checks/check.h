// A check: reads facts, states findings. It opens no file and parses no format; what it needs is a fact.
#pragma once
#include "core/finding.h"

#include <span>
#include <string>
#include <string_view>

namespace assay::checks {

// What the vendor says is there (checks/declaration.cc reads the YAML; docs/declaration.md).
struct Declared {
  std::string name;     // service or program name, account, software, function, host, purpose of a key
  std::string version;  // of software
  std::string protocol;
  uint16_t port = 0;                    // 0: any
  std::vector<std::string> interfaces;  // of services and ports; empty: any
  std::string purpose;
  std::string credential;   // of accounts: none, per-device, set-at-first-login, fixed
  std::string program;      // of functions: base name or path on the device
  std::string guard;        // of functions: none, password, key, physical
  std::string algorithm;    // of update keys
  std::string fingerprint;  // of update keys: sha256 of the SubjectPublicKeyInfo, hex
  std::string until;        // of software: supported until, YYYY-MM-DD
  FIELDS(v("name", s.name); v("version", s.version); v("protocol", s.protocol); v("port", s.port);
         v("interfaces", s.interfaces); v("purpose", s.purpose); v("credential", s.credential); v("program", s.program);
         v("guard", s.guard); v("algorithm", s.algorithm); v("fingerprint", s.fingerprint); v("until", s.until))
};

// Names of the maker and of the thing. They stand in no FIELDS, so they never reach a worker and no check can read
// them.
struct ProductNames {
  std::string vendor, product, model, release, unique_id, mud_url;
};

struct Declaration {
  std::vector<Declared> services, ports, accounts, software, communications, functions, update_keys;
  // Whether the section is present.
  bool has_services = false, has_ports = false, has_accounts = false, has_software = false, has_communications = false,
       has_functions = false, has_update_keys = false;
  std::string network_class;                // "" : not stated
  std::string support_from, support_until;  // YYYY-MM-DD
  ProductNames names;
  FIELDS(v("services", s.services); v("ports", s.ports); v("accounts", s.accounts); v("software", s.software);
         v("communications", s.communications); v("functions", s.functions); v("update_keys", s.update_keys);
         v("has_services", s.has_services); v("has_ports", s.has_ports); v("has_accounts", s.has_accounts);
         v("has_software", s.has_software); v("has_communications", s.has_communications);
         v("has_functions", s.has_functions); v("has_update_keys", s.has_update_keys))
};
std::span<const std::string_view> network_classes();  // what `class` may be
// Errors name line and field. YAML of at most 1 MiB; aliases are refused.
Result<Declaration> read_declaration(std::string_view yaml);

struct Input {
  const Facts& facts;
  const Declaration* declaration = nullptr;  // null: none was given
  std::string as_of;                         // YYYY-MM-DD
  int64_t as_of_seconds = 0;                 // midnight UTC of that day, since 1970
};

class Report {
 public:
  virtual ~Report() = default;
  // At least one evidence: a claim without proof does not compile.
  virtual void state(Severity severity, Confidence confidence, std::string claim, Evidence first,
                     std::vector<Evidence> more = {}) = 0;
};

struct Check {
  std::string_view id;                              // "service.undeclared": stable
  uint32_t version = 1;                             // part of every key and certificate; raise it when a result changes
  std::string_view title, means, misses, mistakes;  // misses: false negatives; mistakes: false positives
  std::span<const uint32_t> cwe = {};
  std::span<const std::string_view> requirements = {};  // "TS 33.117 TC_NO_UNNECESSARY_SERVICE"
  void (*run)(const Input& input, Report& report) = nullptr;
};

std::span<const Check* const> checks();          // in alphabetical order of id
std::vector<Finding> judge(const Input& input);  // every check; ids set, most severe first, then rule and place
std::vector<Rule> rules();

}  // namespace assay::checks
