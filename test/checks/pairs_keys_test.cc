// Pairs of the checks on encrypted parts, firewall, keys, leftovers, mounts, outbound names, passwords and privileges.
#include "test/checks/pairs.h"

namespace assay::checks::test {
namespace {

Key key(std::string kind, std::string file) {
  return {.kind = std::move(kind),
          .container = "pem",
          .algorithm = "rsa",
          .bits = 2048,
          .fingerprint = "00112233445566778899",
          .subject = "root@build",
          .at = at(std::move(file), "-----BEGIN")};
}
Case keys(std::vector<Key> list) { return {.facts = {.keys = std::move(list)}}; }

Case firewall(FirewallRule rule) {
  rule.tool = "iptables";
  rule.table = "filter";
  rule.action = "ACCEPT";
  rule.at = at("etc/acme/firewall.sh", rule.rule);
  return {.facts = {.firewall = {std::move(rule)}}};
}

Case leftover(std::string kind) {
  return {.facts = {.leftovers = {{.kind = std::move(kind), .detail = "gdb", .at = at("usr/bin/acme-gdb", "gdb")}}}};
}

Case mount(std::string options) {
  return {.facts = {.mounts = {{.source = "/dev/sda1",
                                .target = "/mnt/usb",
                                .type = "vfat",
                                .options = std::move(options),
                                .at = at("etc/fstab", "/dev/sda1")}}}};
}

Case outbound(std::string_view declared) {
  Declaration d;
  d.has_communications = true;
  d.communications.push_back({.name = std::string(declared)});
  return {.facts = {.outbound = {{.kind = "url",
                                  .value = "http://fw.vendor.example/u",
                                  .scheme = "http",
                                  .host = "fw.vendor.example",
                                  .port = 80,
                                  .at = at("bin/acmed", "http://fw")}}},
          .declaration = d};
}

Case account(std::string hash_kind, std::string hash) {
  return {.facts = {.accounts = {{.name = "admin",
                                  .source = "xml",
                                  .hash_kind = std::move(hash_kind),
                                  .hash = std::move(hash),
                                  .can_log_in = true,
                                  .at = at("etc/acme.xml", "admin")}}}};
}

Case permission(std::string kind, uint32_t mode, std::string detail = "") {
  return {.facts = {.permissions = {{.kind = std::move(kind),
                                     .mode = mode,
                                     .detail = std::move(detail),
                                     .at = at("usr/bin/acme-diag", "mode")}}}};
}

Case web_server_as(Known root) {
  return {.facts = {.web_servers = {{.program = "httpd", .runs_as_root = root, .at = at("etc/rcS", "httpd")}}}};
}

}  // namespace

std::vector<Pair> key_pairs() {
  return {
      {"encrypted.not_examined",
       {.facts = {.encrypted = {{.scheme = "AES, by its header", .size = 6 << 20, .at = {.shows = "enc"}}}}},
       {}},
      {"firewall.accept_all", firewall({.chain = "INPUT", .rule = "iptables -A INPUT -j ACCEPT"}),
       firewall({.chain = "INPUT", .interface = "lo", .rule = "iptables -A INPUT -i lo -j ACCEPT"})},
      {"firewall.wan_management",
       firewall({.chain = "INPUT", .protocol = "tcp", .port = "23", .interface = "wan0", .rule = "-i wan0 --dport 23"}),
       firewall({.chain = "INPUT", .protocol = "tcp", .port = "23", .interface = "br0", .rule = "-i br0 --dport 23"})},
      {"image.documented_key",
       {.facts =
            {.opened = {{.format = "shrs", .scheme = "aes-128-cbc", .key = "published", .at = {.shows = "SHRS"}}}}},
       {.facts = {.encrypted = {{.scheme = "AES-128-CBC, no key", .size = 6 << 20, .at = {.shows = "SHRS"}}}}}},
      {"key.authorized_key", keys({key("authorized-key", "root/.ssh/authorized_keys")}),
       keys({key("public-key", "root/.ssh/authorized_keys")})},
      {"key.private_in_image", keys({key("private-key", "etc/acme.key")}), keys({key("certificate", "etc/acme.key")})},
      {"key.shared", keys({key("private-key", "etc/acme.key"), key("private-key", "etc/ssh/host.key")}),
       keys({key("private-key", "etc/acme.key"), key("certificate", "etc/acme.crt")})},
      {"key.weak", keys({with(key("certificate", "etc/acme.crt"), [](auto& k) { k.bits = 1024; })}),
       keys({key("certificate", "etc/acme.crt")})},
      {"leftover.development", leftover("debugger"), leftover("emulation")},
      {"leftover.emulation", leftover("emulation"), leftover("debugger")},
      {"mount.options", mount("rw,nosuid"), mount("rw,nosuid,nodev,noexec")},
      {"outbound.undeclared", outbound("*.other.example"), outbound("*.vendor.example")},
      {"password.plain", account("plain", "1234"), account("bcrypt", "$2b$10$x")},
      {"password.weak_hash", account("md5crypt", "$1$a$b"), account("sha512crypt", "$6$a$b")},
      {"privilege.capabilities", permission("capabilities", 0755, "sys_admin+ep"), permission("device-node", 0755)},
      {"privilege.setuid", permission("setuid", 04755), permission("device-node", 0755)},
      {"privilege.web_server_root", web_server_as(Known::kYes), web_server_as(Known::kUnknown)},
      {"privilege.world_writable", permission("world-writable-directory", 0777),
       permission("world-writable-directory", 01777)},
  };
}

}  // namespace assay::checks::test
