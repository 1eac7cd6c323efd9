// The part of the walker that states facts: which script starts which program, with what arguments, on what condition;
// and the commands of OpenWrt's script library (https://openwrt.org/docs/techref/initscripts, procd-init-scripts) whose
// meaning is a start: service_start, procd_set_param, config_foreach.
#include "core/text.h"
#include "system/daemons.h"
#include "system/shell_walk.h"

#include <algorithm>
#include <array>

namespace assay::system {
namespace {

constexpr size_t kMaximumFacts = 8192;
constexpr uint32_t kMaximumAtOnePlace = 8;
constexpr int kMaximumScripts = 12;  // scripts that start scripts

// Commands that do their work and end: not stated as starts. Names of POSIX utilities, busybox applets and util-linux.
// clang-format off
constexpr auto kUtilities = std::to_array<std::string_view>({  // sorted
    "[", "[[", "addgroup", "adduser", "alias", "arp", "awk", "basename", "bg", "blockdev", "brctl", "break", "cat",
    "chattr", "chgrp", "chmod", "chown", "clear", "cmp", "command", "continue", "cp", "cut", "date", "dd", "deluser",
    "depmod", "df", "diff", "dirname", "dmesg", "du", "ebtables", "echo", "egrep", "env", "ether-wake", "ethtool",
    "expr", "fdisk", "fg", "fgrep", "find", "firstboot", "flock", "free", "fsck", "fsck.ext4", "fw_printenv",
    "fw_setenv", "getopt", "grep", "gunzip", "gzip", "halt", "hash", "head", "hexdump", "hostname", "hwclock", "id",
    "ifconfig", "ifdown", "ifup", "insmod", "install", "ip", "ip6tables", "iptables", "iptables-restore",
    "iptables-save", "iw", "iwconfig", "iwpriv", "jobs", "kill", "killall", "killall5", "ldconfig", "let", "ln",
    "loadkmap", "lock", "logger", "logname", "losetup", "ls", "lsmod", "lsusb", "lzma", "md5sum", "mesg", "mkdir",
    "mkfifo", "mkfs.ext4", "mknod", "mkswap", "mktemp", "modprobe", "mount_root", "mountpoint", "mtd", "mv", "nameif",
    "netstat", "nft", "nslookup", "nvram", "passwd", "pgrep", "pidof", "ping", "ping6", "pivot_root", "pkill", "popd",
    "poweroff", "print", "printf", "ps", "pushd", "pwd", "readlink", "reboot", "renice", "reset", "rm", "rmdir",
    "rmmod", "route", "sed", "seq", "sha256sum", "shutdown", "sleep", "sort", "stat", "strings", "stty", "sulogin",
    "swapoff", "swapon", "switch_root", "sync", "sysctl", "tail", "tar", "tc", "tee", "test", "time", "times",
    "touch", "tr", "trap", "tty", "type", "ubiattach", "uci", "ulimit", "umask", "umount", "uname", "uniq", "unzip",
    "uptime", "usleep", "vconfig", "vi", "wait", "wc", "which", "who", "whoami", "wlconf", "xargs", "xz", "yes",
    "zcat",
});
// clang-format on
static_assert(std::ranges::is_sorted(kUtilities));

bool is_utility(std::string_view base) { return std::ranges::binary_search(kUtilities, base); }

// Arguments of init scripts that start nothing.
bool asks_or_stops(std::string_view action) {
  return action == "stop" || action == "enabled" || action == "enable" || action == "disable" || action == "status" ||
         action == "disabled" || action == "running";
}

std::string joined(const std::vector<std::string>& words, size_t from) {
  std::string text;
  for (size_t i = from; i < words.size() && text.size() < 1024; ++i) text += (i > from ? " " : "") + words[i];
  return text;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The words after "#!" of a script.
std::vector<std::string_view> interpreter_of(std::string_view content) {
  if (!content.starts_with("#!")) return {};
  return words(first_line(content.substr(2)));
}

size_t skip_options(const std::vector<std::string>& words, size_t at, std::string_view with_value) {
  while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
    const std::string& option = words[at++];
    if (option == "--") break;
    if (option.size() == 2 && with_value.find(option[1]) != std::string_view::npos) ++at;
  }
  return at;
}

// start-stop-daemon -S -x PROGRAM … -- ARGUMENTS (busybox and dpkg); {}: it stops something.
std::vector<std::string> of_start_stop_daemon(const std::vector<std::string>& words) {
  std::vector<std::string> run;
  bool starts = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      run.insert(run.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    const bool letters = word.size() > 1 && word[0] == '-' && word[1] != '-';
    if (word == "--start" || (letters && word.find('S') != std::string::npos)) starts = true;
    const bool program =
        word == "--exec" || word == "--startas" || (letters && (word.back() == 'x' || word.back() == 'a'));
    if (program && i + 1 < words.size()) {
      if (run.empty()) run.push_back(words[i + 1]);
      ++i;
    } else if (word.starts_with("--exec=")) {
      run.insert(run.begin(), word.substr(7));
    }
  }
  return starts ? run : std::vector<std::string>{};
}

}  // namespace

std::string_view base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

bool is_shell_name(std::string_view base) {
  if (base.starts_with('-')) base.remove_prefix(1);
  constexpr std::array<std::string_view, 11> kShells{"sh",   "ash", "bash", "dash", "hush", "msh",
                                                     "lash", "ksh", "zsh",  "csh",  "mksh"};
  return std::find(kShells.begin(), kShells.end(), base) != kShells.end();
}

std::vector<std::string> unwrap(std::vector<std::string> words) {
  for (int turn = 0; turn < 8 && !words.empty(); ++turn) {
    const std::string base(base_name(words[0]));
    size_t from = 0;
    if (base == "start-stop-daemon") {
      words = of_start_stop_daemon(words);
      continue;
    }
    if (base == "exec" || base == "setsid" || base == "command" || base == "builtin")
      from = skip_options(words, 1, "a");
    else if (base == "nohup" || base == "service_start" || base == "time" || base == "busybox")
      from = 1;
    else if (base == "nice")
      from = skip_options(words, 1, "n");
    else if (base == "ionice")
      from = skip_options(words, 1, "cnp");
    else if (base == "softlimit" || base == "chpst")
      from = skip_options(words, 1, "acdfmortpsuU");
    else if (base == "chroot")
      from = 2;
    else if (base == "timeout")
      from = skip_options(words, 1, "tsk") + 1;
    else if (base == "daemon" || base == "daemonize")
      from = skip_options(words, 1, "nPceolu");
    else if (base == "env") {
      from = skip_options(words, 1, "u");
      while (from < words.size() && words[from].find('=') != std::string::npos) ++from;
    } else if (is_shell_name(base) && words.size() > 1 && words[1] != "-c") {
      const size_t script = skip_options(words, 1, "o");
      if (script >= words.size()) return words;
      from = script;
    } else {
      return words;
    }
    if (from >= words.size()) return base == "busybox" ? words : std::vector<std::string>{};
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(from));
  }
  return words;
}

