#include "engine/arena.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace assay::engine {
namespace {

constexpr uint64_t kGrowth = 8 << 20;

std::unexpected<Error> io(const char* what) {
  return fail(Fault::kIo, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Result<SharedArena> SharedArena::create(uint32_t id) {
  const int fd = memfd_create("assay", MFD_CLOEXEC);
  if (fd < 0) return io("cannot make shared memory");
  void* base = mmap(nullptr, kArenaRoom, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) {
    close(fd);
    return io("cannot map shared memory");
  }
  return SharedArena(id, fd, static_cast<std::byte*>(base), kArenaRoom, 0, true);
}

Result<SharedArena> SharedArena::open(uint32_t id, int fd, uint64_t size) {
  void* base = nullptr;
  if (size > 0) base = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return io("cannot map the input");
  return SharedArena(id, fd, static_cast<std::byte*>(base), size, size, false);
}

SharedArena::SharedArena(SharedArena&& other) noexcept
    : id_(other.id_),
      fd_(std::exchange(other.fd_, -1)),
      base_(std::exchange(other.base_, nullptr)),
      room_(other.room_),
      size_(other.size_),
      backed_(other.backed_),
      writable_(other.writable_) {}

SharedArena::~SharedArena() {
  if (base_) munmap(base_, room_);
  if (fd_ >= 0) close(fd_);
}

Result<void> SharedArena::append(std::span<const std::byte> piece) {
  ASSAY_CHECK(writable_);
  if (piece.size() > room_ - size_) return fail(Fault::kLimit, "no room for decoded bytes");
  if (size_ + piece.size() > backed_) {
    const uint64_t wanted = std::min(room_, (size_ + piece.size() + kGrowth - 1) / kGrowth * kGrowth);
    if (ftruncate(fd_, static_cast<off_t>(wanted)) != 0) return io("cannot grow shared memory");
    backed_ = wanted;
  }
  if (!piece.empty()) std::memcpy(base_ + size_, piece.data(), piece.size());
  size_ += piece.size();
  return {};
}

void SharedArena::truncate(uint64_t size) { size_ = std::min(size_, size); }

Bytes SharedArena::view(uint64_t at, uint64_t size) const {
  ASSAY_CHECK(at <= room_ && size <= room_ - at);
  return Bytes(std::span<const std::byte>(base_ + at, size));
}

void SharedArena::make_readonly() {
  if (!writable_) return;
  writable_ = false;
  if (base_) mprotect(base_, room_, PROT_READ);
  close(std::exchange(fd_, -1));
}

void SharedArena::set_size(uint64_t size) { size_ = std::min(size, room_); }

bool SharedArena::holds(uint64_t at, uint64_t size) const {
  struct stat now{};
  const uint64_t real = fd_ >= 0 && fstat(fd_, &now) == 0 ? static_cast<uint64_t>(now.st_size) : size_;
  return at <= real && size <= real - at;
}

}  // namespace assay::engine
