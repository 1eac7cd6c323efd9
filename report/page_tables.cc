// The tables of the page: one a kind of fact, with the columns a person asks for and the place of each row.
#include "report/page_data.h"

#include "core/date.h"

namespace assay::report {
namespace {

constexpr size_t kMostRows = 3000;  // a page, not a database: what is left off is counted, and the JSON has it all

// One table. A row is [artifact, offset, cells…]; the page writes the place as the last column.
class Table {
 public:
  Table(std::string id, std::string title, std::vector<std::string> columns, std::string note = {}) {
    out_ = {{"id", std::move(id)}, {"title", std::move(title)}, {"columns", columns}, {"rows", Json::array()}};
    if (!note.empty()) out_["note"] = std::move(note);
  }
  void row(const WayIndex& ways, const Evidence& at, Json cells) {
    if (++total_ > kMostRows) return;
    Json row = Json::array({ways.at(at.artifact), at.offset});
    for (Json& cell : cells) row.push_back(std::move(cell));
    out_["rows"].push_back(std::move(row));
  }
  Json done() {
    if (total_ > kMostRows) out_["left_off"] = total_ - kMostRows;
    return std::move(out_);
  }

 private:
  Json out_;
  size_t total_ = 0;
};

// Ways are escaped already; every other string is raw.
Json say(const std::string& raw) { return escape(raw); }
Json say(Known known) { return std::string(known == Known::kUnknown ? "not known" : name_of(known)); }
Json yes(bool value) { return value ? "yes" : "no"; }
Json number(std::optional<uint32_t> value) { return value ? Json(*value) : Json(""); }
Json above_zero(uint64_t value) { return value > 0 ? Json(value) : Json(""); }
Json day(std::optional<int64_t> seconds) { return seconds ? Json(date_of(*seconds)) : Json(""); }

std::string octal(uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((mode >> shift) & 7));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

Json services(const Facts& facts, const WayIndex& ways) {
  Table t("services", "Services",
          {"service", "protocol", "port", "bound to", "program", "started by", "starts", "asks for a secret",
           "gives a shell", "runs as", "port known from"});
  for (const Service& s : facts.services) {
    const char* starts = !s.started ? "no" : s.conditional ? "on a condition" : "yes";
    const std::string bound = s.bind + (s.interface.empty() ? "" : (s.bind.empty() ? "" : " ") + s.interface);
    t.row(ways, s.at,
          {say(s.name), say(s.protocol), above_zero(s.port), say(bound), say(s.program), s.started_by, starts,
           say(s.asks_for_secret), yes(s.gives_shell), say(s.user), say(s.port_source)});
  }
  return t.done();
}

Json accounts(const Facts& facts, const WayIndex& ways) {
  Table t("accounts", "Accounts",
          {"name", "uid", "gid", "shell", "from", "password", "stored as", "can log in", "opened by", "tried",
           "not tried"});
  for (const Account& a : facts.accounts)
    t.row(ways, a.at,
          {say(a.name), number(a.uid), number(a.gid), say(a.shell), say(a.source), say(a.hash_kind), say(a.hash),
           yes(a.can_log_in), say(a.opened_by), a.tried, say(a.not_tried)});
  return t.done();
}

Json credentials(const Facts& facts, const WayIndex& ways) {
  Table t("credentials", "Credentials", {"kind", "name", "account", "value", "access"});
  for (const Credential& c : facts.credentials)
    t.row(ways, c.at, {say(c.kind), say(c.name), say(c.account), say(c.value), say(c.access)});
  return t.done();
}

Json keys(const Facts& facts, const WayIndex& ways) {
  Table t("keys", "Keys",
          {"kind", "container", "algorithm", "bits", "curve", "passphrase", "subject", "issuer", "valid from",
           "valid to", "authority", "fingerprint"});
  for (const Key& k : facts.keys)
    t.row(ways, k.at,
          {say(k.kind), say(k.container), say(k.algorithm), above_zero(k.bits), say(k.curve), yes(k.encrypted),
           say(k.subject), say(k.issuer), day(k.not_before), day(k.not_after), yes(k.authority), say(k.fingerprint)});
  return t.done();
}

Json startup(const Facts& facts, const WayIndex& ways) {
  Table t("startup", "Startup",
          {"mechanism", "event", "command", "program in the image", "started by", "on a condition", "user", "when"},
          "What starts by itself: at boot, by a timer, when something connects.");
  for (const Startup& s : facts.startup)
    t.row(ways, s.at,
          {say(s.mechanism), say(s.event), say(s.command), s.resolves_to, s.started_by, yes(s.conditional), say(s.user),
           say(s.when)});
  return t.done();
}

Json components(const Facts& facts, const WayIndex& ways) {
  Table t("components", "Components", {"name", "version", "known from", "architecture", "package URL", "seen as"});
  for (const Component& c : facts.components)
    t.row(ways, c.at, {say(c.name), say(c.version), say(c.how), say(c.architecture), say(c.purl), say(c.at.shows)});
  return t.done();
}

Json hardening(const Facts& facts, const WayIndex& ways) {
  Table t("elf", "Hardening",
          {"file", "type", "machine", "NX", "PIE", "RELRO", "canary", "FORTIFY", "stripped", "traits"},
          "Programs and libraries. NX: the stack is not executable. PIE: loads at any address. RELRO: relocations "
          "become read-only. canary: "
          "overflow checks of the stack. FORTIFY: checked copies of the C library's functions.");
  for (const Elf& e : facts.elf) {
    const std::string machine =
        e.machine + (e.bits > 0 ? " " + std::to_string(e.bits) : "") + (e.byte_order.empty() ? "" : " " + e.byte_order);
    const std::string type = e.is_program ? (e.is_static ? "static program" : "program") : e.type;
    const size_t slash = e.at.artifact.rfind('/');
    t.row(ways, e.at,
          {slash == std::string::npos ? e.at.artifact : e.at.artifact.substr(slash + 1), say(type), say(machine),
           say(e.nx), yes(e.position_independent), say(e.relro.empty() ? "n/a" : e.relro), say(e.canary),
           say(e.fortify), yes(e.stripped), escape(joined(e.traits))});
  }
  return t.done();
}

Json permissions(const Facts& facts, const WayIndex& ways) {
  Table t("permissions", "Permissions", {"kind", "mode", "uid", "gid", "detail"});
  for (const Permission& p : facts.permissions)
    t.row(ways, p.at, {say(p.kind), octal(p.mode), p.uid, p.gid, say(p.detail)});
  return t.done();
}

Json firewall(const Facts& facts, const WayIndex& ways) {
  Table t("firewall", "Firewall rules", {"tool", "table", "chain", "action", "protocol", "port", "rule"});
  for (const FirewallRule& r : facts.firewall)
    t.row(ways, r.at,
          {say(r.tool), say(r.table), say(r.chain), say(r.action), say(r.protocol), say(r.port), say(r.rule)});
  return t.done();
}

Json web(const Facts& facts, const WayIndex& ways) {
  Table t("web", "Web servers", {"program", "document root", "user", "runs as root", "lists directories", "CGI"});
  for (const WebServer& w : facts.web_servers)
    t.row(ways, w.at,
          {say(w.program), w.root, say(w.user), say(w.runs_as_root), say(w.directory_listing), joined(w.cgi)});
  return t.done();
}

Json routes(const Facts& facts, const WayIndex& ways) {
  Table t("routes", "Web routes", {"path", "kind", "asks for a login"});
  for (const WebRoute& r : facts.web_routes) t.row(ways, r.at, {say(r.path), say(r.kind), say(r.authenticated)});
  return t.done();
}

Json boot(const Facts& facts, const WayIndex& ways) {
  Table t("boot", "Boot", {"kind", "name", "value"});
  for (const Boot& b : facts.boot) t.row(ways, b.at, {say(b.kind), say(b.name), say(b.value)});
  return t.done();
}

Json update(const Facts& facts, const WayIndex& ways) {
  Table t("update", "Update", {"kind", "value", "transport", "signature checked"});
  for (const Update& u : facts.update)
    t.row(ways, u.at, {say(u.kind), say(u.value), say(u.transport), say(u.verified)});
  return t.done();
}

Json outbound(const Facts& facts, const WayIndex& ways) {
  Table t("outbound", "Outbound", {"kind", "value", "scheme", "host", "port"},
          "Names and addresses that stand in the image and that it may talk to.");
  for (const Outbound& o : facts.outbound)
    t.row(ways, o.at, {say(o.kind), say(o.value), say(o.scheme), say(o.host), above_zero(o.port)});
  return t.done();
}

Json mounts(const Facts& facts, const WayIndex& ways) {
  Table t("mounts", "Mounts", {"source", "target", "type", "options"});
  for (const Mount& m : facts.mounts) t.row(ways, m.at, {say(m.source), say(m.target), say(m.type), say(m.options)});
  return t.done();
}

Json settings(const Facts& facts, const WayIndex& ways) {
  Table t("settings", "Settings", {"kind", "name", "value"});
  for (const Setting& s : facts.settings) t.row(ways, s.at, {say(s.kind), say(s.name), say(s.value)});
  return t.done();
}

Json kernel(const Facts& facts, const WayIndex& ways) {
  Table t("kernel", "Kernel options", {"name", "value"});
  for (const KernelOption& k : facts.kernel_options) t.row(ways, k.at, {say(k.name), say(k.value)});
  return t.done();
}

Json leftovers(const Facts& facts, const WayIndex& ways) {
  Table t("leftovers", "Leftovers", {"kind", "detail", "artifacts"},
          "What development, debugging and tests need, and a product does not.");
  for (const Leftover& l : facts.leftovers) t.row(ways, l.at, {say(l.kind), say(l.detail), l.count});
  return t.done();
}

Json encrypted(const Facts& facts, const WayIndex& ways) {
  Table t("encrypted", "Encrypted", {"scheme", "bytes"}, "Not examined: a key is needed.");
  for (const Encrypted& x : facts.encrypted) t.row(ways, x.at, {say(x.scheme), x.size});
  return t.done();
}

Json notes(const Facts& facts, const WayIndex& ways) {
  Table t("notes", "Container notes", {"format", "name", "value"}, "What the fields of containers say of themselves.");
  for (const FormatNote& n : facts.format_notes) t.row(ways, n.at, {say(n.format), say(n.name), say(n.value)});
  return t.done();
}

Json integrity(const Facts& facts, const WayIndex& ways) {
  Table t("integrity", "Checksums and signatures", {"format", "kind", "name", "algorithm", "state", "detail"},
          "What containers carry to protect themselves, and whether it holds.");
  for (const FormatIntegrity& i : facts.integrity)
    t.row(ways, i.at, {say(i.format), say(i.kind), say(i.name), say(i.algorithm), say(i.state), say(i.detail)});
  return t.done();
}

Json unknown_ranges(const Facts& facts, const WayIndex& ways) {
  Table t("unknown", "Unknown ranges",
          {"bytes", "looks like", "because", "entropy", "processor", "language", "nearest"},
          "What no format explains, and what it looks like.");
  for (const UnknownRange& u : facts.unknown_ranges)
    t.row(ways, u.at,
          {u.size, say(u.looks_like), say(u.at.shows), u.entropy / 1000.0, say(u.processor), say(u.language),
           say(u.nearest)});
  return t.done();
}

Json code(const Facts& facts, const WayIndex& ways) {
  Table t(
      "machine-code", "Machine code",
      {"processor", "functions", "instructions", "bytes", "undecodable", "indirect jumps", "resolved", "indirect calls",
       "of them resolved", "not read"},
      "How far the code of each program could be read. undecodable: bytes inside functions that are no instruction.");
  for (const CodeUnit& u : facts.code)
    t.row(ways, u.at,
          {say(u.processor), u.functions, u.instructions, u.bytes, u.undecodable, u.indirect_jumps,
           u.indirect_jumps_resolved, u.indirect_calls, u.indirect_calls_resolved, say(u.unread)});
  return t.done();
}

Json problems(const Facts& facts, const WayIndex& ways) {
  Table t("problems", "Problems", {"fault", "what"}, "What could not be read, and why. The rest was read.");
  for (const Problem& p : facts.problems)
    t.row(ways, {p.artifact, p.offset, 0, {}}, {std::string(name_of(p.fault)), say(p.what)});
  return t.done();
}

Json unread(const Examination& e, const WayIndex& ways) {
  Table t("unread", "Unread", {"kind", "bytes", "sha256"},
          "Parts that no format of this version knows, and files whose bytes could not be decoded.");
  for (const Artifact& a : e.artifacts)
    if (a.unread) t.row(ways, {a.way, 0, 0, {}}, {std::string(name_of(a.node.kind)), a.size, a.sha256.hex()});
  return t.done();
}

}  // namespace

Json page_tables(const Examination& e, const WayIndex& ways) {
  const Facts& f = e.facts;
  return Json::array(
      {problems(f, ways),    unread(e, ways),    encrypted(f, ways), services(f, ways),       accounts(f, ways),
       credentials(f, ways), keys(f, ways),      startup(f, ways),   components(f, ways),     hardening(f, ways),
       permissions(f, ways), firewall(f, ways),  web(f, ways),       routes(f, ways),         update(f, ways),
       boot(f, ways),        mounts(f, ways),    outbound(f, ways),  settings(f, ways),       kernel(f, ways),
       leftovers(f, ways),   integrity(f, ways), notes(f, ways),     unknown_ranges(f, ways), code(f, ways)});
}

}  // namespace assay::report
