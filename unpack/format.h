// A format: how to recognise it, how long it is, what is inside. A format is a constant; it has no state and touches
// no file system. There are three kinds, told apart by which functions are set:
//   container  measure + unpack   headers, archives, file systems
//   stream     decode             one compressed stream: finding its end and decoding it are the same work
//   leaf       measure            a typed file that is not opened further (ELF, PNG, …)
#pragma once
#include "core/artifact.h"
#include "unpack/output.h"

#include <span>
#include <string>
#include <string_view>

namespace assay::unpack {

struct Magic {
  std::string_view bytes;
  uint64_t offset = 0;  // from the start of the structure; negative: from the content's end (never carved)
};

// How long a structure is, and whether a checksum, signature or complete decode agreed, or several fields that no
// chance brings together (PE, ELF).
// Of two candidate parses the verified one wins, then the one that covers more.
struct Measured {
  uint64_t length;
  bool verified;
};

struct Decoded {
  uint64_t length;        // of the compressed stream, in bytes of the input
  std::string name = {};  // stored in the stream (gzip FNAME); raw, may be empty
  bool verified = true;   // false: the decoder ended well but nothing in the format confirms it
};

// Where an entry's bytes are: views into the container, in order, or what a codec has just written to Sink::output().
struct Content {
  std::vector<Bytes> extents;  // stored: the bytes themselves; decoded: the ranges they were decoded from
  std::string codec = {};      // empty: stored as is; else the bytes are those written to output() since the last entry
  bool unreadable = false;     // the bytes exist but could not be read (a problem says why)
};
inline Content stored(Bytes bytes) { return {{bytes}, {}}; }
inline Content unreadable() { return {.extents = {}, .codec = {}, .unreadable = true}; }
inline Content nothing() { return {}; }  // directories, links, devices, empty files

// A checksum the format stores and whether it holds (compared with checksum_holds).
inline Integrity checksum(std::string_view name, std::string_view algorithm, bool holds, uint64_t offset) {
  return {.kind = "checksum",
          .name = std::string(name),
          .algorithm = std::string(algorithm),
          .state = holds ? "valid" : "invalid",
          .offset = offset};
}

// Receives what was found inside. It owns the budgets (bytes, nodes, steps), so a format needs none: it passes on the
// error it is given. What no call covers stays "unknown". Offsets are relative to the `whole` that unpack was given
// (so are Problem and Note offsets); views passed as extents must come from `whole`.
class Sink {
 public:
  virtual ~Sink() = default;

  virtual Output& output() = 0;  // for the next child or node; drop what was written with discard()
  virtual void discard() = 0;

  virtual Result<void> child(std::string_view name, Content content) = 0;  // a part that is itself to be examined
  virtual Result<void> node(Node node, Content content) = 0;               // an entry of a file system or archive

  virtual void range(Range range, uint64_t offset, uint64_t length) = 0;
  virtual void note(std::string_view name, std::string value, uint64_t offset) = 0;
  // A checksum, signature or hash tree of the format: what it protects was compared, or why it could not be.
  virtual void integrity(Integrity integrity) = 0;
  virtual void opened(OpenedWith opened) = 0;         // encrypted, opened with a documented key: the report states it
  virtual void problem(Error error) = 0;              // a part could not be read; the rest goes on
  virtual Result<void> step(uint64_t steps = 1) = 0;  // work that yields nothing: records walked, blocks looked up

  // The key a laboratory supplied for this format id (--key), or empty.
  virtual Bytes key(std::string_view format) const = 0;
};

struct Format {
  std::string_view id;  // stable: reports, tests and certificates carry it
  std::string_view title;
  uint32_t version = 1;                // raise it when the output for some input changes
  std::span<const Magic> magics = {};  // any of them; empty: never carved, tried at the start of parts only
  Result<Measured> (*measure)(Bytes from) =
      nullptr;  // exact length, or why it is not one of ours; cheap refusals first
  Result<void> (*unpack)(Bytes whole, Sink& into) = nullptr;
  Result<Decoded> (*decode)(Bytes from, Output& into) = nullptr;
  bool readable = false;          // a container whose own bytes file analyses read as well (a kernel with an initramfs)
  bool carve = true;              // looked for at any offset; false: only at the start of a content
  std::string_view reads = {};    // variants that are read, in words; empty: the one the title names
  std::string_view limits = {};   // what it does not read; empty: nothing known
  std::string_view source = {};   // where its layout is specified
  std::string_view checked = {};  // against what the reader was held: real images, foreign tools, own builder only
};

std::span<const Format* const> formats();  // in alphabetical order of id
const Format* find_format(std::string_view id);

}  // namespace assay::unpack
