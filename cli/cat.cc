// assay cat IMAGE PATH: one artifact's bytes on standard output.
#include "certify/files.h"
#include "cli/commands.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace assay::cli {
namespace {

int run(const Common& flags, const std::string& path) {
  auto options = flags.options();
  if (!options) return complain(kUsage, options.error().what);
  options->facts = options->digests = false;
  options->hold = true;
  options->focus = focus_for(path, flags.image);
  const auto inspection = engine::Inspection::run(*options);
  if (!inspection) return complain(kUnreadable, inspection.error().what);
  end_progress_line();
  const auto found = find_artifact(inspection->examination(), path);
  if (!found) return complain(kUnreadable, found.error().what);
  const Artifact& artifact = **found;
  if (artifact.unread && artifact.node.kind == Kind::kFile)
    return complain(kIncomplete, path + ": its bytes could not be read; `assay ls` says why");
  if (!artifact.has_content)
    return complain(kUnreadable, path + " has no content: it is a " + std::string(name_of(artifact.node.kind)) +
                                     (artifact.node.target.empty() ? "" : " to " + artifact.node.target));
  const Bytes bytes = inspection->content(artifact);
  if (bytes.size() != artifact.size) return complain(kIncomplete, path + ": its bytes could not be read");
  if (!certify::write_all(STDOUT_FILENO, bytes.text()) && errno != EPIPE)
    return complain(kUnreadable, std::string("cannot write: ") + std::strerror(errno));
  return kClean;
}

}  // namespace

void add_cat(App& app, int& status) {
  App* command = app.add_subcommand("cat", "Write one artifact's bytes to standard output");
  auto flags = std::make_shared<Common>();
  auto path = std::make_shared<std::string>();
  flags->add_to(*command);
  command->add_option("PATH", *path, "Its way as ls shows it, or a path on the device (/etc/passwd)")->required();
  command->callback([flags, path, &status] { status = run(*flags, *path); });
}

}  // namespace assay::cli
