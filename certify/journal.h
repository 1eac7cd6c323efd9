// Where entries become durable before they are in tiles: one file of records, and a mapped file that says how far it is
// written, synced and published, shared by every process that has the log open.
//
//   journal: "assayjnl", u64 index of the first record; records: u32 length, u32 CRC-32 over index and bytes, bytes;
//   after the last one eight bytes 0xff, which the next record overwrites; then whatever, at first more 0xff
//
// A writer appends under one lock, then waits for a second one to sync: whoever gets it syncs for all that wrote
// before, and the others find their entries durable. A record that a killed writer left half is overwritten by the
// next, and the mark behind that one keeps whatever else the dead writer left from being read. After a restart of the
// machine (another boot id) the mapped file is not believed and the records are read again up to the first that does
// not check out; what was acknowledged was synced, so it is before that. The file is made longer a megabyte at a time:
// a record that overwrites is durable once its bytes are, while each change of a file's length also waits until the
// file system has recorded it, and with it whatever else it has to record.
#pragma once
#include "certify/files.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace assay::certify {

using Published = std::function<Result<uint64_t>()>;  // what the checkpoint says; asked where the mapped file cannot

class Journal {
 public:
  static Result<void> create(const std::string& folder, uint64_t first);
  static Result<Journal> open(const std::string& folder);
  Journal(Journal&& other) noexcept;
  ~Journal();

  Result<uint64_t> append(const std::vector<std::string>& entries,
                          const Published& published);  // durable when it returns
  Result<uint64_t> sync(const Published& published);    // how many entries are durable, all that are written

  // Up to `most` bytes of entries from `index` on; `index` is what the checkpoint says.
  Result<std::vector<std::string>> read(uint64_t index, uint64_t end, uint64_t most);
  void published(uint64_t size);  // the checkpoint says so, durably: the next read() begins where the last ended
  bool is_long() const;
  Result<void> begin_anew(uint64_t size);  // when everything is published; the caller holds hold()

  class Held {  // no entry is appended while this lives
   public:
    explicit Held(int fd) : fd_(fd) {}
    Held(Held&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    ~Held();

   private:
    int fd_;
  };
  Result<Held> hold();

 private:
  struct Shared;
  struct Place {
    uint64_t count, bytes;  // the record of this index is at this byte of the file
  };
  static constexpr uint64_t kNowhere = ~0ull;
  explicit Journal(std::string folder) : folder_(std::move(folder)) {}
  Result<void> map();
  Result<void> ready(const Published& published);
  Result<void> recover(uint64_t published);
  Result<void> reopen();
  Result<void> sync_until(uint64_t count);
  Result<void> sync_now();
  std::unexpected<Error> lost_writes() const;
  Result<void> write_at(uint64_t at, std::string_view bytes);
  void make_longer(uint64_t end);
  Result<Place> walk(uint64_t until, uint64_t& first) const;
  Result<uint64_t> place_of(uint64_t index) const;
  std::unexpected<Error> lacks(uint64_t published, uint64_t first, uint64_t count) const;

  std::string folder_;
  File file_, append_lock_, sync_lock_, state_file_;
  uint64_t opened_ = kNowhere;  // first index of the file that is open
  Place read_to_{kNowhere, 0};
  Shared* shared_ = nullptr;
};

}  // namespace assay::certify
