// Files that must be whole or absent: written under another name, made durable, then renamed. The errors say which file
// and what the system said.
#pragma once
#include "core/result.h"

#include <vector>

namespace assay::certify {

Result<std::string> read_file(const std::string& path, uint64_t most = 64 << 20);  // kLimit: longer than `most`
bool file_exists(const std::string& path);

bool write_all(int fd, std::string_view bytes);  // false: errno says why

// kKeep: an existing file is left as it is and the call fails.
enum class Existing : uint8_t { kReplace, kKeep };
Result<void> write_durably(const std::string& path, std::string_view bytes, unsigned mode = 0644,
                           Existing existing = Existing::kReplace);

// The same without waiting for the disk; sync_files makes a batch durable, names included.
Result<void> write_renamed(const std::string& path, std::string_view bytes);
Result<void> sync_files(const std::vector<std::string>& paths);
Result<void> sync_folder(const std::string& path);

Result<void> make_folders(const std::string& path);  // like mkdir -p
std::string folder_of(const std::string& path);
std::unexpected<Error> system_error(const std::string& doing);  // "cannot …: " and what errno says

// A descriptor that closes itself.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept;
  ~File();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace assay::certify
