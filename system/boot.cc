// How the device boots and what guards it, as the image states it:
//   the U-Boot environment (an environment block that a format read, or the default one inside a boot loader: a run of
//   NUL-terminated "name=value" with bootcmd in it; include/env_default.h of U-Boot), device trees (/chosen/bootargs),
//   FIT images (hash and signature nodes), dm-verity tables in command lines and scripts, CONFIG_MODULE_SIG*,
//   /etc/fw_env.config (where the environment lies, so whoever is root can change it).
#include "core/text.h"
#include "system/script_commands.h"
#include "system/text_files.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::system::boot {
namespace {

constexpr size_t kMaximumValue = 4096;
constexpr uint64_t kMaximumBlock = 256 << 10;  // of an environment
constexpr uint64_t kMaximumPart = 64 << 20;

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, word) != list.end();
}

void add(Facts& out, std::string_view kind, std::string_view name, std::string_view value, Evidence at) {
  out.boot.push_back(
      {std::string(kind), std::string(name), std::string(value.substr(0, kMaximumValue)), std::move(at)});
}

// What a kernel command line says: every console, init, and the root hash of a verified root.
void read_command_line(std::string_view line, const Evidence& at, Facts& out) {
  for (const std::string_view word : words(line)) {
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    if (name == "console") add(out, "console", name, value, at);
    if (is_one_of(name, {"init", "rdinit"})) add(out, "init", name, value, at);
    if (name.starts_with("dm-mod.") || name.starts_with("dm_verity.") ||
        is_one_of(name, {"dm", "roothash", "verity", "root_hash"}))
      add(out, "dm-verity", name, value, at);
    if (name == "module.sig_enforce") add(out, "module-signing", name, value, at);
  }
}

std::string_view kind_of_variable(std::string_view name) {
  if (name == "bootdelay") return "bootdelay";
  if (name == "bootcmd") return "bootcmd";
  if (name == "bootargs") return "bootargs";
  return "environment";
}

void read_variable(std::string_view name, std::string_view value, const Evidence& at, Facts& out) {
  add(out, kind_of_variable(name), name, value, at);
  if (name.find("bootargs") != std::string_view::npos || name.find("cmdline") != std::string_view::npos)
    read_command_line(value, at, out);
  if (is_one_of(name, {"silent", "stdin", "stdout", "stderr", "consoledev"})) add(out, "console", name, value, at);
}

// Notes as unpack/formats/{ubootenv,dtb,fit}.cc word them: "env NAME"; "bootargs", "stdout-path"; "IMAGE hash-1
// sha256", "IMAGE signature-1".
void read_note(const FormatNote& note, Facts& out) {
  const std::string_view name = note.name;
  const auto stands = [&](std::string_view word) { return name.find(word) != std::string_view::npos; };
  if (note.format == "uboot-env") {
    if (name.starts_with("env ")) read_variable(name.substr(4), note.value, note.at, out);
  } else if (note.format == "dtb" && name == "stdout-path") {
    add(out, "console", name, note.value, note.at);
  } else if (note.format == "fit" && stands(" signature")) {
    add(out, "image-signature", name, note.value, note.at);
  } else if (note.format == "fit" && stands(" hash")) {
    add(out, "image-hash", name, note.value, note.at);
  } else if (is_one_of(name, {"bootargs", "cmdline", "command line"})) {
    add(out, "bootargs", name, note.value, note.at);
    read_command_line(note.value, note.at, out);
  }
}

bool is_variable(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals > 64 || text.size() > kMaximumValue) return false;
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-' || c == '#'; };
  return std::all_of(text.begin(), text.begin() + static_cast<long>(equals), good) &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

// The start of the run of variables that ends before `at` (which starts a variable behind a NUL).
size_t start_of_run(std::string_view content, size_t at) {
  const size_t limit = at > kMaximumBlock ? at - kMaximumBlock : 0;
  while (at > limit + 1) {
    const size_t before = content.rfind('\0', at - 2);
    const size_t start = before == std::string_view::npos ? 0 : before + 1;
    if (start >= at - 1 || !is_variable(content.substr(start, at - 1 - start))) break;
    at = start;
  }
  return at;
}