bool StartWalker::is_script(const Artifact& artifact) const {
  if (artifact.node.kind != Kind::kFile || artifact.size == 0) return false;
  const std::string_view content = tree_.content(artifact).text();
  const std::vector<std::string_view> interpreter = interpreter_of(content);
  if (!interpreter.empty()) {
    if (is_shell_name(base_name(interpreter[0]))) return true;
    const bool through_env = base_name(interpreter[0]) == "env" || base_name(interpreter[0]) == "busybox";
    return through_env && interpreter.size() > 1 && is_shell_name(interpreter[1]);
  }
  // The kernel refuses a file without "#!", and the shell that tried to start it reads it itself.
  const std::string_view head = content.substr(0, 512);
  return !head.empty() && !head.starts_with('<') && !head.starts_with('{') && looks_like_text(head);
}

Evidence StartWalker::place(const Process& p, const shell::Node& node) const {
  if (p.inside) return *p.inside;
  if (!p.here || !p.here->artifact) return {};
  return evidence_at(*p.here->artifact, node.offset,
                     std::string_view(p.here->script.text).substr(node.offset, node.length));
}

const Artifact* StartWalker::program(const Process& p, std::string_view name) const {
  if (p.volume < 0 || name.empty()) return nullptr;
  const std::string escaped = escape(name);
  if (name.starts_with('/')) return tree_.find(p.volume, escaped);
  if (name.find('/') != std::string_view::npos)
    return p.folder.empty() ? nullptr : tree_.find(p.volume, escape(p.folder) + "/" + escaped);
  if (const auto path = p.variables.find("PATH"); path != p.variables.end() && path->second.known) {
    for (const std::string_view folder : split(path->second.text, ':')) {
      if (!folder.starts_with('/')) continue;
      const Artifact* found = tree_.find(p.volume, escape(folder) + "/" + escaped);
      if (found && found->node.kind == Kind::kFile) return found;
    }
  }
  return tree_.find_program(p.volume, escaped);
}

