// What starts by itself, and the chain from the kernel down: kernel -> init -> inittab -> rc scripts -> programs.
//
// Sources: busybox init/init.c (inittab "id:runlevels:action:process", the table used when there is none), sysvinit
// inittab(5), the kernel's order of init programs (init/main.c), OpenWrt's /etc/rc.d/S* links and rc.common.
#include "system/startup.h"

#include "core/merge.h"
#include "core/text.h"

#include <algorithm>
#include <utility>

namespace assay::system::startup {
namespace {

constexpr std::string_view kElfMagic =
    "\x7f"
    "ELF";

bool is_root(const Tree& tree, int volume) {
  for (const std::string_view path : {"/etc/inittab", "/sbin/init", "/init", "/linuxrc", "/etc/rc", "/etc/rc.d/rcS",
                                      "/etc/init.d/rcS", "/etc/inetd.conf", "/etc/crontab"})
    if (tree.find(volume, path)) return true;
  // Archives need not store the folders themselves.
  for (const std::string_view files : {"/etc/init.d/*", "/lib/systemd/system/*", "/usr/lib/systemd/system/*",
                                       "/etc/xinetd.d/*", "/etc/cron.d/*", "/etc/crontabs/*"})
    if (!tree.match(volume, files).empty()) return true;
  return false;
}

// init= of a command line that the image states.
std::string init_of_command_line(const Tree& tree, Evidence& at) {
  for (const Boot& boot : tree.file_facts().boot) {
    if (boot.kind != "bootargs" && boot.name != "bootargs") continue;
    for (const std::string_view word : words(boot.value)) {
      if (!word.starts_with("init=/") || word.size() > 200) continue;
      at = boot.at;
      return std::string(word.substr(5));
    }
  }
  return {};
}

void read_kernel(const Tree& tree, int volume, StartWalker& walker) {
  const StartContext context{.mechanism = "kernel", .event = "boot", .when = "", .user = "root"};
  Evidence at;
  const std::string stated = init_of_command_line(tree, at);
  if (!stated.empty() && tree.find(volume, escape(stated)))
    return walker.start(volume, context, {stated}, "init=" + stated, std::move(at));
  // Firmware whose kernel was built to start /etc/preinit first; it hands over to /sbin/init.
  const Artifact* before = tree.find(volume, "/etc/preinit");
  if (before && before->node.kind == Kind::kFile)
    walker.start(volume, context, {"/etc/preinit"}, "/etc/preinit", evidence_of(*before, "/etc/preinit"));
  for (const std::string_view path : {"/init", "/sbin/init", "/etc/init", "/bin/init", "/linuxrc"}) {
    const Artifact* found = tree.find(volume, path);
    if (!found || found->node.kind != Kind::kFile) continue;
    return walker.start(volume, context, {std::string(path)}, std::string(path),
                        evidence_of(*found, std::string(path)));
  }
}

// Returns the default runlevel, or "".
std::string read_inittab(const Tree& tree, int volume, const Artifact& table, StartWalker& walker) {
  std::string level;
  for (const Line& line : lines(tree.content(table).text().substr(0, 1 << 16))) {
    const std::string_view text = trim(line.text);
    if (text.empty() || text.starts_with('#')) continue;
    const std::vector<std::string_view> fields = split(text, ':');
    if (fields.size() < 4) continue;
    const size_t lead = fields[0].size() + fields[1].size() + fields[2].size() + 3;
    if (fields[2] == "initdefault") {
      level = fields[1].substr(0, 1);
      continue;
    }
    const std::string event = fields[2] == "shutdown" || fields[2] == "restart" ? "shutdown" : std::string(fields[2]);
    if (event == "off" || event == "powerfail" || event == "powerwait" || event == "powerokwait") continue;
    std::string when(fields[1]);
    if (!fields[0].empty()) when += (when.empty() ? "" : " ") + std::string(fields[0]);
    std::string_view process = trim(text.substr(lead));
    if (process.starts_with('+')) process.remove_prefix(1);  // sysvinit: no utmp entry
    walker.command_line(volume, {.mechanism = "inittab", .event = event, .when = when, .user = "root"}, process,
                        evidence_at(table, line.offset, line.text));
  }
  return level;
}

// busybox init without a table: /etc/init.d/rcS, and a shell on the console.
void read_no_inittab(const Tree& tree, int volume, StartWalker& walker) {
  const Artifact* init = tree.find(volume, "/sbin/init");
  if (!init) init = tree.find(volume, "/linuxrc");
  const Artifact* script = tree.find(volume, "/etc/init.d/rcS");
  if (!init || base_name(init->way) != "busybox" || !script) return;
  const std::string shows = "no /etc/inittab: busybox init's own table";
  walker.start(volume, {.mechanism = "inittab", .event = "sysinit", .when = "", .user = "root"}, {"/etc/init.d/rcS"},
               shows, evidence_of(*script, shows));
  if (const Artifact* shell = tree.find(volume, "/bin/sh"))
    walker.start(volume, {.mechanism = "inittab", .event = "askfirst", .when = "console", .user = "root"}, {"-/bin/sh"},
                 shows, evidence_of(*shell, shows));
}

// S?? links of a runlevel's folder that no script above was seen to start (an init in C does it).
void read_links(const Tree& tree, int volume, std::string_view folder, std::string_view when, std::string_view action,
                StartWalker& walker) {
  for (const Artifact* entry : entries_of(tree, volume, folder)) {
    const std::string path(tree.path_in_volume(*entry));
    const std::string_view name = base_name(path);
    if (name.size() < 3 || name[0] != 'S' || name[1] < '0' || name[1] > '9') continue;
    const Artifact* script = tree.find(volume, path);
    if (!script || script->node.kind != Kind::kFile || walker.visited(*script)) continue;
    walker.start(volume, {.mechanism = "init.d", .event = "boot", .when = std::string(when), .user = "root"},
                 {path, std::string(action)}, path + " " + std::string(action), evidence_of(*entry, path));
  }
}

void read_runlevels(const Tree& tree, int volume, std::string_view level, StartWalker& walker) {
  for (const std::string_view run : {"S", "1", "2", "3", "4", "5"}) {
    if (run != "S" && !level.empty() && run != level) continue;
    if (level.empty() && (run == "1" || run == "4")) continue;
    const std::string when = "runlevel " + std::string(run);
    read_links(tree, volume, "/etc/rc" + std::string(run) + ".d", when, "start", walker);
    read_links(tree, volume, "/etc/rc.d/rc" + std::string(run) + ".d", when, "start", walker);
  }
  const bool wrt = tree.find(volume, "/etc/rc.common") != nullptr;
  read_links(tree, volume, "/etc/rc.d", "", wrt ? "boot" : "start", walker);
}

void read_profile(const Tree& tree, int volume, StartWalker& walker) {
  const StartContext context{.mechanism = "profile", .event = "login", .when = "", .user = ""};
  const Artifact* profile = tree.find(volume, "/etc/profile");
  if (profile && profile->node.kind == Kind::kFile) walker.script(volume, context, *profile, {});
  for (const Artifact* entry : entries_of(tree, volume, "/etc/profile.d")) {
    const Artifact* script = tree.find(volume, tree.path_in_volume(*entry));
    if (script && script->way.ends_with(".sh")) walker.script(volume, context, *script, {});
  }
}

void read_volume(Tree& tree, int volume, StartWalker& walker) {
  read_kernel(tree, volume, walker);
  std::string level;
  const Artifact* table = tree.find(volume, "/etc/inittab");
  if (table && table->node.kind == Kind::kFile)
    level = read_inittab(tree, volume, *table, walker);
  else
    read_no_inittab(tree, volume, walker);
  const StartContext boot{.mechanism = "rc-script", .event = "boot", .when = "", .user = "root"};
  read_systemd(tree, volume, walker);
  read_runlevels(tree, volume, level, walker);
  const bool systemd = tree.find(volume, "/lib/systemd/systemd") || tree.find(volume, "/usr/lib/systemd/systemd");
  const Artifact* local = tree.find(volume, "/etc/rc.local");
  if (systemd && local && local->node.mode.value_or(0755) & 0100 && !walker.visited(*local))
    walker.start(volume, boot, {"/etc/rc.local"}, "/etc/rc.local", evidence_of(*local, "/etc/rc.local"));
  read_inetd(tree, volume, walker);
  read_cron(tree, volume, walker);
  read_devices(tree, volume, walker);
  read_profile(tree, volume, walker);
}

// Whether the kernel starts a program of the volume, and no table or script says what that starts.
bool decides_in_code(const Tree& tree, int volume, std::span<const Startup> starts) {
  return !starts.empty() && std::ranges::all_of(starts, [&](const Startup& s) {
    const Artifact* init = s.mechanism == "kernel" ? tree.find(volume, escape(s.program)) : nullptr;
    return s.mechanism == "profile" || (init && tree.content(*init).text().starts_with(kElfMagic));
  });
}

void run(Tree& tree, Facts& out) {
  if (tree.starts)
    append(out, *std::exchange(tree.starts, std::nullopt));
  else
    read_startup(tree, out, nullptr);
}

}  // namespace

extern const TreeAnalysis kStartup;
const TreeAnalysis kStartup = {.id = "startup", .version = 2, .run = run};

}  // namespace assay::system::startup

