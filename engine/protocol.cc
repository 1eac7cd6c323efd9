#include "engine/protocol.h"

#include <sys/socket.h>

#include <cerrno>

namespace assay::engine {
namespace {

constexpr size_t kSentTogether = 64 << 10;  // of a frame, with its length

bool send_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t done = ::send(fd, data, size, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    size -= static_cast<size_t>(done);
  }
  return true;
}

bool receive_all(int fd, char* data, size_t size) {
  while (size > 0) {
    const ssize_t done = ::recv(fd, data, size, 0);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    size -= static_cast<size_t>(done);
  }
  return true;
}

}  // namespace

bool send_frame(int fd, std::string_view bytes) {
  const uint64_t length = bytes.size();
  if (length > kLongestFrame) return false;
  // In one piece: the other end is woken up once.
  std::string frame(reinterpret_cast<const char*>(&length), sizeof length);
  const std::string_view first = bytes.substr(0, kSentTogether);
  frame += first;
  bytes.remove_prefix(first.size());
  return send_all(fd, frame.data(), frame.size()) && send_all(fd, bytes.data(), bytes.size());
}

bool receive_frame(int fd, std::string& bytes) {
  uint64_t length = 0;
  if (!receive_all(fd, reinterpret_cast<char*>(&length), sizeof length) || length > kLongestFrame) return false;
  bytes.resize(length);
  return receive_all(fd, bytes.data(), length);
}

}  // namespace assay::engine