void StartWalker::launch(Process& p, const shell::Node& node, const std::vector<Word>& words) {
  std::vector<std::string> plain;
  for (const Word& word : words) plain.push_back(word.text);
  if (!words[0].known && !is_daemon(base_name(plain[0]))) return;
  const Evidence at = place(p, node);
  std::string_view line;
  if (!p.inside && p.here) line = std::string_view(p.here->script.text).substr(node.offset, node.length);
  emit(p, std::move(plain), line.empty() ? std::string_view(at.shows) : line, at, p.conditional);
}

// A command of a script: stated when it is no mere utility and something in the image answers to it.
void StartWalker::emit(const Process& p, std::vector<std::string> words, std::string_view command, Evidence at,
                       bool conditional) {
  StartContext context = p.context;
  context.conditional |= conditional;
  const std::string multi_call = !words.empty() && base_name(words[0]) == "busybox" ? words[0] : std::string();
  words = unwrap(std::move(words));
  if (words.empty() || words[0].empty()) return;
  if (is_shell_name(base_name(words[0])) && words.size() > 2 && words[1] == "-c")
    return run_text(p.volume, context, words[2], std::move(at));
  const std::string base(base_name(words[0]));
  if (is_utility(base)) return;
  const Artifact* found = program(p, words[0]);
  if (!found && !multi_call.empty()) found = program(p, multi_call);
  if (found && found->node.kind != Kind::kFile) return;
  const bool path = words[0].starts_with('/') && words[0].find_first_of("$`*") == std::string::npos;
  const bool volatile_path = words[0].starts_with("/proc/") || words[0].starts_with("/dev/") || words[0] == "/";
  if (!found && (!path || volatile_path) && !is_daemon(base)) return;
  if (words.size() > 1 && asks_or_stops(words[1]) && words[0].find("/init.d/") != std::string::npos) return;
  state(p.volume, context, std::move(words), std::string(command.substr(0, 400)), found, std::move(at), &p.variables);
}

void StartWalker::state(int volume, const StartContext& context, std::vector<std::string> words, std::string command,
                        const Artifact* found, Evidence at, const std::map<std::string, Value, std::less<>>* exported) {
  // A leading '-' only tells a shell that it is a login shell.
  if (words[0].starts_with('-') && words[0].size() > 1) words[0].erase(0, 1);
  Startup fact{.mechanism = context.mechanism,
               .event = context.event,
               .when = context.when,
               .user = context.user,
               .program = words[0],
               .arguments = joined(words, 1),
               .command = std::move(command),
               .resolves_to = found ? found->way : "",
               .started_by = at.artifact,
               .conditional = context.conditional};
  fact.at = std::move(at);
  const std::string key = fact.at.artifact + "\n" + std::to_string(fact.at.offset) + "\n" + fact.mechanism +
                          fact.event + fact.when + "\n" + fact.program + " " + fact.arguments;
  if (!stated_.insert(key).second) return;
  // A command in a loop or a helper function is one place: a few of its argument lists say what it does.
  if (++stated_at_[fact.at.artifact + "\n" + std::to_string(fact.at.offset) + "\n" + fact.program] > kMaximumAtOnePlace)
    return;
  if (out_.startup.size() >= kMaximumFacts) {
    limited_ = true;
    return;
  }
  out_.startup.push_back(std::move(fact));
  if (!found || !is_script(*found)) return;
  words.erase(words.begin());
  run_script(volume, context, *found, std::move(words), exported);
}

