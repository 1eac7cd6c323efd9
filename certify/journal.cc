#include "certify/journal.h"

#include "certify/log.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <optional>

namespace assay::certify {

// Mapped by every process; written under the append lock except `durable` (sync lock) and `published*` (publish lock).
// Any process may die between any two stores: the end is written beside the one in force, then put in force by one
// store, and `published` is kNowhere while `published_bytes` changes.
struct Journal::Shared {
  char boot[40];
  struct {
    std::atomic<uint64_t> count, bytes;
  } ends[2];
  std::atomic<uint64_t> in_force, first, durable, broken, published, published_bytes;

  Place end() const {
    const auto& now = ends[in_force & 1];
    return {now.count, now.bytes};
  }
  void set_end(Place to) {
    const uint64_t other = ~in_force & 1;
    ends[other].count = to.count, ends[other].bytes = to.bytes;
    in_force = other;
  }
  void set_published(Place to) {
    published = kNowhere;
    published_bytes = to.bytes;
    published = to.count;
  }
};

namespace {

constexpr std::string_view kMagic = "assayjnl";
constexpr uint64_t kHeader = 16, kRecordHead = 8, kLong = 16 << 20, kGrowth = 1 << 20;  // bytes
constexpr std::string_view kEndMark = "\xff\xff\xff\xff\xff\xff\xff\xff";               // a length no record has

std::string little(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

uint32_t check_of(uint64_t index, std::string_view entry) {
  return crc32(Bytes(entry), crc32(Bytes(little(index, 8))));
}

std::string record(uint64_t index, const std::string& entry) {
  return little(entry.size(), 4) + little(check_of(index, entry), 4) + entry;
}

// The record at `at`; none where it does not check out.
std::optional<std::string> record_at(Bytes journal, uint64_t at, uint64_t index) {
  const auto length = journal.le<uint32_t>(at, "length"), check = journal.le<uint32_t>(at + 4, "crc32");
  if (!length || !check || *length > kLongestEntry) return {};
  const auto entry = journal.slice(at + kRecordHead, *length, "entry");
  if (!entry || check_of(index, entry->text()) != *check) return {};
  return std::string(entry->text());
}

// Which boot, and which layout of the mapped file. Without it, what a boot before left there could not be told from
// what is in force.
Result<std::string> read_boot_id() {
  constexpr const char* kPlace = "/proc/sys/kernel/random/boot_id";
  const std::string id = TRY(read_file(kPlace, 64));
  if (id.size() < 36) return fail(Fault::kIo, std::string(kPlace) + ": no boot id, but \"" + id + "\"");
  std::string out = id.substr(0, 36) + "/2";
  out.resize(40);
  return out;
}
const Result<std::string>& boot_id() {
  static const Result<std::string> id = read_boot_id();  // no process outlives its boot
  return id;
}

Result<File> open_file(const std::string& path, int flags) {
  File file(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!file) return system_error("open " + path);
  return file;
}

// Many writers that sleep on one file lock are woken all at once for each that gets it; the lock is held for
// microseconds, so it is tried a little first.
Result<Journal::Held> lock_file(const File& file, const std::string& folder) {
  constexpr int kTries = 40;
  for (int i = 0; i < kTries; ++i) {
    if (flock(file.fd(), LOCK_EX | LOCK_NB) == 0) return Journal::Held(file.fd());
    sched_yield();
  }
  while (flock(file.fd(), LOCK_EX) != 0)
    if (errno != EINTR) return system_error("lock " + folder);
  return Journal::Held(file.fd());
}

// The low half of a counter in the mapped file, as a futex that all processes share (little-endian, like x86 and ARM).
uint32_t* word_of(std::atomic<uint64_t>& counter) { return reinterpret_cast<uint32_t*>(&counter); }

// Until the counter is no longer `seen`, or two milliseconds: who was to change it may have been killed.
void wait_for_change(std::atomic<uint64_t>& counter, uint64_t seen) {
  const timespec most{0, 2'000'000};
  syscall(SYS_futex, word_of(counter), FUTEX_WAIT, static_cast<uint32_t>(seen), &most, nullptr, 0);
}
void wake_all(std::atomic<uint64_t>& counter) {
  syscall(SYS_futex, word_of(counter), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

Journal::Held::~Held() {
  if (fd_ >= 0) flock(fd_, LOCK_UN);
}

Journal::Journal(Journal&& other) noexcept
    : folder_(std::move(other.folder_)),
      file_(std::move(other.file_)),
      append_lock_(std::move(other.append_lock_)),
      sync_lock_(std::move(other.sync_lock_)),
      state_file_(std::move(other.state_file_)),
      opened_(other.opened_),
      read_to_(other.read_to_),
      shared_(std::exchange(other.shared_, nullptr)) {}

Journal::~Journal() {
  if (shared_) munmap(shared_, sizeof(Shared));
}

Result<void> Journal::create(const std::string& folder, uint64_t first) {
  return write_durably(folder + "/journal", std::string(kMagic) + little(first, 8));
}

Result<Journal> Journal::open(const std::string& folder) {
  Journal journal(folder);
  TRY_VOID(journal.map());
  return journal;
}

Result<void> Journal::map() {
  append_lock_ = TRY(open_file(folder_ + "/lock.append", O_RDWR | O_CREAT));
  sync_lock_ = TRY(open_file(folder_ + "/lock.sync", O_RDWR | O_CREAT));
  state_file_ = TRY(open_file(folder_ + "/state", O_RDWR | O_CREAT));
  const Held held = TRY(lock_file(append_lock_, folder_));
  struct stat at{};
  if (fstat(state_file_.fd(), &at) != 0) return system_error("read " + folder_ + "/state");
  if (at.st_size < static_cast<off_t>(sizeof(Shared)))
    errno = posix_fallocate(state_file_.fd(), 0, sizeof(Shared));  // it sets none itself
  if (at.st_size < static_cast<off_t>(sizeof(Shared)) && errno != 0) return system_error("write " + folder_ + "/state");
  void* mapped = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, state_file_.fd(), 0);
  if (mapped == MAP_FAILED) return system_error("map " + folder_ + "/state");
  shared_ = static_cast<Shared*>(mapped);
  return {};
}

Result<void> Journal::reopen() {
  if (file_ && opened_ == shared_->first) return {};
  file_ = TRY(open_file(folder_ + "/journal", O_RDWR));
  opened_ = shared_->first;
  return {};
}

// Under the append lock: the mapped file is of this boot, and the open file is the one it speaks of.
Result<void> Journal::ready(const Published& published) {
  if (std::memcmp(shared_->boot, TRY(boot_id()).data(), sizeof shared_->boot) != 0) TRY_VOID(recover(TRY(published())));
  if (shared_->broken) return lost_writes();
  return reopen();
}

std::unexpected<Error> Journal::lost_writes() const {
  return fail(Fault::kIo, folder_ +
                              ": the disk lost writes of the journal (fdatasync failed); check the disk, then remove " +
                              folder_ + "/state");
}

// From the first record to the one of index `until`, or to the first that does not check out.
Result<Journal::Place> Journal::walk(uint64_t until, uint64_t& first) const {
  const auto text = read_file(folder_ + "/journal", 1ull << 33);
  if (!text) return std::unexpected(text.error());
  const Bytes journal(*text);
  if (!journal.starts_with(kMagic))
    return fail(Fault::kMalformed, folder_ + "/journal: it does not begin with " + std::string(kMagic));
  first = TRY(journal.le<uint64_t>(8, "journal: first index"));
  Place at{first, kHeader};
  while (at.count < until) {
    const auto entry = record_at(journal, at.bytes, at.count);
    if (!entry) break;
    at.bytes += kRecordHead + entry->size();
    ++at.count;
  }
  return at;
}

std::unexpected<Error> Journal::lacks(uint64_t published, uint64_t first, uint64_t count) const {
  return fail(Fault::kMalformed, folder_ + "/journal: holds entries " + std::to_string(first) + " to " +
                                     std::to_string(count) + ", the checkpoint says " + std::to_string(published) +
                                     "; restore it from a copy");
}

Result<void> Journal::recover(uint64_t published) {
  uint64_t first = 0;
  const Place end = TRY(walk(kNowhere, first));
  if (end.count < published) return lacks(published, first, end.count);
  shared_->set_end(end);
  shared_->first = first, shared_->broken = 0, shared_->durable = published, shared_->published = kNowhere;
  std::memcpy(shared_->boot, boot_id()->data(), sizeof shared_->boot);
  return {};
}

Result<void> Journal::write_at(uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_error("append to " + folder_ + "/journal");
    bytes.remove_prefix(static_cast<size_t>(wrote));
    at += static_cast<size_t>(wrote);
  }
  return {};
}

// So far that the record which ends at `end` changes no length. Where there is no room, all of it is given back: the
// record may still fit, and the tiles need some too.
void Journal::make_longer(uint64_t end) {
  struct stat at{};
  if (fstat(file_.fd(), &at) != 0 || static_cast<uint64_t>(at.st_size) >= end) return;
  if (!write_at(static_cast<uint64_t>(at.st_size), std::string(kGrowth, '\xff')))
    (void)!ftruncate(file_.fd(), at.st_size);
}

Result<uint64_t> Journal::append(const std::vector<std::string>& entries, const Published& published) {
  uint64_t index = 0;
  {
    const Held held = TRY(lock_file(append_lock_, folder_));
    TRY_VOID(ready(published));
    const Place end = shared_->end();
    index = end.count;
    std::string bytes;
    for (size_t i = 0; i < entries.size(); ++i) bytes += record(index + i, entries[i]);
    const uint64_t after = end.bytes + bytes.size();
    bytes += kEndMark;
    make_longer(end.bytes + bytes.size());
    TRY_VOID(write_at(end.bytes, bytes));
    shared_->set_end({index + entries.size(), after});
  }
  TRY_VOID(sync_until(index + entries.size()));
  return index;
}

// One syncs for all that wrote before; the others wait for the count and are woken together.
Result<void> Journal::sync_until(uint64_t count) {
  while (shared_->durable < count) {
    if (shared_->broken) return lost_writes();
    const uint64_t seen = shared_->durable;
    if (flock(sync_lock_.fd(), LOCK_EX | LOCK_NB) == 0) {
      const Held held(sync_lock_.fd());
      if (shared_->durable < count) TRY_VOID(sync_now());
    } else if (errno == EWOULDBLOCK || errno == EINTR) {
      wait_for_change(shared_->durable, seen);
    } else {
      return system_error("lock " + folder_);
    }
  }
  return {};
}

// The caller holds the sync lock.
Result<void> Journal::sync_now() {
  const uint64_t written = shared_->end().count;  // all of it is in the page cache: the count is raised after the write
  TRY_VOID(reopen());
  if (fdatasync(file_.fd()) != 0) {
    shared_->broken = 1;
    return system_error("make " + folder_ + "/journal durable");
  }
  shared_->durable = written;
  wake_all(shared_->durable);
  return {};
}

Result<uint64_t> Journal::sync(const Published& published) {
  uint64_t count = 0;
  {
    const Held held = TRY(lock_file(append_lock_, folder_));
    TRY_VOID(ready(published));
    count = shared_->end().count;
  }
  TRY_VOID(sync_until(count));
  return count;
}

// Where the record of `index` is: remembered, unless a publisher died between the checkpoint and published().
Result<uint64_t> Journal::place_of(uint64_t index) const {
  if (shared_->published == index) return shared_->published_bytes.load();
  uint64_t first = 0;
  const Place at = TRY(walk(index, first));
  if (at.count != index) return lacks(index, first, at.count);
  return at.bytes;
}

Result<std::vector<std::string>> Journal::read(uint64_t index, uint64_t end, uint64_t most) {
  TRY_VOID(reopen());
  const uint64_t from = TRY(place_of(index));
  std::string text(std::min<uint64_t>(shared_->end().bytes - from, most + kLongestEntry + kRecordHead), '\0');
  const ssize_t got = pread(file_.fd(), text.data(), text.size(), static_cast<off_t>(from));
  if (got < 0) return system_error("read " + folder_ + "/journal");
  const Bytes journal(std::string_view(text).substr(0, static_cast<size_t>(got)));
  std::vector<std::string> out;
  uint64_t at = 0;
  while (at < most && index + out.size() < end) {
    auto entry = record_at(journal, at, index + out.size());
    if (!entry)
      return fail(Fault::kMalformed, folder_ + "/journal: entry " + std::to_string(index + out.size()) + " is damaged");
    at += kRecordHead + entry->size();
    out.push_back(std::move(*entry));
  }
  read_to_ = {index + out.size(), from + at};
  return out;
}

void Journal::published(uint64_t size) {
  if (read_to_.count == size) shared_->set_published(read_to_);
}

bool Journal::is_long() const { return shared_->end().bytes > kLong; }

Result<Journal::Held> Journal::hold() { return lock_file(append_lock_, folder_); }

Result<void> Journal::begin_anew(uint64_t size) {
  const Held held = TRY(lock_file(sync_lock_, folder_));
  if (shared_->end().count != size || shared_->durable != size) return {};
  std::memset(shared_->boot, 0, sizeof shared_->boot);  // a death from here on: read the file again
  TRY_VOID(create(folder_, size));
  shared_->first = size;
  shared_->set_end({size, kHeader});
  shared_->set_published({size, kHeader});
  std::memcpy(shared_->boot, boot_id()->data(), sizeof shared_->boot);
  return {};
}

}  // namespace assay::certify
