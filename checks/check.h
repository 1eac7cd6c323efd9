// A check: reads facts, states findings. It opens no file and parses no format; what it needs is a fact.
#pragma once
#include "core/finding.h"

#include <span>
#include <string>
#include <string_view>

namespace assay::checks {

// What the vendor says is there (checks/declaration.cc reads the YAML).
struct Declared {
  std::string name;     // service or program name, account, software, host
  std::string version;  // of software
  std::string protocol;
  uint16_t port = 0;  // 0: any
  FIELDS(v("name", s.name); v("version", s.version); v("protocol", s.protocol); v("port", s.port))
};
struct Declaration {
  std::vector<Declared> services, ports, accounts, software, communications;
  bool has_services = false, has_accounts = false, has_software = false, has_communications = false;  // section present
  FIELDS(v("services", s.services); v("ports", s.ports); v("accounts", s.accounts); v("software", s.software);
         v("communications", s.communications); v("has_services", s.has_services); v("has_accounts", s.has_accounts);
         v("has_software", s.has_software); v("has_communications", s.has_communications))
};
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