void StartWalker::run_script(int volume, const StartContext& context, const Artifact& artifact,
                             std::vector<std::string> arguments,
                             const std::map<std::string, Value, std::less<>>* exported) {
  if (context.depth >= kMaximumScripts) {
    limited_ = true;
    return;
  }
  visited_scripts_.insert(artifact.way);
  // The same script with the same arguments starts the same things; only a certain start after an uncertain one tells
  // more.
  const std::string key = artifact.way + "\n" + joined(arguments, 0) + (context.conditional ? "\n?" : "\n!");
  if (!visited_.insert(key).second) return;
  const Loaded* loaded = load(artifact);
  Process p;
  p.volume = volume;
  p.context = context;
  ++p.context.depth;
  const std::string_view path = tree_.path_in_volume(artifact);
  const bool boots = p.context.event == "sysinit" || p.context.event == "boot" || p.context.event == "wait" ||
                     p.context.event == "once" || p.context.event == "respawn";
  const std::string_view base = base_name(path);
  if (boots && base != "rcS" && base != "rc" &&
      (path.find("/init.d/") != std::string_view::npos || path.find("/rc.d/S") != std::string_view::npos))
    p.context.mechanism = "init.d";
  else if (boots && p.context.mechanism != "init.d")
    p.context.mechanism = "rc-script";
  if (exported) {
    for (const auto& [name, value] : *exported) {
      if (value.exported || name == "PATH") p.variables.emplace(name, value);
    }
  }
  p.variables.emplace("PATH", Value{"/sbin:/usr/sbin:/bin:/usr/bin", true, true});
  p.variables.emplace("IPKG_INSTROOT", Value{"", true, false});  // only set while an image is built
  p.positional = std::move(arguments);
  p.positional.insert(p.positional.begin(), unescape(path));
  p.here = loaded;
  const std::vector<std::string_view> interpreter = interpreter_of(loaded->script.text);
  if (interpreter.size() > 1 && interpreter[1].starts_with('/')) return run_wrapped(p, *loaded, interpreter[1]);
  Outcome last = Outcome::kTrue;
  sequence(p, loaded->script.commands, last);
}

// "#!/bin/sh /etc/rc.common": the wrapper's constants and functions, then the script, then the function that the first
// argument names (`boot` is `start` unless the script says otherwise; with USE_PROCD `start` is `start_service`).
void StartWalker::run_wrapped(Process& p, const Loaded& loaded, std::string_view wrapper) {
  const std::vector<std::string> positional = p.positional;
  const Artifact* common = program(p, wrapper);
  Outcome last = Outcome::kTrue;
  if (common && is_script(*common)) {
    const Loaded* library = load(*common);
    p.here = library;
    p.positional.insert(p.positional.begin(), std::string(wrapper));
    for (const shell::Node& node : library->script.commands) {
      const bool sources = !node.words.empty() && (node.words[0] == "." || node.words[0] == "source");
      const bool keeps = node.kind == shell::NodeKind::kFunction || (node.words.empty() && !node.assignments.empty()) ||
                         (sources && node.words.size() > 1 && node.words[1].find("script") == std::string_view::npos);
      if (keeps && node.kind != shell::NodeKind::kIf) one(p, node, last);
    }
  }
  p.functions.clear();  // the library's own functions are known by their names (`openwrt` below)
  p.here = &loaded;
  p.positional = positional;
  if (sequence(p, loaded.script.commands, last) != Flow::kNormal) return;
  std::string action = positional.size() > 1 ? positional[1] : "help";
  const auto procd = p.variables.find("USE_PROCD");
  if (action == "boot" && !p.functions.contains("boot")) action = "start";
  if (action == "start" && procd != p.variables.end() && procd->second.text != "" &&
      p.functions.contains("start_service")) {
    action = "start_service";
    p.context.mechanism = "procd";
  }
  if (const auto function = p.functions.find(action); function != p.functions.end())
    call(p, Function(function->second), {});
}

