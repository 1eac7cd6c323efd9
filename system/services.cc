// Programs that wait for the network, and shells on a line.
//
// From what starts by itself (analysis "startup") and the table of daemons (daemons.cc): arguments first, then the
// configuration file, then the daemon's documented default. A started program that the table does not know is a service
// when its code says that it listens (traits, see elf_facts.cc); whether it hands out a shell is read there too.
// Programs for remote access that nothing seen starts are stated with started = false.
#include "core/text.h"
#include "system/daemons.h"
#include "system/service_options.h"
#include "system/shell_walk.h"

#include <algorithm>
#include <set>

namespace assay::system::services {
namespace {

bool has(const std::vector<std::string>& sorted, std::string_view name) {
  return std::find(sorted.begin(), sorted.end(), name) != sorted.end();
}

bool is_login(std::string_view base) {
  return base == "login" || base == "sulogin" || base == "agetty" || base == "mgetty";
}

class Services {
 public:
  Services(Tree& tree, Facts& out) : tree_(tree), out_(out) {}

  void run() {
    for (const Startup& start : out_.startup) {
      const std::string_view base = base_name(start.program);
      inetd_runs_ |= (base == "inetd" || base == "xinetd" || base == "xinetd2") && runs_by_itself(start);
    }
    for (const Startup& start : out_.startup) {
      if (runs_by_itself(start)) read(start);
    }
    add_present();
  }

 private:
  static bool runs_by_itself(const Startup& start) {
    return start.event != "shutdown" && start.event != "ctrlaltdel" && start.event != "login";
  }

  int volume_at(const Startup& start) const {
    for (size_t i = 0; i < tree_.volumes().size(); ++i) {
      if (start.started_by.starts_with(tree_.volumes()[i].prefix)) return static_cast<int>(i);
    }
    return -1;
  }
  const Artifact* artifact_at(std::string_view way) {
    if (ways_.empty()) {
      for (const Artifact& artifact : tree_.artifacts()) ways_.emplace(artifact.way, &artifact);
    }
    const auto found = ways_.find(way);
    return found == ways_.end() ? nullptr : found->second;
  }

  void read(const Startup& start) {
    const std::string_view base = base_name(start.program);
    std::vector<std::string> arguments;
    for (const std::string_view word : words(start.arguments)) arguments.emplace_back(word);
    if (start.mechanism == "inetd" || start.mechanism == "xinetd") return read_connection(start, base, arguments);
    if (start.mechanism == "inittab" && read_line(start, base, arguments)) return;
    const Artifact* program = artifact_at(start.resolves_to);
    if (!program) return;                                   // nothing in the image answers to the name
    if (tree_.content(*program).starts_with("#!")) return;  // what the script starts is stated by itself
    if (base == "tcpsvd" || base == "udpsvd") return read_super(start, base, arguments);
    if (base == "nc" || base == "netcat" || base == "ncat") return read_netcat(start, arguments);
    if (base == "socat") return read_socat(start, arguments);
    const Daemon* daemon = daemon_of(base);
    if (daemon && serves(base, arguments))
      read_daemon(start, *daemon, base, arguments);
    else if (!daemon && !(base == "ntpd" && has_option(arguments, "-l")))
      read_code(start, base);
    else if (!daemon)
      add(made(start, "ntp", "udp", 123, "default of the program", Known::kNo));
  }

  // Programs of the table that only wait for the network when told so.
  static bool serves(std::string_view base, const std::vector<std::string>& arguments) {
    if (base == "iperf" || base == "iperf3") {
      return std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) {
        return a == "--server" || (a.size() > 1 && a[0] == '-' && a[1] != '-' && a.find('s') != std::string::npos);
      });
    }
    if (base == "epi_ttcp" || base == "ttcp") return has_option(arguments, "-r");
    if (base == "rsync") return has_option(arguments, "--daemon");
    if (base == "openvpn") return has_option(arguments, "--server") || has_option(arguments, "--mode");
    if (base == "sshd" || base == "telnetd") {  // "-i": one connection, for inetd; with a value it is an interface
      const auto at = std::find(arguments.begin(), arguments.end(), "-i");
      return at == arguments.end() || (at + 1 != arguments.end() && !(at + 1)->starts_with('-'));
    }
    return true;
  }

