// Packet filter rules: iptables(8), ip6tables(8) and ebtables(8) commands in scripts, iptables-save(8) files, nft(8)
// files and commands, and UCI's /etc/config/firewall. Rules stand as written; a rule with variables keeps them.
#include "core/text.h"
#include "system/config_files.h"
#include "system/script_commands.h"

#include <algorithm>
#include <map>

namespace assay::system::firewall {
namespace {

constexpr size_t kMaximumRule = 1024;

std::string cut(std::string_view text) { return std::string(text.substr(0, kMaximumRule)); }

std::string first_of(const ScriptCommand& command, std::initializer_list<std::string_view> flags) {
  for (const std::string_view flag : flags)
    if (const std::string_view value = command.option(flag); !value.empty()) return cut(value);
  return {};
}

// Policies (-P CHAIN TARGET) and rules (-A, -I); flushes and new chains state nothing.
std::optional<FirewallRule> rule_of(const ScriptCommand& command, std::string_view tool) {
  FirewallRule rule{.tool = std::string(tool), .rule = cut(command.text)};
  rule.table = first_of(command, {"-t", "--table"});
  if (rule.table.empty()) rule.table = "filter";
  if (const std::string policy = first_of(command, {"-P", "--policy"}); !policy.empty()) {
    rule.chain = policy;
    const auto at = std::ranges::find(command.words, policy);
    if (at + 1 < command.words.end()) rule.action = cut(*(at + 1));
    return rule;
  }
  rule.chain = first_of(command, {"-A", "--append", "-I", "--insert"});
  if (rule.chain.empty()) return std::nullopt;
  rule.action = first_of(command, {"-j", "--jump", "-g", "--goto"});
  rule.protocol = first_of(command, {"-p", "--protocol", "--proto"});
  rule.port = first_of(command, {"--dport", "--destination-port", "--dports", "--destination-ports"});
  rule.source = first_of(command, {"-s", "--source", "--src"});
  rule.interface = first_of(command, {"-i", "--in-interface"});
  return rule;
}

void read_script(const TextFile& file, Facts& out) {
  if (file.text.find("tables") == std::string_view::npos && file.text.find("nft") == std::string_view::npos) return;
  for (const ScriptCommand& command : script_commands(file.text)) {
    const std::string_view program = command.program();
    if (program == "iptables" || program == "ip6tables" || program == "ebtables") {
      auto rule = rule_of(command, program);
      if (!rule) continue;
      rule->at = file.at(command.offset, command.text);
      out.firewall.push_back(*std::move(rule));
    } else if (program == "nft" && command.has("add") && command.has("rule")) {
      out.firewall.push_back({.tool = "nft", .rule = cut(command.text), .at = file.at(command.offset, command.text)});
    }
  }
}

// iptables-save: "*table", ":CHAIN POLICY [counters]", "-A CHAIN …", "COMMIT".
void read_saved(const TextFile& file, Facts& out) {
  std::string table = "filter";
  const std::string_view tool = file.path.find('6') != std::string_view::npos ? "ip6tables" : "iptables";
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    if (entry.starts_with('*')) table = cut(entry.substr(1));
    FirewallRule rule{.tool = std::string(tool), .table = table, .rule = cut(entry)};
    if (entry.starts_with(':')) {
      const auto parts = words(entry.substr(1));
      if (parts.size() < 2 || parts[1] == "-") continue;
      rule.chain = cut(parts[0]);
      rule.action = cut(parts[1]);
    } else if (entry.starts_with("-A") || entry.starts_with("-I")) {
      const std::vector<ScriptCommand> commands = script_commands(entry);
      if (commands.empty()) continue;
      ScriptCommand command = commands[0];
      command.words.insert(command.words.begin(), std::string(tool));
      const auto read = rule_of(command, tool);
      if (!read) continue;
      rule = *read;
      rule.table = table;
    } else {
      continue;
    }
    rule.at = file.at(line.offset, line.text);
    out.firewall.push_back(std::move(rule));
  }
}

std::string after(const std::vector<std::string_view>& parts, std::string_view word) {
  for (size_t i = 0; i + 1 < parts.size(); ++i)
    if (parts[i] == word) return cut(parts[i + 1]);
  return {};
}

// nft files: "table inet x {", "chain input {", "type filter hook input priority 0; policy drop;", rules.
void read_nft(const TextFile& file, Facts& out) {
  std::vector<std::pair<std::string, std::string>> open;  // keyword and name of the blocks around the line
  constexpr size_t kMaximumDepth = 32;
  for (const Line& line : lines(file.text)) {
    const std::string_view entry = trim(line.text);
    const auto parts = words(entry);
    if (parts.empty() || entry[0] == '#') continue;
    if (entry.ends_with('{')) {
      if (open.size() < kMaximumDepth)
        open.emplace_back(parts[0], parts.size() > 2 ? cut(parts[parts.size() - 2]) : "");
      continue;
    }
    if (entry == "}") {
      if (!open.empty()) open.pop_back();
      continue;
    }
    if (open.empty() || open.back().first != "chain") continue;
    FirewallRule rule{
        .tool = "nft", .chain = open.back().second, .rule = cut(entry), .at = file.at(line.offset, line.text)};
    if (open.size() > 1) rule.table = open[open.size() - 2].second;
    if (std::string policy = after(parts, "policy"); !policy.empty()) {
      rule.action = policy.substr(0, policy.find(';'));
    } else {
      for (const std::string_view verdict : {"accept", "drop", "reject", "jump", "masquerade", "dnat", "redirect"})
        if (rule.action.empty() && std::ranges::find(parts, verdict) != parts.end()) rule.action = verdict;
      rule.port = after(parts, "dport");
      rule.source = after(parts, "saddr");
      rule.interface = after(parts, "iifname");
      for (const std::string_view protocol : {"tcp", "udp", "icmp"})
        if (rule.protocol.empty() && std::ranges::find(parts, protocol) != parts.end()) rule.protocol = protocol;
    }
    out.firewall.push_back(std::move(rule));
  }
}

// Sections "rule", "zone", "defaults", "redirect" of UCI: one fact per section, defaults and zones one per chain.
void read_uci_firewall(const TextFile& file, Facts& out) {
  struct Section {
    std::string type;
    uint64_t start = 0, end = 0;
    std::map<std::string, std::string> options;
  };
  std::map<uint32_t, Section> sections;
  for (const NamedValue& value : read_uci(file.text).values) {
    Section& section = sections[value.group];
    if (section.type.empty()) section = {.type = value.scope.substr(0, value.scope.find(' ')), .start = value.offset};
    section.end = value.offset + value.length;
    std::string& option = section.options[value.name];
    option += (option.empty() ? "" : " ") + value.value;
  }
  for (auto& [group, section] : sections) {
    auto& option = section.options;
    const std::string_view shown = file.text.substr(section.start, section.end - section.start);
    FirewallRule rule{.tool = "uci", .table = section.type, .rule = cut(shown), .at = file.at(section.start, shown)};
    if (section.type == "defaults" || section.type == "zone") {
      for (const std::string chain : {"input", "forward", "output"}) {
        if (option[chain].empty()) continue;
        rule.chain = chain;
        rule.action = option[chain];
        rule.source = section.type == "zone" ? option["name"] : "";
        out.firewall.push_back(rule);
      }
    } else if (section.type == "rule" || section.type == "redirect") {
      rule.chain = option["dest"].empty() ? "input" : "forward";
      rule.action = option["target"];
      rule.protocol = option["proto"];
      rule.port = option["dest_port"];
      rule.source = option["src"] + (option["src_ip"].empty() ? "" : " " + option["src_ip"]);
      out.firewall.push_back(std::move(rule));
    }
  }
}

void run(Tree& tree, Facts& out) {
  for (const TextFile& file : text_files(tree)) {
    if (is_web_page(file)) continue;
    const bool saved =
        file.text.starts_with("*filter") || file.text.starts_with("*nat") || file.text.starts_with("*mangle") ||
        (file.text.find("\n*filter") != std::string_view::npos && file.text.find("\nCOMMIT") != std::string_view::npos);
    if (file.below("/etc/config/") && file.name == "firewall") {
      read_uci_firewall(file, out);
    } else if (saved && !file.is_script()) {
      read_saved(file, out);
    } else if (file.name.ends_with(".nft") || file.name == "nftables.conf" ||
               file.text.starts_with("#!/usr/sbin/nft")) {
      read_nft(file, out);
    } else if (file.is_script() || file.name.starts_with("firewall") || file.name.starts_with("iptables")) {
      read_script(file, out);
    }
  }
}

}  // namespace

extern const TreeAnalysis kFirewall;
const TreeAnalysis kFirewall = {.id = "firewall", .version = 1, .run = run};

}  // namespace assay::system::firewall