void StartWalker::script(int volume, const StartContext& context, const Artifact& artifact,
                         std::vector<std::string> arguments) {
  if (is_script(artifact)) run_script(volume, context, artifact, std::move(arguments), nullptr);
}

void StartWalker::run_text(int volume, const StartContext& context, std::string_view text, Evidence at) {
  if (context.depth >= kMaximumScripts || text.size() > 8192 || snippets_.size() > 2000) return;
  snippets_.push_back(std::make_unique<Loaded>());
  shell::parse(text, snippets_.back()->script);
  Process p;
  p.volume = volume;
  p.context = context;
  ++p.context.depth;
  p.inside = std::move(at);
  p.positional = {"sh"};
  p.here = snippets_.back().get();
  Outcome last = Outcome::kTrue;
  sequence(p, snippets_.back()->script.commands, last);
}

void StartWalker::start(int volume, const StartContext& context, std::vector<std::string> words, std::string command,
                        Evidence at) {
  words = unwrap(std::move(words));
  if (words.empty() || words[0].empty()) return;
  if (is_shell_name(base_name(words[0])) && words.size() > 2 && words[1] == "-c")
    return run_text(volume, context, words[2], std::move(at));
  Process p;
  p.volume = volume;
  std::string_view name = words[0];
  if (name.size() > 1 && name.starts_with('-')) name.remove_prefix(1);
  const Artifact* found = program(p, name);
  if (found && found->node.kind != Kind::kFile) found = nullptr;
  state(volume, context, std::move(words), std::move(command), found, std::move(at), nullptr);
}

void StartWalker::command_line(int volume, const StartContext& context, std::string_view line, Evidence at) {
  shell::Script parsed;
  shell::parse(line, parsed);
  const bool plain = parsed.commands.size() == 1 && parsed.commands[0].kind == shell::NodeKind::kSimple &&
                     parsed.commands[0].assignments.empty() && !parsed.commands[0].words.empty();
  if (!plain) return run_text(volume, context, line, std::move(at));
  Process p;
  p.volume = volume;
  std::vector<Word> found;
  for (const std::string_view raw : parsed.commands[0].words) expand(p, raw, found);
  std::vector<std::string> plain_words;
  for (Word& word : found) plain_words.push_back(std::move(word.text));
  start(volume, context, std::move(plain_words), std::string(line.substr(0, 400)), std::move(at));
}

const UciSection* StartWalker::uci_section(const Process& p, std::string_view name) const {
  for (size_t i = 0; i < p.uci.size(); ++i) {
    if (p.uci[i].name == name || (p.uci[i].name.empty() && name == "cfg" + std::to_string(i))) return &p.uci[i];
  }
  return nullptr;
}

