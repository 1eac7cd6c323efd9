// What the subcommands share: flags, paths, output, progress.
#include "cli/commands.h"

#include "certify/files.h"

#include "core/text.h"
#include "store/store.h"
#include "unpack/format.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <thread>

namespace assay::cli {
namespace {

constexpr uint64_t kLongestKey = 1 << 20;

Result<std::string> read_file(const std::string& path, uint64_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Fault::kIo, "cannot open " + path + ": " + std::strerror(errno));
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (bytes.size() > most) return fail(Fault::kLimit, path + " is longer than " + human_size(most));
  return bytes;
}

std::string base_name(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

void Common::add_to(App& app) {
  app.add_option("IMAGE", image, "Firmware image, a directory tree, or - for standard input")->required();
  app.add_option("--store", store, "Folder for results [$XDG_CACHE_HOME/assay]")->type_name("DIR");
  app.add_flag("--no-store", no_store, "Neither read nor keep results");
  app.add_option("--workers", workers, "Processes that examine [one per core]")->type_name("N")->within(1, 256);
  app.add_option("--key", keys, "Key that a laboratory has for an encrypted format, FORMAT=FILE")->type_name("KEY");
}

Result<engine::Options> Common::options() const {
  engine::Options options;
  options.input = image;
  options.store_folder = no_store ? "" : store.empty() ? store::default_folder() : store;
  options.workers = workers ? workers : std::max(1u, std::thread::hardware_concurrency());
  options.as_of = today();
  options.progress = progress_line();
  for (const std::string& key : keys) {
    const size_t equals = key.find('=');
    const std::string format = key.substr(0, equals);
    if (equals == std::string::npos || !unpack::find_format(format))
      return fail(Fault::kMalformed, "--key " + key + ": expected FORMAT=FILE with a format of `assay list formats`");
    options.keys.emplace_back(format, TRY(read_file(key.substr(equals + 1), kLongestKey)));
  }
  return options;
}

int complain(int status, const std::string& what) {
  end_progress_line();
  fmt::print(stderr, "assay: {}\n", what);
  return status;
}

std::vector<std::string> focus_for(const std::string& path, const std::string& image) {
  if (path.starts_with("/") || path.empty()) return {};
  const std::string name = base_name(image) + "/";
  if (path.starts_with(name)) return {path, path.substr(name.size())};
  return {path};
}

Result<const Artifact*> find_artifact(const Examination& examination, const std::string& path) {
  std::string way = path;
  if (way == examination.name || way == ".") way.clear();
  for (int round = 0; round < 2; ++round) {
    for (const Artifact& artifact : examination.artifacts)
      if (artifact.way == way) return &artifact;
    if (!way.starts_with(examination.name + "/")) break;
    way.erase(0, examination.name.size() + 1);
  }
  std::vector<const Artifact*> found;
  const std::string tail = path.starts_with("/") ? path : "/" + path;
  for (const Artifact& artifact : examination.artifacts)
    if (artifact.node.kind != Kind::kPart && ("/" + artifact.way).ends_with(tail)) found.push_back(&artifact);
  if (found.size() == 1) return found[0];
  if (found.empty())
    return fail(Fault::kIo, fmt::format("{} has no {}; `assay ls` lists what it has", examination.name, path));
  std::string names;
  for (size_t i = 0; i < std::min<size_t>(found.size(), 8); ++i) names += "\n  " + found[i]->way;
  return fail(Fault::kIo, fmt::format("{} stands for {} artifacts; name one by its way:{}", path, found.size(), names));
}

Result<void> write_file(const std::string& file, std::string_view bytes) {
  const auto failed = [&](const std::string& what) {
    return fail(Fault::kIo, "cannot write " + what + ": " + std::strerror(errno));
  };
  if (file == "-") {
    if (!certify::write_all(STDOUT_FILENO, bytes)) return failed("standard output");
    return {};
  }
  struct stat at{};
  const bool special = stat(file.c_str(), &at) == 0 && !S_ISREG(at.st_mode);  // /dev/stdout, a pipe: written directly
  const std::string temporary = special ? file : file + ".part";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return failed(file);
  const bool good = certify::write_all(fd, bytes) && close(fd) == 0;
  if (good && (special || std::rename(temporary.c_str(), file.c_str()) == 0)) return {};
  const int error = errno;
  if (!special) unlink(temporary.c_str());
  errno = error;
  return failed(file);
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::function<void(const engine::Progress&)> progress_line() {
  if (!isatty(STDERR_FILENO)) return {};
  using clock = std::chrono::steady_clock;
  return [begun = clock::now(), last = clock::time_point{}](const engine::Progress& p) mutable {
    const auto now = clock::now();
    if (now - last < std::chrono::milliseconds(100)) return;
    last = now;
    std::string line = p.step;
    if (p.bytes_total > 0) {
      const double done = static_cast<double>(p.bytes) / static_cast<double>(p.bytes_total);
      const auto spent = std::chrono::duration<double>(now - begun).count();
      line += fmt::format("  {} of {}  {} of {} files", human_size(p.bytes), human_size(p.bytes_total), p.contents,
                          p.contents_total);
      // More may turn up while containers open, so the time left is a lower bound and said as such.
      if (done > 0.05 && spent > 1) line += fmt::format("  at least {:.0f} s left", spent / done - spent);
    }
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
  };
}

void end_progress_line() {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\033[K");
}

}  // namespace assay::cli