// A default environment compiled into a boot loader: three variables at least around "bootcmd=".
void read_default_environment(const Artifact& artifact, std::string_view content, Facts& out) {
  constexpr std::string_view kAnchor = "bootcmd=";
  for (size_t at = content.find(kAnchor), found = 0; at != std::string_view::npos && found < 8;
       at = content.find(kAnchor, at)) {
    if (at > 0 && content[at - 1] != '\0') {
      at += kAnchor.size();
      continue;
    }
    std::vector<std::pair<size_t, std::string_view>> variables;
    size_t next = start_of_run(content, at);
    const size_t limit = next + kMaximumBlock;
    while (next < content.size() && next < limit) {
      const size_t end = std::min(content.find('\0', next), content.size());
      const std::string_view variable = content.substr(next, std::min<size_t>(end - next, kMaximumValue + 1));
      if (!is_variable(variable)) break;
      variables.emplace_back(next, variable);
      next = end + 1;
    }
    at = std::max(next, at + kAnchor.size());
    if (variables.size() < 3) continue;
    ++found;
    for (const auto& [offset, variable] : variables) {
      const size_t equals = variable.find('=');
      read_variable(variable.substr(0, equals), variable.substr(equals + 1), evidence_at(artifact, offset, variable),
                    out);
    }
  }
}

// Parts that nothing was taken out of, and U-Boot itself, behind which its device tree may stand: where boot loaders
// lie.
void read_parts(const Tree& tree, Facts& out) {
  const std::span<const Artifact> artifacts = tree.artifacts();
  std::vector<bool> opened(artifacts.size());
  for (const Artifact& artifact : artifacts)
    if (artifact.parent >= 0 && static_cast<size_t>(artifact.parent) < artifacts.size())
      opened[static_cast<size_t>(artifact.parent)] = true;
  for (size_t i = 0; i < artifacts.size(); ++i) {
    const Artifact& artifact = artifacts[i];
    const bool part = artifact.node.kind == Kind::kPart || artifact.node.kind == Kind::kImage;
    const bool loader = artifact.format.starts_with("uboot");
    if (!part || (opened[i] && !loader) || artifact.size > kMaximumPart || artifact.format == "uboot-env") continue;
    read_default_environment(artifact, tree.content(artifact).text(), out);
  }
}

void read_file(const TextFile& file, Facts& out) {
  if (file.name == "fw_env.config") {
    for (const Line& line : lines(file.text)) {
      const auto parts = words(line.text);
      if (parts.size() >= 3 && !parts[0].starts_with('#'))
        add(out, "environment", "fw_env.config", trim(line.text), file.at(line.offset, line.text));
    }
  }
  if (file.name == "cmdline.txt") read_command_line(file.text, file.at(0, trim(file.text)), out);
  if (!file.is_script() || file.text.find("verity") == std::string_view::npos) return;
  for (const ScriptCommand& command : script_commands(file.text)) {
    const bool verity = command.program() == "veritysetup" ||
                        (command.program() == "dmsetup" && command.text.find("verity") != std::string_view::npos);
    if (verity) add(out, "dm-verity", command.program(), command.text, file.at(command.offset, command.text));
  }
}

void read_options(const std::vector<KernelOption>& options, Facts& out) {
  for (const KernelOption& option : options) {
    if (option.name.starts_with("CONFIG_MODULE_SIG")) add(out, "module-signing", option.name, option.value, option.at);
    if (option.name == "CONFIG_CMDLINE" && !option.value.empty()) {
      add(out, "bootargs", option.name, option.value, option.at);
      read_command_line(option.value, option.at, out);
    }
  }
}

void run(Tree& tree, Facts& out) {
  for (const FormatNote& note : tree.file_facts().format_notes) read_note(note, out);
  read_options(tree.file_facts().kernel_options, out);
  if (&out != &tree.file_facts()) {
    const std::vector<KernelOption> later = out.kernel_options;  // what an analysis before this one found
    read_options(later, out);
  }
  read_parts(tree, out);
  for (const TextFile& file : text_files(tree)) read_file(file, out);
}

}  // namespace

extern const TreeAnalysis kBoot;
const TreeAnalysis kBoot = {.id = "boot", .version = 2, .run = run};

}  // namespace assay::system::boot
