#include "engine/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

namespace assay::engine {
namespace {

// Room on disk is taken in steps ahead of what is written: blocks found one by one cost several times the copy.
constexpr uint64_t kAllocated = 64 << 20;
// What is written at one time, up to a multiple of it in the file: pieces are often a few bytes, and of more than half
// a MiB the kernel takes several times as long for each byte.
constexpr size_t kPiece = 256 << 10;

std::unexpected<Error> io(const char* what) {
  return fail(Fault::kIo, std::string(what) + ": " + std::strerror(errno));
}

// Writing from pages of a file that this process has not seen yet is done a page at a time, each tried twice: a mapped
// input is called in before.
void call_in(std::span<const std::byte> bytes) {
#ifdef MADV_POPULATE_READ
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto at = std::bit_cast<uintptr_t>(bytes.data()), begin = at / page * page;
  madvise(std::bit_cast<void*>(begin), at + bytes.size() - begin, MADV_POPULATE_READ);  // a wish: it may be refused
#endif
}

}  // namespace

Result<SharedArena> SharedArena::create(uint32_t id, const std::string& folder) {
  int fd = folder.empty() ? -1 : ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const bool on_disk = fd >= 0;
  if (fd < 0) fd = memfd_create("assay", MFD_CLOEXEC);
  if (fd < 0) return io("cannot make shared memory");
  // Written with pwrite, read through the mapping: half the cost of faulting each page in to write to it.
  void* base = mmap(nullptr, kArenaRoom, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) {
    close(fd);
    return io("cannot map shared memory");
  }
  SharedArena arena(id, fd, static_cast<std::byte*>(base), kArenaRoom, 0, true);
  arena.on_disk_ = on_disk;
  return arena;
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
      written_(other.written_),
      pending_(std::move(other.pending_)),
      allocated_(other.allocated_),
      on_disk_(other.on_disk_),
      held_back_(other.held_back_),
      writable_(other.writable_),
      likeness_(std::move(other.likeness_)) {}

SharedArena::~SharedArena() {
  if (base_) munmap(base_, room_);
  if (fd_ >= 0) close(fd_);
}

Result<void> SharedArena::append(std::span<const std::byte> piece) {
  ASSAY_CHECK(writable_);
  if (piece.size() > room_ - size_) return fail(Fault::kLimit, "no room for decoded bytes");
  if (pending_.size() + piece.size() <= held_back_) {
    if (pending_.empty()) pending_.reserve(held_back_);
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    size_ += piece.size();
    return {};
  }
  for (auto rest = piece; !rest.empty();) {
    const size_t room = kPiece - (written_ + pending_.size()) % kPiece;
    const auto now = rest.first(std::min(rest.size(), room));
    const bool direct = pending_.empty() && now.size() == room;
    if (!direct) pending_.insert(pending_.end(), now.begin(), now.end());
    if (direct) call_in(now);
    if (auto done = direct ? write_all(now) : now.size() == room ? write_pending() : Result<void>{}; !done) {
      forget(size_);
      return done;
    }
    rest = rest.subspan(now.size());
  }
  size_ += piece.size();
  return {};
}

void SharedArena::allocate(uint64_t end) const {
  for (; on_disk_ && allocated_ < end; allocated_ += kAllocated)
    if (fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(allocated_), kAllocated) != 0) on_disk_ = false;
}

Result<void> SharedArena::write_all(std::span<const std::byte> bytes) const {
  allocate(written_ + bytes.size());
  while (!bytes.empty()) {
    const size_t now = std::min(bytes.size(), kPiece - written_ % kPiece);
    const ssize_t done = pwrite(fd_, bytes.data(), now, static_cast<off_t>(written_));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return io("cannot grow shared memory");
    written_ += static_cast<uint64_t>(done);
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
  return {};
}

Result<void> SharedArena::write_pending() const {
  auto done = write_all(pending_);
  if (done) pending_.clear();
  return done;
}

void SharedArena::flush() const {
  // Whoever reads next would fault behind the file's end: memory is used up, and this process cannot go on.
  if (!pending_.empty() && !write_pending()) throw std::bad_alloc();
}

void SharedArena::truncate(uint64_t size) {
  if (!writable_ || size >= size_) return;
  size_ = size;
  forget(size);
}

void SharedArena::forget(uint64_t from) {
  if (from >= written_) return pending_.resize(from - written_);
  pending_.clear();
  written_ = from;
}

Bytes SharedArena::recent(uint64_t at, uint64_t size) const {
  if (at < written_ || at + size > size_) return view(at, size);
  return Bytes(std::span<const std::byte>(pending_).subspan(at - written_, size));
}

Bytes SharedArena::view(uint64_t at, uint64_t size) const {
  ASSAY_CHECK(at <= room_ && size <= room_ - at);
  if (at + size > written_) flush();
  return Bytes(std::span<const std::byte>(base_ + at, size));
}

void SharedArena::make_readonly() {
  if (!writable_) return;
  writable_ = false;
  close(std::exchange(fd_, -1));
}

void SharedArena::set_size(uint64_t size) { size_ = written_ = std::min(size, room_); }

bool SharedArena::holds(uint64_t at, uint64_t size) const {
  struct stat now{};
  const uint64_t real = fd_ >= 0 && fstat(fd_, &now) == 0 ? static_cast<uint64_t>(now.st_size) : size_;
  return at <= real && size <= real - at;
}

}  // namespace assay::engine
