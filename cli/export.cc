// assay export IMAGE [PATH] -o out.tar: the tree with exact metadata, as a pax archive. Nothing is written anywhere
// else, so no name, link or device of the image touches the host.
#include "cli/commands.h"

#include "core/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace assay::cli {
namespace {

struct Flags : Common {
  std::string path, output;
};

mode_t file_type(Kind kind) {
  switch (kind) {
    case Kind::kDirectory:
      return AE_IFDIR;
    case Kind::kSymlink:
      return AE_IFLNK;
    case Kind::kCharDevice:
      return AE_IFCHR;
    case Kind::kBlockDevice:
      return AE_IFBLK;
    case Kind::kFifo:
      return AE_IFIFO;
    case Kind::kSocket:
      return AE_IFSOCK;
    default:
      return AE_IFREG;
  }
}

class Writer {
 public:
  Writer(const engine::Inspection& inspection, std::string prefix)
      : inspection_(inspection), prefix_(std::move(prefix)) {
    archive_write_set_format_pax(archive_);
    archive_write_set_bytes_per_block(archive_, 10240);
    archive_write_set_bytes_in_last_block(archive_, 1);  // the same bytes to a file and to a pipe
  }
  ~Writer() { archive_write_free(archive_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Result<void> open(const std::string& file) {
    const int state = file == "-" ? archive_write_open_fd(archive_, STDOUT_FILENO)
                                  : archive_write_open_filename(archive_, file.c_str());
    return checked(state);
  }

  Result<void> add(const Artifact& artifact) {
    const Node& node = artifact.node;
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name(artifact.way).c_str());
    archive_entry_set_mode(entry,
                           file_type(node.kind) | node.mode.value_or(node.kind == Kind::kDirectory ? 0755 : 0644));
    archive_entry_set_uid(entry, node.uid.value_or(0));
    archive_entry_set_gid(entry, node.gid.value_or(0));
    if (node.mtime) archive_entry_set_mtime(entry, *node.mtime, 0);
    if (node.device)
      archive_entry_set_rdevmajor(entry, *node.device >> 32),
          archive_entry_set_rdevminor(entry, *node.device & 0xffffffff);
    if (node.kind == Kind::kSymlink) archive_entry_set_symlink(entry, node.target.c_str());
    if (node.kind == Kind::kHardLink)
      archive_entry_set_hardlink(entry, name(volume(artifact) + escape(node.target)).c_str());
    for (const auto& [key, value] : node.xattrs)
      archive_entry_xattr_add_entry(entry, key.c_str(), value.data(), value.size());
    const Bytes bytes = artifact.has_content ? inspection_.content(artifact) : Bytes();
    archive_entry_set_size(entry, node.kind == Kind::kHardLink ? 0 : static_cast<int64_t>(bytes.size()));
    Result<void> done = checked(archive_write_header(archive_, entry));
    archive_entry_free(entry);
    if (done && !bytes.empty() && archive_write_data(archive_, bytes.data(), bytes.size()) < 0)
      done = checked(ARCHIVE_FATAL);
    return done;
  }

  Result<void> finish() { return checked(archive_write_close(archive_)); }

 private:
  Result<void> checked(int state) {
    if (state >= ARCHIVE_WARN) return {};
    const char* what = archive_error_string(archive_);
    return fail(Fault::kIo, std::string("cannot write the archive: ") + (what ? what : "unknown error"));
  }
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
  archive* archive_ = archive_write_new();
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
  options->facts = false;
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

void add_export(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("export", "Write the tree as a tar archive with exact metadata");
  auto flags = std::make_shared<Flags>();
  flags->add_to(*command);
  command->add_option("PATH", flags->path, "Only what is below this way, named relative to it");
  command->add_option("-o,--output", flags->output, "The archive (- is standard output)")
      ->type_name("FILE")
      ->required();
  command->callback([flags, &status] { status = run(*flags); });
}

}  // namespace assay::cli