namespace assay::system {

std::vector<const Artifact*> entries_of(const Tree& tree, int volume, std::string_view folder) {
  std::vector<const Artifact*> found;
  const Artifact* directory = tree.find(volume, folder);
  if (directory && directory->node.kind != Kind::kDirectory) return found;
  const std::string path(directory ? tree.path_in_volume(*directory) : folder);
  const int in = directory ? tree.volume_of(*directory) : volume;
  for (const Artifact& artifact : tree.artifacts()) {
    if (tree.volume_of(artifact) != in || artifact.node.kind == Kind::kDirectory) continue;
    const std::string_view at = tree.path_in_volume(artifact);
    if (at.size() <= path.size() + 1 || !at.starts_with(path) || at[path.size()] != '/') continue;
    if (at.find('/', path.size() + 1) == std::string_view::npos) found.push_back(&artifact);
  }
  std::sort(found.begin(), found.end(), [](const Artifact* a, const Artifact* b) { return a->way < b->way; });
  return found;
}

void read_startup(Tree& tree, Facts& out, StartWalker::OnMount on_mount) {
  StartWalker walker(tree, out, std::move(on_mount));
  std::vector<Startup> silent;
  for (int volume = 0; volume < static_cast<int>(tree.volumes().size()); ++volume) {
    if (!startup::is_root(tree, volume)) continue;
    const size_t before = out.startup.size();
    startup::read_volume(tree, volume, walker);
    const std::span<const Startup> starts = std::span(out.startup).subspan(before);
    if (startup::decides_in_code(tree, volume, starts)) silent.push_back(starts[0]);
  }
  const size_t before = out.startup.size();
  read_android_init(tree, walker);
  if (out.startup.size() > before) silent.clear();  // Android's first init hands over to that of another partition
  for (const Startup& s : silent)
    out.problems.push_back({s.resolves_to, Fault::kUnsupported,
                            "what " + s.program + " starts stands in no table or script, and its code is not followed",
                            0});
  walker.limits();
}

}  // namespace assay::system
