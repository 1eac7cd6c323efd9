// Files of development, debugging and test that a product does not need, by what they are: ELF types and names of
// tools, sources, version control, backups of editors, samples. What stands in one folder is one leftover with a count.
// Emulation leftovers are in emulation.cc.
//
// A backup or sample whose name a script of the image mentions is in use, and no leftover.
#include "system/leftovers.h"
#include "core/text.h"
#include "system/shell_walk.h"

#include <algorithm>
#include <array>

namespace assay::system::leftovers {
namespace {

constexpr size_t kShownMore = 8;
constexpr uint64_t kMaximumScript = 1 << 18;

bool among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}
bool ends(std::string_view name, std::span<const std::string_view> tails) {
  return std::any_of(tails.begin(), tails.end(),
                     [&](std::string_view t) { return name.size() > t.size() && name.ends_with(t); });
}

constexpr std::array<std::string_view, 12> kDebuggers{"gdb",  "gdbserver", "strace", "ltrace", "tcpdump", "valgrind",
                                                      "perf", "oprofiled", "tshark", "ngrep",  "mtrace",  "lttng"};
constexpr std::array<std::string_view, 12> kCompilers{"gcc", "g++", "cc",   "c++",   "tcc",    "clang",
                                                      "as",  "ld",  "make", "cmake", "ld.bfd", "ld.gold"};
constexpr std::array<std::string_view, 9> kTests{"iperf",  "iperf3",   "netperf",   "netserver", "iozone",
                                                 "stress", "epi_ttcp", "memtester", "lmbench"};
constexpr std::array<std::string_view, 9> kSources{".c",    ".cc",    ".cpp",  ".cxx", ".S",
                                                   ".java", ".patch", ".diff", ".rej"};
constexpr std::array<std::string_view, 5> kBackups{".bak", ".orig", ".old", ".save", ".backup"};
constexpr std::array<std::string_view, 4> kSamples{".sample", ".example", ".dist", ".conf.default"};

bool is_program_folder(std::string_view path) {
  const std::string_view folder = path.substr(0, path.rfind('/'));
  return folder.ends_with("bin");
}

class Leftovers {
 public:
  Leftovers(const Tree& tree, Facts& out) : tree_(tree), out_(out) {}

  void run() {
    for (const Artifact& artifact : tree_.artifacts()) {
      if (tree_.volume_of(artifact) >= 0 && artifact.node.kind != Kind::kDirectory) look(artifact);
    }
    for (auto& [key, leftover] : groups_) out_.leftovers.push_back(std::move(leftover));
    look_at_started_scripts();
  }

 private:
  void add(std::string_view kind, std::string detail, std::string_view folder, const Artifact& artifact) {
    const std::string key = std::string(kind) + "\n" +
                            artifact.way.substr(0, artifact.way.size() - tree_.path_in_volume(artifact).size()) +
                            std::string(folder);
    const std::string shows(base_name(artifact.way));
    const auto [at, fresh] = groups_.try_emplace(key);
    Leftover& leftover = at->second;
    if (fresh) {
      leftover = {.kind = std::string(kind), .detail = std::move(detail), .at = evidence_of(artifact, shows)};
      return;
    }
    ++leftover.count;
    if (leftover.more.size() < kShownMore) leftover.more.push_back(evidence_of(artifact, shows));
  }

  void look(const Artifact& artifact) {
    const std::string_view path = tree_.path_in_volume(artifact);
    const std::string_view name = base_name(path), folder = path.substr(0, path.rfind('/'));
    if (in_version_control(artifact, path) || artifact.node.kind != Kind::kFile) return;
    const Elf* elf = tree_.elf(artifact);
    if (elf) return look_at_elf(artifact, *elf, path, name, folder);
    if (ends(name, kSources) && artifact.size > 0 && is_text(artifact))
      return add("source", "source text", folder, artifact);
    if (name.ends_with(".a") && tree_.content(artifact).starts_with("!<arch>"))
      return add("object", "static library", folder, artifact);
    const bool swap = name.starts_with('.') && name.ends_with(".swp");
    if (swap || (name.size() > 1 && name.ends_with('~')))
      return add("editor", "an editor's copy of a file", folder, artifact);
    if (ends(name, kBackups) && has_sibling(artifact, path) && !mentioned(name))
      return add("editor", "copy beside the file it was made of", folder, artifact);
    if (ends(name, kSamples) && !mentioned(name)) add("sample", "sample configuration", folder, artifact);
  }

