// assay export IMAGE [PATH] -o out.tar: the tree with exact metadata, as a pax archive. Nothing is written anywhere
// else, so no name, link or device of the image touches the host.
#include "cli/commands.h"

#include "cli/pax.h"
#include "core/text.h"

#include <fmt/format.h>
#include <unistd.h>

namespace assay::cli {
namespace {

struct Flags : Common {
  std::string path, output;
};

class Writer {
 public:
  Writer(const engine::Inspection& inspection, std::string prefix)
      : inspection_(inspection), prefix_(std::move(prefix)) {}

  Result<void> open(const std::string& file) { return archive_.open(file); }

  Result<void> add(const Artifact& artifact) {
    PaxEntry entry{.node = artifact.node};
    entry.node.path = name(artifact.way);
    const Kind kind = artifact.node.kind;
    if (kind == Kind::kHardLink) entry.node.target = name(volume(artifact) + escape(artifact.node.target));
    if (artifact.has_content && kind != Kind::kHardLink) entry.content = inspection_.content(artifact);
    return archive_.add(entry);
  }

  Result<void> finish() { return archive_.finish(); }

 private:
  std::string name(const std::string& way) const {
    if (way + "/" == prefix_) return ".";
    const std::string relative = way.starts_with(prefix_) ? way.substr(prefix_.size()) : way;
    return relative.empty() ? "." : unescape(relative);
  }
  static std::string volume(const Artifact& artifact) {
    const std::string own = escape(artifact.node.path);
    return artifact.way.ends_with(own) ? artifact.way.substr(0, artifact.way.size() - own.size()) : "";
  }

  const engine::Inspection& inspection_;
  std::string prefix_;
  PaxWriter archive_;
};

// Entries of file systems and archives as they are; of parts only those that nothing opened. What lies inside a stored
// file (a zip on a file system) stays inside it, unless it lies below the way that was asked for.
bool wanted(const std::vector<Artifact>& artifacts, const Artifact& artifact, const std::string& prefix) {
  if (artifact.node.kind == Kind::kImage) return artifacts.size() == 1;
  if (artifact.parent < 0) return false;
  for (int32_t up = artifact.parent; up > 0; up = artifacts[static_cast<size_t>(up)].parent) {
    const Artifact& container = artifacts[static_cast<size_t>(up)];
    if (!container.way.starts_with(prefix)) break;
    if (container.node.kind != Kind::kPart) return false;
  }
  return artifact.node.kind != Kind::kPart || (artifact.format.empty() && artifact.spans.size() <= 1) ||
         artifact.unread;
}

int run(const Flags& flags) {
  auto options = flags.options();
  if (!options) return complain(kUsage, options.error().what);
  options->facts = options->digests = false;
  options->hold = true;
  const auto inspection = engine::Inspection::run(*options);
  if (!inspection) return complain(kUnreadable, inspection.error().what);
  end_progress_line();
  const Examination& examination = inspection->examination();
  const std::string prefix = flags.path.empty() ? "" : flags.path + "/";
  if (flags.output == "-" && isatty(STDOUT_FILENO))
    return complain(kUsage, "an archive is not written to a terminal; use -o FILE");
  Writer writer(*inspection, prefix);
  Result<void> done = writer.open(flags.output);
  uint64_t count = 0;
  bool all = true;
  for (const Artifact& artifact : examination.artifacts) {
    if (!done) break;
    if (!(artifact.way + "/").starts_with(prefix) || !wanted(examination.artifacts, artifact, prefix)) continue;
    ++count;
    if (artifact.node.kind == Kind::kSocket) {
      complain(kIncomplete, artifact.way + " is left out: a tar archive cannot hold a socket");
      all = false;
      continue;
    }
    done = writer.add(artifact);
  }
  if (done) done = writer.finish();
  if (!done) return complain(kUnreadable, done.error().what);
  if (count == 0) return complain(kUnreadable, fmt::format("{} has nothing below {}", examination.name, flags.path));
  return examination.complete && all ? kClean : kIncomplete;
}

}  // namespace

void add_export(App& app, int& status) {
  App* command = app.add_subcommand("export", "Write the tree as a tar archive with exact metadata");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  command->add_option("PATH", flags->path, "Only what is below this way, named relative to it");
  command->add_option("-o,--output", flags->output, "The archive (- is standard output)")
      ->type_name("FILE")
      ->required();
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