  static Service made(const Startup& start, std::string_view name, std::string_view protocol, uint16_t port,
                      std::string_view source, Known asks) {
    Service service{.name = std::string(name),
                    .program = std::string(base_name(start.program)),
                    .resolves_to = start.resolves_to,
                    .protocol = std::string(protocol),
                    .port = port,
                    .port_source = port == 0 ? "" : std::string(source),
                    .bind = "",
                    .interface = "",
                    .user = start.user,
                    .started_by = start.started_by,
                    .started = true,
                    .conditional = start.conditional || start.event == "device",
                    .asks_for_secret = asks,
                    .gives_shell = false,
                    .arguments = start.arguments,
                    .at = start.at};
    if (service.user == "root" && start.mechanism != "inetd" && start.mechanism != "xinetd") service.user.clear();
    if (service.program.starts_with('-')) service.program.erase(0, 1);
    if (!start.resolves_to.empty()) service.more.push_back({.artifact = start.resolves_to, .shows = start.program});
    return service;
  }

  void add(Service service) {
    const std::string key = service.name + "\n" + service.program + "\n" + service.protocol + "/" +
                            std::to_string(service.port) + "\n" + service.bind + "\n" + service.resolves_to +
                            (service.protocol == "serial" ? service.at.shows : "");
    if (const auto old = stated_.find(key); old != stated_.end()) {
      Service& first = out_.services[old->second];
      if (first.conditional && !service.conditional) first = std::move(service);  // the certain start tells more
      return;
    }
    stated_.emplace(key, out_.services.size());
    out_.services.push_back(std::move(service));
  }

  // What runs when a peer comes: a shell, a login program, a script that starts one of them.
  void set_shell(Service& service, int volume, std::string_view program) {
    const std::string_view base = base_name(program);
    const Artifact* found = tree_.find_program(volume, escape(program));
    if (is_shell_name(base)) {
      service.gives_shell = true;
      service.asks_for_secret = Known::kNo;
    } else if (is_login(base)) {
      service.asks_for_secret = Known::kYes;
    } else if (found && found->node.kind == Kind::kFile && tree_.content(*found).starts_with("#!")) {
      set_shell_of_script(service, *found);
    } else {
      service.asks_for_secret = Known::kUnknown;
    }
  }
  void set_shell_of_script(Service& service, const Artifact& script) {
    shell::Script parsed;
    shell::parse(tree_.content(script).text(), parsed);
    bool starts_shell = false, asks = false;
    std::vector<const shell::Node*> left;
    for (const shell::Node& node : parsed.commands) left.push_back(&node);
    for (size_t i = 0; i < left.size() && i < 10'000; ++i) {
      const shell::Node& node = *left[i];
      for (const auto* more : {&node.condition, &node.body, &node.otherwise})
        for (const shell::Node& one : *more) left.push_back(&one);
      for (const shell::Branch& branch : node.branches)
        for (const shell::Node& one : branch.body) left.push_back(&one);
      const size_t first = !node.words.empty() && node.words[0] == "exec" ? 1 : 0;
      if (node.words.size() <= first) continue;
      const std::string_view base = base_name(node.words[first]);
      const bool option_only = node.words.size() <= first + 1 || node.words[first + 1].starts_with('-');
      starts_shell |=
          is_shell_name(base) && option_only && (node.words.size() <= first + 1 || node.words[first + 1] != "-c");
      asks |= is_login(base) || base == "read" || base == "su";
    }
    service.gives_shell = starts_shell && !asks;
    service.asks_for_secret = starts_shell && !asks ? Known::kNo : Known::kUnknown;
    service.more.push_back(evidence_of(script, "the program that telnet hands its peers to"));
  }