  void look_at_elf(const Artifact& artifact, const Elf& elf, std::string_view path, std::string_view name,
                   std::string_view folder) {
    if (elf.type == "core") return add("core-dump", "memory image of a program", folder, artifact);
    if (elf.type == "relocatable" && path.find("/modules/") == std::string_view::npos && !name.ends_with(".ko"))
      return add("object", "object file of a compiler", folder, artifact);
    if (!is_program_folder(path) || elf.type == "relocatable") return;
    const std::string plain = base_of_tool(name);
    if (among(plain, kDebuggers))
      add("debugger", plain + ": debugger, tracer or packet recorder", name, artifact);
    else if (among(plain, kCompilers))
      add("compiler", plain + ": tool that builds programs", name, artifact);
    else if (among(plain, kTests) || name.ends_with("_test") || name.ends_with("-test") || name.starts_with("test_") ||
             name.starts_with("test-"))
      add("test", std::string(name) + ": test or measurement program", name, artifact);
  }
  // "mips-linux-gdbserver-7.2" -> "gdbserver"
  static std::string base_of_tool(std::string_view name) {
    const size_t version = name.find_last_not_of("0123456789.");
    if (version != std::string_view::npos && version > 0 && name[version] == '-') name = name.substr(0, version);
    if (name.find("-linux-") != std::string_view::npos) name = name.substr(name.rfind('-') + 1);
    return std::string(name);
  }

  bool is_text(const Artifact& artifact) const {
    return looks_like_text(tree_.content(artifact).text().substr(0, 4096));
  }

  bool in_version_control(const Artifact& artifact, std::string_view path) {
    for (const std::string_view mark : {"/.git/", "/.svn/", "/CVS/", "/.hg/", "/.bzr/"}) {
      const size_t at = path.find(mark);
      if (at == std::string_view::npos) continue;
      const std::string_view folder = path.substr(0, at + mark.size() - 1);
      add("version-control", "folder " + std::string(folder), folder, artifact);
      return true;
    }
    return false;
  }

  bool has_sibling(const Artifact& artifact, std::string_view path) const {
    const std::string_view stem = path.substr(0, path.rfind('.'));
    for (const Artifact& other : tree_.artifacts()) {
      if (other.parent == artifact.parent && tree_.path_in_volume(other) == stem) return true;
    }
    return false;
  }

  bool mentioned(std::string_view name) {
    if (!scripts_read_) {
      for (const Artifact& artifact : tree_.artifacts()) {
        if (tree_.volume_of(artifact) < 0 || artifact.node.kind != Kind::kFile || artifact.size > kMaximumScript)
          continue;
        const std::string_view text = tree_.content(artifact).text();
        if (text.starts_with("#!")) scripts_.push_back(text);
      }
      scripts_read_ = true;
    }
    return std::any_of(scripts_.begin(), scripts_.end(),
                       [&](std::string_view s) { return s.find(name) != std::string_view::npos; });
  }

  void look_at_started_scripts() {
    std::map<std::string_view, const Artifact*> ways;
    for (const Artifact& artifact : tree_.artifacts()) ways.emplace(artifact.way, &artifact);
    std::set<std::string_view> seen;
    for (const Startup& start : out_.startup) {
      const auto at = ways.find(start.resolves_to);
      if (at == ways.end() || !seen.insert(at->first).second) continue;
      const std::string_view text = tree_.content(*at->second).text().substr(0, kMaximumScript);
      if (!text.starts_with("#!")) continue;
      for (const Line& line : lines(text)) {
        const std::string_view plain = trim(line.text);
        if (plain != "set -x" && plain != "set -xv" && plain != "set -v") continue;
        out_.leftovers.push_back({.kind = "script-debug",
                                  .detail = "prints every command that it runs",
                                  .at = evidence_at(*at->second, line.offset, line.text)});
        break;
      }
    }
  }

  const Tree& tree_;
  Facts& out_;
  std::map<std::string, Leftover> groups_;
  std::vector<std::string_view> scripts_;
  bool scripts_read_ = false;
};

void run(Tree& tree, Facts& out) {
  find_emulation(tree, out);
  Leftovers(tree, out).run();
}

}  // namespace

extern const TreeAnalysis kLeftovers;
const TreeAnalysis kLeftovers = {.id = "leftovers", .version = 1, .run = run};

}  // namespace assay::system::leftovers
