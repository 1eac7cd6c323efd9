#include "certify/files.h"

#include "core/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

namespace assay::certify {
namespace {

// Unique among processes and threads; no two writers share a temporary file.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + ".part-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
}

// Removes the temporary file and keeps what errno says about the failure.
std::unexpected<Error> give_up(const std::string& temporary, const std::string& path) {
  const int error = errno;
  unlink(temporary.c_str());
  errno = error;
  return system_error("write " + path);
}

// What to do about it; "" : the system's word says enough.
const char* advice(int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    return "; make room and try again, nothing half-written is left";
  if (error == EROFS) return "; its file system is mounted read-only: mount it writable or name another place";
  if (error == EACCES || error == EPERM) return "; check whose it is and its permissions";
  return "";
}

bool put_in_place(const std::string& temporary, const std::string& path, Existing existing) {
  if (existing == Existing::kReplace) return std::rename(temporary.c_str(), path.c_str()) == 0;
  return link(temporary.c_str(), path.c_str()) == 0 && unlink(temporary.c_str()) == 0;
}

Result<void> write_new(const std::string& path, std::string_view bytes, unsigned mode, Existing existing,
                       bool durable) {
  const std::string temporary = temporary_name(path);
  File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return system_error("write " + path);
  const bool good = fchmod(file.fd(), mode) == 0 && write_all(file.fd(), bytes) && (!durable || fsync(file.fd()) == 0);
  if (!good || !put_in_place(temporary, path, existing)) return give_up(temporary, path);
  if (durable) return sync_folder(folder_of(path));
  return {};
}

}  // namespace

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(done));
  }
  return true;
}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

std::unexpected<Error> system_error(const std::string& doing) {
  const int error = errno;
  return fail(Fault::kIo, "cannot " + doing + ": " + std::strerror(error) + advice(error));
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool file_exists(const std::string& path) {
  struct stat at{};
  return stat(path.c_str(), &at) == 0;
}

Result<std::string> read_file(const std::string& path, uint64_t most) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("open " + path);
  std::string bytes;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(file.fd(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + path);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > most) return fail(Fault::kLimit, path + " is longer than " + human_size(most));
  }
}

Result<void> write_durably(const std::string& path, std::string_view bytes, unsigned mode, Existing existing) {
  return write_new(path, bytes, mode, existing, true);
}

Result<void> write_renamed(const std::string& path, std::string_view bytes) {
  return write_new(path, bytes, 0644, Existing::kReplace, false);
}

Result<void> sync_folder(const std::string& path) {
  const File folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.fd()) != 0) return system_error("make " + path + " durable");
  return {};
}

Result<void> sync_files(const std::vector<std::string>& paths) {
  std::set<std::string> folders;
  for (const std::string& path : paths) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || fdatasync(file.fd()) != 0) return system_error("make " + path + " durable");
    folders.insert(folder_of(path));
  }
  for (const std::string& folder : folders) TRY_VOID(sync_folder(folder));
  return {};
}

Result<void> make_folders(const std::string& path) {
  if (path.empty() || mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT || folder_of(path) == path) return system_error("make the folder " + path);
  TRY_VOID(make_folders(folder_of(path)));
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error("make the folder " + path);
  return sync_folder(folder_of(path));
}

}  // namespace assay::certify
