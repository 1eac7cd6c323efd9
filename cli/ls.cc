// assay ls IMAGE [PATH]: the artifact tree, as ls -l shows a folder.
#include "cli/commands.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::cli {
namespace {

char kind_letter(Kind kind) {
  switch (kind) {
    case Kind::kDirectory:
      return 'd';
    case Kind::kSymlink:
      return 'l';
    case Kind::kCharDevice:
      return 'c';
    case Kind::kBlockDevice:
      return 'b';
    case Kind::kFifo:
      return 'p';
    case Kind::kSocket:
      return 's';
    case Kind::kHardLink:
      return 'h';
    case Kind::kPart:
    case Kind::kImage:
      return '=';
    case Kind::kFile:
      break;
  }
  return '-';
}

std::string mode_text(const Node& node) {
  std::string text(1, kind_letter(node.kind));
  if (!node.mode) return text + "?????????";
  const uint32_t mode = *node.mode;
  for (int shift = 6; shift >= 0; shift -= 3) {
    const uint32_t bits = mode >> shift;
    const bool special = mode >> (9 + shift / 3) & 1;
    text += bits & 4 ? 'r' : '-';
    text += bits & 2 ? 'w' : '-';
    const char letter = shift == 0 ? 't' : 's';
    text += special ? (bits & 1 ? letter : static_cast<char>(letter - 32)) : (bits & 1 ? 'x' : '-');
  }
  return text;
}

std::string line(const Artifact& artifact) {
  const Node& node = artifact.node;
  const std::string owner = node.uid ? fmt::format("{}/{}", *node.uid, node.gid.value_or(0)) : "-";
  const std::string size =
      node.device ? fmt::format("{},{}", *node.device >> 32, *node.device & 0xffffffff) : std::to_string(artifact.size);
  std::string text =
      fmt::format("{} {:>9} {:>10} {}", mode_text(node), owner, size, artifact.way.empty() ? "." : artifact.way);
  if (!node.target.empty()) text += " -> " + escape(node.target);
  if (!artifact.format.empty()) text += fmt::format("  [{}]", artifact.format);
  if (node.kind == Kind::kFile && !artifact.has_content) text += "  [unread]";
  return text + "\n";
}

bool below(const Artifact& artifact, const std::string& way) {
  return way.empty() || artifact.way == way || artifact.way.starts_with(way + "/");
}

int run(const Common& flags, const std::string& path) {
  auto options = flags.options();
  if (!options) return complain(kUsage, options.error().what);
  options->facts = options->digests = false;
  const auto inspection = engine::Inspection::run(*options);
  if (!inspection) return complain(kUnreadable, inspection.error().what);
  end_progress_line();
  const Examination& examination = inspection->examination();
  std::string way = path, out;
  if (!path.empty()) {
    // A folder that an archive does not list has no artifact of its own; what lies below it is enough.
    const bool prefix = std::ranges::any_of(examination.artifacts, [&](const Artifact& a) { return below(a, path); });
    if (!prefix) {
      const auto found = find_artifact(examination, path);
      if (!found) return complain(kUnreadable, found.error().what);
      way = (*found)->way;
    }
  }
  for (const Artifact& artifact : examination.artifacts)
    if (below(artifact, way)) out += line(artifact);
  if (auto written = write_file("-", out); !written) return complain(kUnreadable, written.error().what);
  for (const Problem& problem : examination.facts.problems)
    fmt::print(stderr, "assay: {}: {} (at {:#x})\n", problem.artifact.empty() ? examination.name : problem.artifact,
               problem.what, problem.offset);
  return examination.complete ? kClean : kIncomplete;
}

}  // namespace

void add_ls(App& app, int& status) {
  App* command = app.add_subcommand("ls", "List what is inside: mode, owner, size, way, link target");
  auto flags = std::make_shared<Common>();
  auto path = std::make_shared<std::string>();
  flags->add_to(*command);
  command->add_option("PATH", *path, "Only this artifact and what is below it");
  command->callback([flags, path, &status] { status = run(*flags, *path); });
}

}  // namespace assay::cli