  // A terminal line: inittab starts a shell, a login or a getty on it. False: the line starts something else.
  bool read_line(const Startup& start, std::string_view base, const std::vector<std::string>& arguments) {
    if (base.starts_with('-')) base.remove_prefix(1);
    const bool shell = is_shell_name(base), getty = base == "getty" || base == "agetty" || base == "mingetty";
    if (!shell && !getty && !is_login(base)) return false;
    if (shell && !arguments.empty() && !arguments[0].starts_with('-')) return false;
    if (start.event == "sysinit") return false;
    Service service = made(start, "serial-console", "serial", 0, "", Known::kYes);
    service.bind = start.when;
    if (getty) {
      for (const std::string& argument : arguments) {
        if (argument.starts_with("tty") || argument.starts_with("/dev/tty") || argument == "console")
          service.bind = argument;
      }
      const std::vector<std::string> login = option_values(arguments, "-l --login-program");
      if (!login.empty()) set_shell(service, volume_at(start), login.front());
      if (!option_values(arguments, "-a --autologin").empty() && base != "getty") {
        service.asks_for_secret = Known::kNo;
        service.gives_shell = true;
      }
    } else if (shell) {
      service.asks_for_secret = Known::kNo;
      service.gives_shell = true;
    } else if (has_option(arguments, "-f")) {  // login -f: already authenticated
      service.asks_for_secret = Known::kNo;
      service.gives_shell = true;
    }
    add(std::move(service));
    return true;
  }

  void read_connection(const Startup& start, std::string_view base, const std::vector<std::string>& arguments) {
    const size_t slash = start.when.find('/');
    const std::string protocol = start.when.substr(0, 3);
    const std::string named = slash == std::string::npos ? "" : start.when.substr(slash + 1);
    Endpoint endpoint = endpoint_of(named);
    if (endpoint.port == 0) endpoint.port = port_of_service(named.substr(named.rfind(':') + 1));
    const Daemon* daemon = daemon_of(base);
    std::string name = daemon ? std::string(daemon->service) : std::string(service_of_port(protocol, endpoint.port));
    if (name.empty()) name = base == "internal" ? named : std::string(base);
    Service service = made(start, name, protocol, endpoint.port, "inetd", daemon ? daemon->asks : Known::kUnknown);
    service.bind = endpoint.bind;
    if (base == "internal")
      service.asks_for_secret = Known::kNo;
    else if (start.resolves_to.empty())
      return;  // the program is not in the image
    service.started = inetd_runs_;
    if (is_shell_name(base)) set_shell(service, volume_at(start), start.program);
    if (daemon && daemon->service == "telnet") set_telnet(service, volume_at(start), arguments);
    add(std::move(service));
  }

  void set_telnet(Service& service, int volume, const std::vector<std::string>& arguments) {
    const std::vector<std::string> login = option_values(arguments, "-l -L");
    if (!login.empty()) set_shell(service, volume, login.front());
  }

  // tcpsvd [options] ADDRESS PORT PROGRAM …
  void read_super(const Startup& start, std::string_view base, const std::vector<std::string>& arguments) {
    size_t at = 0;
    while (at < arguments.size() && arguments[at].starts_with('-')) {
      const bool valued =
          arguments[at].size() == 2 && std::string_view("ucCbl").find(arguments[at][1]) != std::string_view::npos;
      at += valued ? 2 : 1;
    }
    if (at + 2 >= arguments.size()) return;
    const Endpoint endpoint = endpoint_of(arguments[at + 1]);
    std::vector<std::string> run(arguments.begin() + static_cast<std::ptrdiff_t>(at) + 2, arguments.end());
    run = unwrap(std::move(run));
    if (run.empty()) return;
    const Daemon* daemon = daemon_of(base_name(run[0]));
    Service service = made(start, daemon ? daemon->service : base_name(run[0]), base == "tcpsvd" ? "tcp" : "udp",
                           endpoint.port, "argument", daemon ? daemon->asks : Known::kUnknown);
    service.program = base_name(run[0]);
    service.bind = arguments[at] == "0" ? "" : arguments[at];
    const int volume = volume_at(start);
    if (const Artifact* found = tree_.find_program(volume, escape(run[0]))) service.resolves_to = found->way;
    if (is_shell_name(base_name(run[0]))) set_shell(service, volume, run[0]);
    if (daemon && daemon->service == "telnet") set_telnet(service, volume, run);
    add(std::move(service));
  }