bool StartWalker::openwrt(Process& p, const shell::Node& node, const std::vector<Word>& words, Outcome& outcome,
                          Flow& flow) {
  const std::string& name = words[0].text;
  const auto at = [&](size_t i) { return i < words.size() ? words[i].text : std::string(); };
  if (name == "config_load") {
    const Artifact* found = p.volume < 0 ? nullptr : tree_.find(p.volume, "/etc/config/" + escape(at(1)));
    p.uci = found && words.size() > 1 && words[1].known ? uci_sections(tree_.content(*found).text())
                                                        : std::vector<UciSection>{};
  } else if ((name == "config_get" || name == "config_get_bool") && words.size() > 3) {
    const UciSection* section = words[2].known ? uci_section(p, words[2].text) : nullptr;
    bool present = false;
    Value value{section ? section->value(words[3].text, &present) : "", section != nullptr, false};
    if (section && (!present || value.text.empty())) value.text = at(4);
    if (name == "config_get_bool" && value.known) {
      const bool yes = value.text == "1" || value.text == "on" || value.text == "true" || value.text == "yes" ||
                       value.text == "enabled";
      value.text = yes ? "1" : "0";
    }
    set(p, words[1].text, std::move(value));
    outcome = Outcome::kTrue;
  } else if (name == "config_foreach" && words.size() > 1 && p.functions.contains(words[1].text)) {
    const Function function = p.functions.find(words[1].text)->second;
    const auto sections = p.uci;
    for (size_t i = 0; i < sections.size() && i < 32 && flow == Flow::kNormal; ++i) {
      if (words.size() > 2 && sections[i].type != words[2].text) continue;
      flow = call(p, function, {sections[i].name.empty() ? "cfg" + std::to_string(i) : sections[i].name});
    }
    if (sections.empty()) {  // its configuration is not in the image
      const bool before = p.conditional;
      p.conditional = true;
      flow = call(p, function, {});
      p.conditional = before || p.maybe_exited;
    }
  } else if (name == "append" && words.size() > 2) {
    const auto old = p.variables.find(words[1].text);
    const bool known = words[2].known && (old == p.variables.end() || old->second.known);
    const std::string before = old == p.variables.end() ? "" : old->second.text;
    const std::string separator = words.size() > 3 ? words[3].text : " ";
    std::string text = before.empty() ? words[2].text : before + separator + words[2].text;
    set(p, words[1].text, {text.size() > 4096 ? "" : text, known && text.size() <= 4096, false});
  } else if (name == "procd_open_instance") {
    p.procd.clear();
  } else if ((name == "procd_set_param" || name == "procd_append_param") && at(1) == "command") {
    if (name == "procd_set_param") {
      p.procd.clear();
      p.procd_at = place(p, node);
      p.procd_conditional = p.conditional;
    } else if (p.conditional && !p.procd_conditional) {
      return true;  // an argument that may or may not be there
    }
    for (size_t i = 2; i < words.size() && p.procd.size() < 256; ++i) p.procd.push_back(words[i].text);
  } else if (name == "procd_close_instance") {
    if (!p.procd.empty()) emit(p, p.procd, p.procd_at.shows, p.procd_at, p.procd_conditional);
    p.procd.clear();
  } else if (name.starts_with("procd_") || name == "include" || name == "service_stop" || name == "rc_procd") {
    outcome = Outcome::kUnknown;
  } else {
    return false;
  }
  return true;
}

// mount [-t type] [-o options] source target
void StartWalker::state_mount(Process& p, const shell::Node& node, const std::vector<Word>& words) {
  Mount mount;
  std::vector<std::string> plain;
  bool known = true;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i].text;
    if ((word == "-t" || word == "-o") && i + 1 < words.size()) {
      (word == "-t" ? mount.type : mount.options) = words[++i].text;
    } else if (word.size() > 2 && (word.starts_with("-t") || word.starts_with("-o"))) {
      (word[1] == 't' ? mount.type : mount.options) = word.substr(2);
    } else if (!word.starts_with('-')) {
      known &= words[i].known;
      plain.push_back(word);
    } else if (word == "--bind" || word == "--move") {
      mount.options = word.substr(2);
    }
  }
  if (plain.size() != 2 || !known || !on_mount_) return;
  mount.source = plain[0];
  mount.target = plain[1];
  mount.at = place(p, node);
  on_mount_({p.volume, std::move(mount)});
}

void StartWalker::limits() {
  if (limited_)
    out_.problems.push_back({"", Fault::kLimit, "start scripts: the budget of followed commands was used up", 0});
}

}  // namespace assay::system
