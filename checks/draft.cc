// See draft.h. What is declared follows from what the checks look for (undeclared.h, services.h).
#include "checks/draft.h"

#include "checks/sections.h"
#include "checks/undeclared.h"
#include "checks/words.h"
#include "core/text.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace assay::checks {
namespace {

// Findings about functions that a reader asks about: what each is for only the vendor can say.
constexpr std::string_view kAsksWhy[] = {
    "boot.console_shell",
    "boot.interruptible",
    "firewall.wan_management",
    "image.documented_key",
    "leftover.development",
    "leftover.emulation",
    "service.debug",
    "service.listens_and_starts_shell",
    "service.present_not_started",
    "service.shell_without_login_network",
    "service.shell_without_login_serial",
    "startup.remote_script",
    "web.unauthenticated_handler",
};

// "" : the text can stand in a declaration.
std::string unwritable(const std::string& text) {
  if (text.size() > kLongestDeclared) return "is longer than " + std::to_string(kLongestDeclared) + " bytes";
  if (!is_utf8(text)) return "is not UTF-8";
  for (size_t at = text.find('\xC2'); at != text.npos; at = text.find('\xC2', at + 1))
    if (static_cast<uint8_t>(text[at + 1]) < 0xA0) return "holds C1 controls";
  return "";
}

// One section's entries, each once, in the order of their keys.
class Entries {
 public:
  Entries(Draft& draft, std::string_view section) : draft_(draft), section_(section) {}

  void add(Declared entry, const std::string& seen) {
    for (const std::string* text : {&entry.name, &entry.version, &entry.program, &entry.algorithm})
      if (const std::string why = unwritable(*text); !why.empty())
        return leave_out(checks::in_quotes(*text) + " " + why + " (" + seen + ")");
    for (const std::string& interface : entry.interfaces)
      if (const std::string why = unwritable(interface); !why.empty())
        return leave_out("interface " + checks::in_quotes(interface) + " " + why + " (" + seen + ")");
    auto key = std::tuple(lower(entry.name), entry.name, entry.version, entry.protocol, entry.port, entry.interfaces,
                          entry.program, entry.fingerprint);
    entries_.try_emplace(std::move(key), std::move(entry), seen);
  }

  void leave_out(const std::string& what) { draft_.left_out.push_back(std::string(section_) + ": " + what); }

  // Into the draft, and the section is there even when nothing was seen: that too is a statement.
  ~Entries() {
    for (const Section& section : sections()) {
      if (section.name != section_) continue;
      draft_.declaration.*section.present = true;
      for (auto& [key, entry] : entries_) {
        if ((draft_.declaration.*section.entries).size() == kMostEntries) {
          leave_out(std::to_string(entries_.size() - kMostEntries) + " more than a section may have");
          break;
        }
        (draft_.declaration.*section.entries).push_back(std::move(entry.first));
        draft_.seen[section.name].push_back(std::move(entry.second));
      }
    }
  }
  Entries(const Entries&) = delete;
  Entries& operator=(const Entries&) = delete;

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, uint16_t, std::vector<std::string>,
                         std::string, std::string>;
  Draft& draft_;
  std::string_view section_;
  std::map<Key, std::pair<Declared, std::string>> entries_;
};

void add_services(const Facts& facts, Draft& out) {
  Entries entries(out, "services");
  for (const Service& s : facts.services) {
    if (!s.started) continue;
    Declared d{.name = s.name.empty() ? base_name(s.program) : s.name, .port = s.port};
    if (is_one_of(s.protocol, protocols())) d.protocol = s.protocol;
    if (!s.interface.empty()) d.interfaces = {s.interface};
    const bool any = s.port == 0 && !is_serial(s);
    const std::string seen =
        describe(s) + (any ? "; its port was not seen: name it, as it stands every port is declared" : "");
    if (d.name.empty())
      entries.leave_out("a service without a name (" + seen + ")");
    else
      entries.add(std::move(d), seen);
  }
}

void add_accounts(const Facts& facts, Draft& out) {
  Entries entries(out, "accounts");
  for (const Account& a : facts.accounts) {
    if (!can_be_used(a)) continue;
    if (a.name.empty())
      entries.leave_out("an account without a name (" + place(a.at) + ")");
    else
      entries.add({.name = a.name}, place(a.at) + ", password " + a.hash_kind);
  }
}

void add_software(const Facts& facts, Draft& out) {
  Entries entries(out, "software");
  for (const Component& c : facts.components) {
    if (c.name.empty())
      entries.leave_out("software without a name (" + place(c.at) + ")");
    else
      entries.add({.name = c.name, .version = c.version}, place(c.at) + ", " + c.how);
  }
}

void add_communications(const Facts& facts, Draft& out) {
  Entries entries(out, "communications");
  for (const Outbound& o : facts.outbound)
    if (leads_outside(o)) entries.add({.name = o.host, .port = o.port}, place(o.at) + ": " + o.value);
}

void add_functions(const std::vector<Finding>& findings, Draft& out) {
  Entries entries(out, "functions");
  for (const Finding& f : findings) {
    if (!is_one_of(f.rule, kAsksWhy)) continue;
    const Evidence& at = f.evidence.front();
    entries.add({.name = f.title, .purpose = std::string(kUnexplained), .program = base_name(at.artifact)}, f.claim);
  }
}

void add_update_keys(const Facts& facts, Draft& out) {
  Entries entries(out, "update_keys");
  std::set<std::string> files;  // that hold a key by which software is verified
  for (const Update& u : facts.update)
    if (u.kind == "verification-key") files.insert(u.at.artifact);
  for (const Boot& b : facts.boot)
    if (b.kind == "verified-boot-key") files.insert(b.at.artifact);
  std::set<std::string> known;
  for (const Key& k : facts.keys) {
    if (!files.contains(k.at.artifact) || k.fingerprint.empty()) continue;
    known.insert(k.at.artifact);
    entries.add({.name = base_name(k.at.artifact), .algorithm = k.algorithm, .fingerprint = k.fingerprint},
                place(k.at));
  }
  for (const std::string& file : files)
    if (!known.contains(file)) entries.leave_out(file + " holds a key whose fingerprint could not be computed");
}

// What headers say of the product, for the vendor to choose from: no rule reads it.
void add_hints(const Facts& facts, Draft& out) {
  constexpr std::string_view kNames[] = {"product",          "model",   "board", "vendor",
                                         "firmware version", "version", "device"};
  constexpr size_t kMost = 8;
  for (const FormatNote& n : facts.format_notes)
    if (is_one_of(n.name, kNames)) {
      const std::string hint = n.format + " header, " + n.name + ": " + n.value;
      if (out.hints.size() < kMost && std::ranges::find(out.hints, hint) == out.hints.end()) out.hints.push_back(hint);
    }
}

}  // namespace

Draft draft(const Facts& facts, const std::vector<Finding>& findings) {
  Draft out;
  add_services(facts, out);
  out.declaration.has_ports = true;  // every port seen stands under its service
  add_accounts(facts, out);
  add_software(facts, out);
  add_functions(findings, out);
  add_communications(facts, out);
  add_update_keys(facts, out);
  add_hints(facts, out);
  return out;
}

}  // namespace assay::checks
