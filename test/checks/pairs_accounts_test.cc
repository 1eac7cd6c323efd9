// Pairs of the checks on accounts, boot, certificates, components, credentials and ELF files.
#include "test/checks/pairs.h"

namespace assay::checks::test {
namespace {

Account root() {
  return {.name = "root",
          .uid = 0,
          .gid = 0,
          .home = "/root",
          .shell = "/bin/sh",
          .source = "passwd",
          .hash_kind = "sha512crypt",
          .hash = "$6$a$b",
          .can_log_in = true,
          .at = at("etc/acme/passwd", "root:$6$a$b:0:0:root:/root:/bin/sh")};
}
Account admin(std::optional<uint32_t> uid) {
  return with(root(), [&](Account& a) {
    a.name = "admin";
    a.uid = uid;
    a.at.offset = 40;
    a.at.shows = "admin";
  });
}
Case accounts(std::vector<Account> list) { return {.facts = {.accounts = std::move(list)}}; }

Case predefined(std::string_view declared) {
  Declaration d;
  d.has_accounts = true;
  d.accounts.push_back({.name = std::string(declared)});
  return {.facts = {.accounts = {root()}}, .declaration = d};
}

Case root_over_telnet(bool limited) {
  Facts f;
  f.accounts = {root()};
  f.services = {{.name = "telnet",
                 .program = "telnetd",
                 .protocol = "tcp",
                 .port = 23,
                 .started_by = "squashfs/etc/rcS",
                 .started = true,
                 .asks_for_secret = Known::kYes,
                 .at = at("etc/rcS", "telnetd")}};
  if (limited)
    f.settings = {{.kind = "login", .name = "securetty", .value = "ttyS0", .at = at("etc/securetty", "ttyS0")}};
  return {.facts = f};
}

Case boot(std::string kind, std::string name, std::string value) {
  return {.facts = {.boot = {{.kind = std::move(kind),
                              .name = std::move(name),
                              .value = std::move(value),
                              .at = {.artifact = "uimage/acme-kernel", .shows = "x"}}}}};
}
Case hashed(bool is_signed) {
  Case c = boot("image-hash", "sha256", "sha256,0011");
  if (is_signed)
    c.facts.boot.push_back({.kind = "image-signature", .name = "sha256,rsa2048", .at = c.facts.boot[0].at});
  return c;
}

Case certificate(int64_t until) {
  return {.facts = {.keys = {{.kind = "certificate",
                              .container = "pem",
                              .algorithm = "rsa",
                              .bits = 2048,
                              .subject = "CN=router",
                              .not_before = 0,
                              .not_after = until,
                              .at = at("etc/acme/server.crt", "-----BEGIN CERTIFICATE-----")}}}};
}

Case component(std::string name, std::string version) {
  return {.facts = {.components = {{.name = std::move(name),
                                    .version = std::move(version),
                                    .how = "version-string",
                                    .at = at("usr/lib/libacme.so", "version")}}}};
}
Case busybox(std::string_view declared_version) {
  Case c = component("BusyBox", "1.19.4");
  c.declaration.emplace();
  c.declaration->has_software = true;
  c.declaration->software.push_back({.name = "busybox", .version = std::string(declared_version)});
  return c;
}

Case credential(std::string kind, std::string name, std::string value, std::string access = "") {
  return {.facts = {.credentials = {{.kind = std::move(kind),
                                     .name = std::move(name),
                                     .value = std::move(value),
                                     .access = std::move(access),
                                     .at = at("etc/acme.conf", "line")}}}};
}

Elf httpd() {
  return {.machine = "mips",
          .bits = 32,
          .type = "executable",
          .position_independent = true,
          .is_program = true,
          .nx = Known::kYes,
          .relro = "full",
          .canary = Known::kYes,
          .fortify = Known::kYes,
          .traits = {"listens"},
          .at = at("usr/sbin/acmed", "ELF")};
}
Case elf(Elf e) { return {.facts = {.elf = {std::move(e)}}}; }

}  // namespace

std::vector<Pair> account_pairs() {
  return {
      {"account.default_password", accounts({with(root(), [](auto& a) { a.opened_by = "admin"; })}),
       accounts({root()})},
      {"account.duplicate_uid", accounts({root(), admin(0)}), accounts({root(), admin(1)})},
      {"account.empty_password", accounts({with(root(), [](auto& a) { a.hash_kind = "empty"; })}),
       accounts({with(root(), [](auto& a) { a.hash_kind = "locked"; })})},
      {"account.predefined", predefined("operator"), predefined("root")},
      {"account.root_login_remote", root_over_telnet(false), root_over_telnet(true)},
      {"boot.console_shell", boot("bootargs", "bootargs", "console=ttyS0,115200 init=/bin/sh"),
       boot("bootargs", "bootargs", "console=ttyS0,115200 init=/sbin/init")},
      {"boot.interruptible", boot("bootdelay", "bootdelay", "3"), boot("bootdelay", "bootdelay", "0")},
      {"boot.unverified", hashed(false), hashed(true)},
      {"certificate.expired", certificate(kAsOfSeconds - 1), certificate(kAsOfSeconds)},
      {"component.undeclared", busybox("1.36.1"), busybox("1.19.4")},
      {"component.unsupported", component("openssl", "1.0.2k"), component("openssl", "3.5.1")},
      {"credential.default_snmp", credential("snmp-community", "rwcommunity", "private", "rw"),
       credential("snmp-community", "rwcommunity", "7Hs0aq2", "rw")},
      {"credential.hard_coded", credential("tr069", "ConnectionRequestPassword", "s3cret"),
       credential("tr069", "ConnectionRequestPassword", "")},
      {"credential.wifi_or_wps_default", credential("wps-pin", "wps_pin", "12345670"),
       credential("ppp-name", "wps_pin", "12345670")},
      {"elf.no_overflow_protection", elf(with(httpd(), [](auto& e) { e.canary = Known::kNo; })), elf(httpd())},
      {"elf.rpath", elf(with(httpd(), [](auto& e) { e.rpath = {"/usr/lib:/tmp/lib"}; })),
       elf(with(httpd(), [](auto& e) { e.rpath = {"/usr/lib:$ORIGIN/../lib"}; }))},
  };
}

}  // namespace assay::checks::test