  void read_netcat(const Startup& start, const std::vector<std::string>& arguments) {
    bool listens = false, udp = false;
    std::string port, runs;
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& argument = arguments[i];
      const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : "";
      if (argument.starts_with('-') && !argument.starts_with("--")) {
        listens |= argument.find_first_of("lL") != std::string::npos;
        udp |= argument.find('u') != std::string::npos;
        if (argument.ends_with('p')) port = next;
        if (argument.ends_with('e') || argument.ends_with('c')) runs = next;
      } else if (argument == "--listen") {
        listens = true;
      } else if (port.empty() && endpoint_of(argument).port != 0) {
        port = argument;
      }
    }
    if (!listens) return;
    Service service = made(start, "netcat", udp ? "udp" : "tcp", endpoint_of(port).port, "argument", Known::kNo);
    if (!runs.empty()) set_shell(service, volume_at(start), runs);
    add(std::move(service));
  }

  // socat TCP-LISTEN:4444,fork EXEC:/bin/sh,…
  void read_socat(const Startup& start, const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      const size_t sign = argument.find("-LISTEN:") != std::string::npos ? argument.find("-LISTEN:") + 8
                          : argument.starts_with("UDP-RECV")             ? argument.find(':') + 1
                                                                         : 0;
      if (sign == 0) continue;
      const std::string port = argument.substr(sign, argument.find(',', sign) - sign);
      const bool udp = argument.starts_with("UDP");
      Service service = made(start, "socat", udp ? "udp" : "tcp", endpoint_of(port).port, "argument", Known::kUnknown);
      for (const std::string& other : arguments) {
        if (!other.starts_with("EXEC:") && !other.starts_with("SYSTEM:")) continue;
        const std::string run = other.substr(other.find(':') + 1);
        set_shell(service, volume_at(start), run.substr(0, run.find_first_of(", '\"")));
      }
      return add(std::move(service));
    }
  }

  void read_daemon(const Startup& start, const Daemon& daemon, std::string_view base,
                   const std::vector<std::string>& arguments) {
    const int volume = volume_at(start);
    Service service = made(start, daemon.service, daemon.protocol, daemon.port, "default of the program", daemon.asks);
    if (daemon.service == "telnet") set_telnet(service, volume, arguments);
    const auto first = [&](std::string_view options) {
      const std::vector<std::string> values =
          options.empty() ? std::vector<std::string>{} : option_values(arguments, options);
      return values.empty() ? std::string() : values.front();
    };
    service.bind = first(daemon.bind_option);
    service.interface = first(daemon.interface_option);
    if (const std::string user = first(daemon.user_option); !user.empty()) service.user = user;
    const Artifact* configuration = configuration_of(tree_, volume, arguments, daemon.config_option, daemon.config);
    if (configuration) read_configuration(service, daemon, *configuration);
    if (base == "gdbserver" && !arguments.empty()) set_port(service, endpoint_of(arguments[0]), "argument");
    if (base == "uhttpd" && read_uhttpd(service, volume, arguments)) return;
    if (base == "dropbear" && option_values(arguments, "-p").empty()) read_dropbear(service, volume);
    if (daemon.service == "snmp" && !arguments.empty()) set_snmp(service, arguments.back());
    bool stated = false;
    for (const std::string& value :
         daemon.port_option.empty() ? std::vector<std::string>{} : option_values(arguments, daemon.port_option)) {
      Service one = service;
      if (!set_port(one, endpoint_of(value), "argument")) continue;
      add(std::move(one));
      stated = true;
    }
    const bool dhcp = base == "dnsmasq" && serves_dhcp(arguments, configuration);
    Service also = service;
    if (!stated && !(base == "dnsmasq" && service.port == 0 && service.port_source.empty())) add(std::move(service));
    if (!dhcp) return;
    also.name = "dhcp";
    also.port = 67;
    also.port_source = "default of the program";
    add(std::move(also));
  }

  static bool set_port(Service& service, const Endpoint& endpoint, std::string_view source) {
    if (endpoint.port == 0) return false;
    service.port = endpoint.port;
    service.port_source = source;
    if (!endpoint.bind.empty()) service.bind = endpoint.bind;
    return true;
  }

  void read_configuration(Service& service, const Daemon& daemon, const Artifact& file) {
    const std::string_view text = tree_.content(file).text();
    if (const Directive port = directive(text, daemon.port_key);
        port.found && set_port(service, endpoint_of(port.value), "configuration"))
      service.more.push_back(evidence_at(file, port.offset, port.line));
    if (const Directive bind = directive(text, daemon.bind_key); bind.found && service.bind.empty())
      service.bind = bind.value;
    if (const Directive user = directive(text, daemon.user_key); user.found && service.user.empty())
      service.user = user.value;
  }

  bool serves_dhcp(const std::vector<std::string>& arguments, const Artifact* configuration) {
    for (const std::string& argument : arguments) {
      if (argument == "-F" || argument.starts_with("--dhcp-range")) return true;
    }
    return configuration && directive(tree_.content(*configuration).text(), "dhcp-range").found;
  }

  void set_snmp(Service& service, std::string_view last) {
    if (last.starts_with("udp:") || last.starts_with("tcp:")) {
      service.protocol = last.substr(0, 3);
      set_port(service, endpoint_of(last.substr(4)), "argument");
    }
  }

  std::vector<UciSection> uci(int volume, std::string_view name, const Artifact*& file) {
    file = tree_.find(volume, "/etc/config/" + std::string(name));
    if (!file || file->node.kind != Kind::kFile) return {};
    return uci_sections(tree_.content(*file).text());
  }
  void read_dropbear(Service& service, int volume) {
    const Artifact* file = nullptr;
    for (const UciSection& section : uci(volume, "dropbear", file)) {
      for (const UciOption& option : section.options) {
        if (section.type != "dropbear" || option.name != "Port") continue;
        if (set_port(service, endpoint_of(option.value), "configuration"))
          service.more.push_back({.artifact = file->way,
                                  .offset = option.offset,
                                  .length = option.length,
                                  .shows = "option Port " + option.value});
      }
    }
  }
  // One service a listening address; true: all are stated.
  bool read_uhttpd(const Service& service, int volume, const std::vector<std::string>& arguments) {
    bool stated = false;
    const auto state = [&](std::string_view name, std::string_view address, std::string_view source,
                           const Evidence* at) {
      Service one = service;
      one.name = name;
      if (!set_port(one, endpoint_of(address), source)) return;
      if (at) one.more.push_back(*at);
      add(std::move(one));
      stated = true;
    };
    for (const std::string& value : option_values(arguments, "-p")) state("http", value, "argument", nullptr);
    for (const std::string& value : option_values(arguments, "-s")) state("https", value, "argument", nullptr);
    if (stated) return true;
    const Artifact* file = nullptr;
    for (const UciSection& section : uci(volume, "uhttpd", file)) {
      for (const UciOption& option : section.options) {
        const bool secure = option.name == "listen_https";
        if (!secure && option.name != "listen_http") continue;
        const Evidence at{.artifact = file->way,
                          .offset = option.offset,
                          .length = option.length,
                          .shows = option.name + " " + option.value};
        state(secure ? "https" : "http", option.value, "configuration", &at);
      }
    }
    return stated;
  }

  // A program no table knows: its code says that it listens.
  void read_code(const Startup& start, std::string_view base) {
    const Artifact* program = artifact_at(start.resolves_to);
    const Elf* elf = program ? tree_.elf(*program) : nullptr;
    if (!elf || has(elf->traits, "multi-call") || has(elf->traits, "command-interpreter")) return;
    const bool stream = has(elf->traits, "listens"), datagram = has(elf->traits, "listens-udp");
    if (!stream && !datagram) return;
    Service service = made(start, base, stream ? "tcp" : "udp", 0, "", Known::kUnknown);
    service.port_source = "code";
    const bool asks =
        has(elf->traits, "checks-password") || has(elf->traits, "asks-web-login") || has(elf->traits, "hands-to-login");
    const bool to_peer = has(elf->traits, "redirects-descriptors") || has(elf->traits, "opens-terminal");
    service.gives_shell = has(elf->traits, "starts-shell") && to_peer && !asks && executes_directly(*elf);
    if (service.gives_shell && !compares(*elf)) service.asks_for_secret = Known::kNo;
    std::string traits;
    for (const std::string& trait : elf->traits) traits += (traits.empty() ? "" : ", ") + trait;
    // Under another name than its own the file is many programs in one, and its traits may belong to another of them.
    if (!service.gives_shell && base_name(program->way) != base) return;
    service.more.clear();
    service.more.push_back(evidence_of(*program, "its code: " + traits));
    add(std::move(service));
  }
  // exec* by itself: the path of a shell is then no mere servant of system() and popen().
  static bool executes_directly(const Elf& elf) {
    if (elf.imports.empty()) return elf.is_static;
    for (const std::string_view name :
         {"execve", "execl", "execlp", "execle", "execv", "execvp", "execvpe", "posix_spawn"}) {
      if (has(elf.imports, name)) return !has(elf.traits, "runs-command-lines");
    }
    return false;
  }
  // Without a comparison or a hash there is no secret to ask for. Of a static program nothing is known.
  static bool compares(const Elf& elf) {
    if (elf.imports.empty()) return true;
    for (const std::string_view name :
         {"strcmp", "strncmp", "memcmp", "strcasecmp", "strncasecmp", "bcmp", "crypt", "strstr"}) {
      if (has(elf.imports, name)) return true;
    }
    return false;
  }

  void add_present() {
    std::set<std::string> started;
    for (const Service& service : out_.services) started.insert(service.program);
    for (const Startup& start : out_.startup) started.insert(std::string(base_name(start.program)));
    for (const Artifact& artifact : tree_.artifacts()) {
      const int volume = tree_.volume_of(artifact);
      if (volume < 0 || artifact.node.kind == Kind::kDirectory) continue;
      const std::string_view path = tree_.path_in_volume(artifact);
      const Daemon* daemon = daemon_of(base_name(path));
      if (!daemon || !daemon->remote_access || path.find("bin/") == std::string_view::npos) continue;
      const Artifact* program = tree_.find(volume, path);
      if (!program || program->node.kind != Kind::kFile || program->size == 0) continue;
      if (!started.insert(std::string(base_name(path))).second) continue;
      Service service{.name = std::string(daemon->service),
                      .program = std::string(base_name(path)),
                      .resolves_to = program->way,
                      .protocol = std::string(daemon->protocol),
                      .port = daemon->port,
                      .port_source = daemon->port == 0 ? "" : "default of the program",
                      .asks_for_secret = daemon->asks,
                      .at = evidence_of(artifact, std::string(path))};
      out_.services.push_back(std::move(service));
    }
  }

  Tree& tree_;
  Facts& out_;
  bool inetd_runs_ = false;
  std::map<std::string, size_t> stated_;
  std::map<std::string_view, const Artifact*> ways_;
};

void run(Tree& tree, Facts& out) { Services(tree, out).run(); }

}  // namespace

extern const TreeAnalysis kServices;
const TreeAnalysis kServices = {.id = "services", .version = 1, .run = run};

}  // namespace assay::system::services
