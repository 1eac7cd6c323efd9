// The kinds of facts: what analyses read out of bytes, each with its place, without opinion. Their field names are
// the keys of `facts` in the JSON report (docs/report.schema.json) and what checks and policies stand on.
//
// An analysis of one file leaves `at.artifact` empty; the engine sets it for every way under which the content lies.
// Strings hold raw bytes; reports escape them. "" and 0 mean "not known", unless said otherwise.
#pragma once
#include "core/artifact.h"

namespace assay {

// Where a claim can be seen.
struct Evidence {
  std::string artifact;  // way
  uint64_t offset = 0,
           length = 0;  // in the artifact's content; length 0: the artifact itself (its mode, its existence)
  std::string shows;    // the line, value or bytes as a person reads them; at most 200 characters
  FIELDS(v("artifact", s.artifact); v("offset", s.offset); v("length", s.length); v("shows", s.shows))
};

enum class Known : uint8_t { kUnknown, kNo, kYes };
std::string_view name_of(Known known);

struct Account {
  std::string name;
  std::optional<uint32_t> uid, gid;
  std::string home, shell;
  std::string source;       // passwd, shadow, htpasswd, nvram, uci, xml, json, program arguments ("arguments")
  std::string hash_kind;    // none (no field), empty, locked, des, bsdi, md5crypt, apr1, sha1, bcrypt, sha256crypt,
                            // sha512crypt, yescrypt, plain, other
  std::string hash;         // as stored; of kind plain: the password itself
  bool can_log_in = false;  // its shell is a shell, or the file needs none (htpasswd, web)
  std::string opened_by;    // the commonly known default password that opens it; with hash_kind empty it stays ""
  uint32_t tried = 0;       // candidates tried
  std::string not_tried;    // why candidates were left out: "rounds=999999999 exceed the budget"
  Evidence at;
  FIELDS(v("name", s.name); v("uid", s.uid); v("gid", s.gid); v("home", s.home); v("shell", s.shell);
         v("source", s.source); v("hash_kind", s.hash_kind); v("hash", s.hash); v("can_log_in", s.can_log_in);
         v("opened_by", s.opened_by); v("tried", s.tried); v("not_tried", s.not_tried); v("at", s.at))
};

struct Credential {     // a secret that is no login of the operating system
  std::string kind;     // snmp-community, wifi-psk, wep-key, wps-pin, tr069, web, ppp, samba, generic
  std::string name;     // the variable or element that holds it
  std::string account;  // user name beside it
  std::string value;
  std::string access;  // of SNMP: ro, rw
  Evidence at;
  FIELDS(v("kind", s.kind); v("name", s.name); v("account", s.account); v("value", s.value); v("access", s.access);
         v("at", s.at))
};

struct Key {
  std::string kind;       // private-key, public-key, certificate, authorized-key, certificate-request, dh-parameters
  std::string container;  // pem, der, openssh, dropbear, pkcs12
  std::string algorithm;  // rsa, dsa, ec, ed25519, x25519, dh, …
  uint32_t bits = 0;
  std::string curve;
  bool encrypted = false;   // asks for a passphrase
  std::string fingerprint;  // sha256 of the SubjectPublicKeyInfo (DER), hex; "" if not computable
  std::string subject, issuer, serial, signature_algorithm;
  std::optional<int64_t> not_before, not_after;  // seconds since 1970
  bool authority = false;                        // basicConstraints CA
  bool self_signed = false;
  Evidence at;
  FIELDS(v("kind", s.kind); v("container", s.container); v("algorithm", s.algorithm); v("bits", s.bits);
         v("curve", s.curve); v("encrypted", s.encrypted); v("fingerprint", s.fingerprint); v("subject", s.subject);
         v("issuer", s.issuer); v("serial", s.serial); v("signature_algorithm", s.signature_algorithm);
         v("not_before", s.not_before); v("not_after", s.not_after); v("authority", s.authority);
         v("self_signed", s.self_signed); v("at", s.at))
};

struct Startup {          // something that starts by itself
  std::string mechanism;  // inittab, rc-script, init.d, procd, systemd, inetd, xinetd, cron, hotplug, mdev, udev,
                          // android-init, kernel, profile
  std::string event;      // sysinit, boot, respawn, askfirst, shutdown, login, timer, device, connection, …
  std::string when;       // cron's time fields, the device pattern, the runlevels
  std::string user;
  std::string program;  // first word as written
  std::string arguments;
  std::string command;       // the whole line as written
  std::string resolves_to;   // way of the program, links followed; "" when it is not in the image
  std::string started_by;    // way of the script or table; at.artifact holds the line
  bool conditional = false;  // stands below an if, case or && whose outcome was not decided
  Evidence at;
  FIELDS(v("mechanism", s.mechanism); v("event", s.event); v("when", s.when); v("user", s.user);
         v("program", s.program); v("arguments", s.arguments); v("command", s.command); v("resolves_to", s.resolves_to);
         v("started_by", s.started_by); v("conditional", s.conditional); v("at", s.at))
};

struct Service {            // a program that waits for the network, or a shell on a line
  std::string name;         // the field's word: telnet, ssh, http, tftp, dns, dhcp, upnp, serial-console, …
  std::string program;      // base name as started
  std::string resolves_to;  // way of the program
  std::string protocol;     // tcp, udp, raw, serial
  uint16_t port = 0;        // 0: not known
  std::string port_source;  // argument, configuration, default of the program, inetd, code
  std::string bind;         // address as written; "" : not restricted or not known
  std::string interface;
  std::string user;        // "" : not stated, so the starter's (root at boot)
  std::string started_by;  // way of script or table, or "" where nothing in the image starts it
  bool started = false;    // something at boot, a timer or a connection starts it
  bool conditional = false;
  Known asks_for_secret = Known::kUnknown;  // login, password or key before it serves
  bool gives_shell = false;                 // hands a command interpreter to the peer
  std::string arguments;
  Evidence at;
  std::vector<Evidence> more;
  FIELDS(v("name", s.name); v("program", s.program); v("resolves_to", s.resolves_to); v("protocol", s.protocol);
         v("port", s.port); v("port_source", s.port_source); v("bind", s.bind); v("interface", s.interface);
         v("user", s.user); v("started_by", s.started_by); v("started", s.started); v("conditional", s.conditional);
         v("asks_for_secret", s.asks_for_secret); v("gives_shell", s.gives_shell); v("arguments", s.arguments);
         v("at", s.at); v("more", s.more))
};

struct Permission {  // a file whose mode, owner or capability matters
  std::string kind;  // setuid, setgid, capabilities, world-writable-file, world-writable-directory, device-node
  uint32_t mode = 0, uid = 0, gid = 0;
  std::string detail;  // capability names, or "char 5:1"
  Evidence at;
  FIELDS(v("kind", s.kind); v("mode", s.mode); v("uid", s.uid); v("gid", s.gid); v("detail", s.detail); v("at", s.at))
};

struct Setting {     // a value that configuration gives to the kernel or to a program
  std::string kind;  // sysctl, ssh, web, snmp, login, profile, samba, ftp, upnp, property, generic
  std::string name, value;
  Evidence at;
  FIELDS(v("kind", s.kind); v("name", s.name); v("value", s.value); v("at", s.at))
};

struct FirewallRule {
  std::string tool;                  // iptables, ip6tables, nft, uci, ebtables
  std::string table, chain, action;  // action: the target as written (ACCEPT, DROP, …)
  std::string protocol, port, source, interface;
  std::string rule;  // the whole rule as written
  Evidence at;
  FIELDS(v("tool", s.tool); v("table", s.table); v("chain", s.chain); v("action", s.action); v("protocol", s.protocol);
         v("port", s.port); v("source", s.source); v("interface", s.interface); v("rule", s.rule); v("at", s.at))
};

struct WebServer {
  std::string program;      // base name
  std::string resolves_to;  // way
  std::string root;         // way of the document root
  std::string user;         // as configured; "" : not stated
  Known runs_as_root = Known::kUnknown;
  Known directory_listing = Known::kUnknown;
  std::vector<std::string> cgi;  // ways of CGI programs and directories
  Evidence at;
  FIELDS(v("program", s.program); v("resolves_to", s.resolves_to); v("root", s.root); v("user", s.user);
         v("runs_as_root", s.runs_as_root); v("directory_listing", s.directory_listing); v("cgi", s.cgi); v("at", s.at))
};

struct WebRoute {
  std::string path;  // as a browser asks for it
  std::string kind;  // page, script, cgi, handler
  Known authenticated = Known::kUnknown;
  Evidence at;
  FIELDS(v("path", s.path); v("kind", s.kind); v("authenticated", s.authenticated); v("at", s.at))
};

struct Component {
  std::string name, version;
  std::string purl;  // package-url; pkg:generic/… where no registry knows it
  std::string how;   // dpkg, opkg, rpm, apk, version-string, kernel, bootloader
  std::string architecture;
  Evidence at;
  FIELDS(v("name", s.name); v("version", s.version); v("purl", s.purl); v("how", s.how);
         v("architecture", s.architecture); v("at", s.at))
};

struct KernelOption {
  std::string name, value;  // CONFIG_…: y, m, n, or the text
  Evidence at;
  FIELDS(v("name", s.name); v("value", s.value); v("at", s.at))
};

struct Boot {        // how the device boots and is changed
  std::string kind;  // bootdelay, bootcmd, bootargs, environment, console, verified-boot-key, image-signature,
                     // image-hash, dm-verity, module-signing, init
  std::string name, value;
  Evidence at;
  FIELDS(v("kind", s.kind); v("name", s.name); v("value", s.value); v("at", s.at))
};

struct Update {           // how software gets onto the device
  std::string kind;       // url, program, script, verification-key, signature-check, checksum-check, flash-write
  std::string value;      // the URL, the command, the key's fingerprint
  std::string transport;  // http, https, ftp, tftp, local
  Known verified = Known::kUnknown;  // a signature is checked before it is written
  Evidence at;
  FIELDS(v("kind", s.kind); v("value", s.value); v("transport", s.transport); v("verified", s.verified); v("at", s.at))
};

struct Outbound {      // a name or address that the device may talk to
  std::string kind;    // url, host, ipv4, ipv6, email
  std::string value;   // as written
  std::string scheme;  // http, https, ntp, …
  std::string host;
  uint16_t port = 0;
  Evidence at;
  FIELDS(v("kind", s.kind); v("value", s.value); v("scheme", s.scheme); v("host", s.host); v("port", s.port);
         v("at", s.at))
};

struct Mount {
  std::string source, target, type, options;
  Evidence at;
  FIELDS(v("source", s.source); v("target", s.target); v("type", s.type); v("options", s.options); v("at", s.at))
};

struct Elf {
  std::string machine;  // mips, arm, aarch64, x86, x86-64, ppc, ppc64, riscv, …
  uint32_t bits = 0;
  std::string byte_order;             // little, big
  std::string type;                   // executable, shared, relocatable, core
  bool position_independent = false;  // PIE or a shared object
  bool is_program = false;            // has an interpreter or an entry and is no library
  bool is_static = false;
  std::string interpreter, soname;
  bool stripped = false;
  Known nx = Known::kUnknown;  // the stack is not executable
  std::string relro;           // none, partial, full; "" : does not apply (static, relocatable)
  Known canary = Known::kUnknown;
  Known fortify = Known::kUnknown;  // yes: imports a _chk function; no: imports only the unchecked ones
  std::vector<std::string> rpath, runpath, needed;
  std::vector<std::string> imports,
      exports;  // dynamic symbols, sorted; exports of shared objects only, at most 4096 each
  std::vector<std::string>
      traits;  // what the file can do, read from imports, strings and system calls: see system/elf_facts.cc
  Evidence at;
  FIELDS(v("machine", s.machine); v("bits", s.bits); v("byte_order", s.byte_order); v("type", s.type);
         v("position_independent", s.position_independent); v("is_program", s.is_program); v("is_static", s.is_static);
         v("interpreter", s.interpreter); v("soname", s.soname); v("stripped", s.stripped); v("nx", s.nx);
         v("relro", s.relro); v("canary", s.canary); v("fortify", s.fortify); v("rpath", s.rpath);
         v("runpath", s.runpath); v("needed", s.needed); v("imports", s.imports); v("exports", s.exports);
         v("traits", s.traits); v("at", s.at))
};

struct Leftover {    // a file of development, debugging or test that a product does not need
  std::string kind;  // source, object, version-control, core-dump, editor, debugger, compiler, test, emulation,
                     // script-debug, sample
  std::string detail;
  Evidence at;
  std::vector<Evidence> more;
  uint64_t count = 1;  // artifacts it stands for
  FIELDS(v("kind", s.kind); v("detail", s.detail); v("at", s.at); v("more", s.more); v("count", s.count))
};

struct Encrypted {     // bytes that cannot be examined without a key
  std::string scheme;  // what it looks like, with the ground for saying so
  uint64_t size = 0;
  Evidence at;
  FIELDS(v("scheme", s.scheme); v("size", s.size); v("at", s.at))
};

struct FormatNote {  // what a container's own fields say
  std::string format, name, value;
  Evidence at;
  FIELDS(v("format", s.format); v("name", s.name); v("value", s.value); v("at", s.at))
};

struct FormatIntegrity {  // a checksum, signature or hash tree of a container (Integrity says what the words mean)
  std::string format, kind, name, algorithm, state, detail, key;
  Evidence at;
  FIELDS(v("format", s.format); v("kind", s.kind); v("name", s.name); v("algorithm", s.algorithm); v("state", s.state);
         v("detail", s.detail); v("key", s.key); v("at", s.at))
};

struct Opened {  // encrypted, but opened with a key or password that is public
  std::string format, scheme, key;
  Evidence at;
  FIELDS(v("format", s.format); v("scheme", s.scheme); v("key", s.key); v("at", s.at))
};

struct UnknownRange {  // bytes that no format explains, and what they look like
  uint64_t size = 0;
  uint32_t entropy = 0;     // thousandths of a bit a byte, 0..8000
  uint64_t chi_square = 0;  // against equal frequencies, 255 degrees of freedom
  uint32_t period = 0;      // bytes after which blocks repeat more than chance allows; 0: none seen
  std::string looks_like;   // random, text, code, tables, repeating-key, block-cipher-ecb, data
  std::string language;     // of its strings, ISO 639-1; "" not known
  std::string processor;    // whose instructions it holds; "" none recognised
  std::optional<uint64_t> load_address;
  std::string nearest;  // format id whose magic stands near its start, and why it refused
  Evidence at;
  FIELDS(v("size", s.size); v("entropy", s.entropy); v("chi_square", s.chi_square); v("period", s.period);
         v("looks_like", s.looks_like); v("language", s.language); v("processor", s.processor);
         v("load_address", s.load_address); v("nearest", s.nearest); v("at", s.at))
};

struct CodeUnit {         // machine code of one program or image, and how far it could be read
  std::string processor;  // mips32-be, mips32-le, mips64-be, mips64-le, arm, aarch64, x86, x86-64, ppc32, riscv64, …
  uint64_t functions = 0, instructions = 0;
  uint64_t bytes = 0;        // executable
  uint64_t undecodable = 0;  // bytes inside functions that are no instruction
  uint64_t indirect_jumps = 0, indirect_jumps_resolved = 0;
  uint64_t indirect_calls = 0, indirect_calls_resolved = 0;
  std::string unread;  // why not all of it was read; "" all was
  Evidence at;
  FIELDS(v("processor", s.processor); v("functions", s.functions); v("instructions", s.instructions);
         v("bytes", s.bytes); v("undecodable", s.undecodable); v("indirect_jumps", s.indirect_jumps);
         v("indirect_jumps_resolved", s.indirect_jumps_resolved); v("indirect_calls", s.indirect_calls);
         v("indirect_calls_resolved", s.indirect_calls_resolved); v("unread", s.unread); v("at", s.at))
};

struct FileType {           // what a stored file is, beside the formats that unpack
  std::string type;         // elf, script, text, html, javascript, css, json, xml, png, …, data
  std::string interpreter;  // of a script
  Evidence at;
  FIELDS(v("type", s.type); v("interpreter", s.interpreter); v("at", s.at))
};

struct Facts {
  std::vector<Account> accounts;
  std::vector<Credential> credentials;
  std::vector<Key> keys;
  std::vector<Startup> startup;
  std::vector<Service> services;
  std::vector<Permission> permissions;
  std::vector<Setting> settings;
  std::vector<FirewallRule> firewall;
  std::vector<WebServer> web_servers;
  std::vector<WebRoute> web_routes;
  std::vector<Component> components;
  std::vector<KernelOption> kernel_options;
  std::vector<Boot> boot;
  std::vector<Update> update;
  std::vector<Outbound> outbound;
  std::vector<Mount> mounts;
  std::vector<Elf> elf;
  std::vector<Leftover> leftovers;
  std::vector<Encrypted> encrypted;
  std::vector<FormatNote> format_notes;
  std::vector<FormatIntegrity> integrity;
  std::vector<Opened> opened;
  std::vector<UnknownRange> unknown_ranges;
  std::vector<CodeUnit> code;
  std::vector<FileType> file_types;
  std::vector<Problem> problems;
  FIELDS(v("accounts", s.accounts); v("credentials", s.credentials); v("keys", s.keys); v("startup", s.startup);
         v("services", s.services); v("permissions", s.permissions); v("settings", s.settings);
         v("firewall", s.firewall); v("web_servers", s.web_servers); v("web_routes", s.web_routes);
         v("components", s.components); v("kernel_options", s.kernel_options); v("boot", s.boot); v("update", s.update);
         v("outbound", s.outbound); v("mounts", s.mounts); v("elf", s.elf); v("leftovers", s.leftovers);
         v("encrypted", s.encrypted); v("format_notes", s.format_notes); v("integrity", s.integrity);
         v("opened", s.opened); v("unknown_ranges", s.unknown_ranges); v("code", s.code); v("file_types", s.file_types);
         v("problems", s.problems))
};

}  // namespace assay
