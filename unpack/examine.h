// The arrow "unpack": one content in, its format, its entries and the account of its every byte out.
// Top-down first: a format that reaches from the first byte to the last (padding aside) is believed; only what no
// format explains is carved. Entries are not opened further here: the engine does that, content by content.
#pragma once
#include "unpack/format.h"

#include <vector>

namespace assay::unpack {

enum class Role : uint8_t {
  kImage,  // the input
  kPart,   // a range of a container, or what a stream decoded to: searched for structures inside
  kFile,   // a stored file: only searched when its own type is not known
};

// Append-only memory for decoded bytes; the engine shares it between processes.
class Arena {
 public:
  virtual ~Arena() = default;
  virtual uint32_t id() const = 0;
  virtual uint64_t size() const = 0;
  virtual Result<void> append(std::span<const std::byte> piece) = 0;  // kLimit: no room
  virtual void truncate(uint64_t size) = 0;                           // forgets what was appended after `size`
  virtual Bytes view(uint64_t at, uint64_t size) const = 0;           // valid until truncated below it
  // The same bytes, valid until the next append: what was appended last may not have to be written for that.
  virtual Bytes recent(uint64_t at, uint64_t size) const { return view(at, size); }
  // What entries are known by (Entry::sha256): the digest, or in a run that needs none something that only tells apart.
  virtual Digest digest(Bytes bytes) const { return sha256(bytes); }
};

// For tests and fuzzing: an arena in this process's own memory.
class LocalArena final : public Arena {
 public:
  explicit LocalArena(uint64_t limit, uint32_t id = 1) : limit_(limit), id_(id) {}
  uint32_t id() const override { return id_; }
  uint64_t size() const override { return size_; }
  Result<void> append(std::span<const std::byte> piece) override;
  void truncate(uint64_t size) override;
  Bytes view(uint64_t at, uint64_t size) const override;

 private:
  static constexpr uint64_t kChunk = 1 << 20;
  uint64_t limit_;
  uint32_t id_;
  uint64_t size_ = 0;
  std::vector<std::byte> bytes_;
};

struct Budget {
  uint64_t bytes = 512 << 20;  // decoded
  uint64_t entries = 1'000'000;
  uint64_t steps = 200'000'000;  // records walked, candidates tried
  bool leaf = false;             // the result matters only if nothing lies inside: `limited` ends the work
  FIELDS(v("bytes", s.bytes); v("entries", s.entries); v("steps", s.steps))
};

// Key files a laboratory supplied: format id -> content.
using Keys = std::vector<std::pair<std::string, std::string>>;

// Looks at what a container stores while the bytes are in memory.
class Onlooker {
 public:
  virtual ~Onlooker() = default;
  // A stored file that is to be the entry of this number. True: nobody will ask for its bytes, the arena may forget
  // them (Place::held).
  virtual bool saw(size_t number, const Entry& entry, Bytes bytes) = 0;
};

// `place` is where `content` lies, so that entries stored as they are need no copy. Never fails: what goes wrong is in
// the result's problems. A hit budget sets `limited`.
Unpacked examine(Bytes content, Place place, Role role, const Keys& keys, const Budget& budget, Arena& arena,
                 Onlooker* onlooker = nullptr);

// Whether file analyses should read this content's own bytes: leaves, and containers that are programs as well.
bool is_readable(const Unpacked& unpacked);

// Of everything the result depends on beside content, role and keys: the driver and every format's version.
Digest unpack_version();

}  // namespace assay::unpack
