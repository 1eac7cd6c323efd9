// decode_once IMAGE: the least that unpacking an image can cost: every compressed stream in it decoded once, with the
// same libraries, and what comes out thrown away.
//
// The image is first unpacked by the room's own driver, content by content, as the engine does it. Each call of a codec
// that yields bytes is noted with the exact bytes it used; of calls on the same bytes the last one counts. Then only
// these calls are made again, and only they are timed (user and system time of this process, median of five rounds); so
// is reading the image's file, which is printed beside it.
// A stream that needed lzma_open because its size is not stored is decoded by liblzma here: the size is known by now.
#include "unpack/codecs.h"
#include "unpack/examine.h"
#include "unpack/formats/erofs.h"
#include "unpack/lzma_open.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace assay::unpack {
namespace {

using Decode = std::function<void(Bytes, Output&)>;

struct Stream {
  std::string bytes;
  uint64_t decoded = 0;
  Decode decode;
};
std::map<Digest, Stream> streams;
bool replaying = false;

// Passes bytes on and counts them.
class Counted final : public Output {
 public:
  explicit Counted(Output& into) : into_(into) {}
  Result<void> write(std::span<const std::byte> piece) override {
    auto done = into_.write(piece);
    if (done) count_ += piece.size();
    return done;
  }
  uint64_t written() const override { return into_.written(); }
  uint64_t count() const { return count_; }

 private:
  Output& into_;
  uint64_t count_ = 0;
};

// Throws bytes away, and stops where the first run stopped.
class Nowhere final : public Output {
 public:
  explicit Nowhere(uint64_t limit) : limit_(limit) {}
  Result<void> write(std::span<const std::byte> piece) override {
    written_ += piece.size();
    if (written_ > limit_) return fail(Fault::kLimit, "enough");
    return {};
  }
  uint64_t written() const override { return written_; }

 private:
  uint64_t limit_, written_ = 0;
};

void note(Bytes used, uint64_t decoded, Decode decode) {
  if (decoded == 0 || replaying) return;
  streams[sha256(used)] = {std::string(used.text()), decoded, std::move(decode)};
}

using Whole = Result<uint64_t>(Bytes, Output&);
using Block = Result<void>(Bytes, uint64_t, Output&);

Result<uint64_t> noted(Whole* real, Bytes from, Output& into) {
  Counted counted(into);
  auto used = real(from, counted);
  if (used) note(from.head(*used), counted.count(), [real](Bytes b, Output& o) { (void)real(b, o); });
  return used;
}

Result<void> noted(Block* real, Bytes from, uint64_t most, Output& into) {
  Counted counted(into);
  auto done = real(from, most, counted);
  if (done) note(from, counted.count(), [real, most](Bytes b, Output& o) { (void)real(b, most, o); });
  return done;
}

}  // namespace

// The linker sends calls of NAME to __wrap_NAME and calls of __real_NAME to NAME.
#define WHOLE(function, mangled)                                                         \
  Result<uint64_t> real_##function(Bytes, Output&) __asm__("__real_" mangled);           \
  Result<uint64_t> wrap_##function(Bytes from, Output& into) __asm__("__wrap_" mangled); \
  Result<uint64_t> wrap_##function(Bytes from, Output& into) { return noted(real_##function, from, into); }
WHOLE(inflate_gzip, "_ZN5assay6unpack12inflate_gzipENS_5BytesERNS0_6OutputE")
WHOLE(inflate_zlib, "_ZN5assay6unpack12inflate_zlibENS_5BytesERNS0_6OutputE")
WHOLE(inflate_raw, "_ZN5assay6unpack11inflate_rawENS_5BytesERNS0_6OutputE")
WHOLE(decode_bzip2, "_ZN5assay6unpack12decode_bzip2ENS_5BytesERNS0_6OutputE")
WHOLE(decode_xz, "_ZN5assay6unpack9decode_xzENS_5BytesERNS0_6OutputE")
WHOLE(decode_lzma_alone, "_ZN5assay6unpack17decode_lzma_aloneENS_5BytesERNS0_6OutputE")
WHOLE(decode_zstd, "_ZN5assay6unpack11decode_zstdENS_5BytesERNS0_6OutputE")
WHOLE(decode_lz4_frame, "_ZN5assay6unpack16decode_lz4_frameENS_5BytesERNS0_6OutputE")
WHOLE(decode_lz4_legacy, "_ZN5assay6unpack17decode_lz4_legacyENS_5BytesERNS0_6OutputE")

#define BLOCK(function, mangled)                                                                    \
  Result<void> real_##function(Bytes, uint64_t, Output&) __asm__("__real_" mangled);                \
  Result<void> wrap_##function(Bytes from, uint64_t most, Output& into) __asm__("__wrap_" mangled); \
  Result<void> wrap_##function(Bytes from, uint64_t most, Output& into) {                           \
    return noted(real_##function, from, most, into);                                                \
  }
BLOCK(decode_lz4_block, "_ZN5assay6unpack16decode_lz4_blockENS_5BytesEmRNS0_6OutputE")
BLOCK(decode_lzo1x, "_ZN5assay6unpack12decode_lzo1xENS_5BytesEmRNS0_6OutputE")

#define LZMA_RAW "_ZN5assay6unpack15decode_lzma_rawENS_5BytesENS0_14LzmaPropertiesESt8optionalImERNS0_6OutputE"
using OptionalSize = std::optional<uint64_t>;
Result<uint64_t> real_lzma_raw(Bytes, LzmaProperties, OptionalSize, Output&) __asm__("__real_" LZMA_RAW);
Result<uint64_t> wrap_lzma_raw(Bytes, LzmaProperties, OptionalSize, Output&) __asm__("__wrap_" LZMA_RAW);
Result<uint64_t> wrap_lzma_raw(Bytes from, LzmaProperties properties, OptionalSize size, Output& into) {
  Counted counted(into);
  auto used = real_lzma_raw(from, properties, size, counted);
  // Without a size the caller cuts off what follows the block's end, which comes back as an error.
  if (used || !size)
    note(used ? from.head(*used) : from, counted.count(),
         [=](Bytes b, Output& o) { (void)real_lzma_raw(b, properties, size, o); });
  return used;
}

// A cluster of EROFS in LZ4 or LZMA goes to the libraries directly; deflate and Zstandard pass through the above.
#define EROFS "_ZN5assay6unpack5erofs14decode_clusterEhNS_5BytesEmRKNS1_5SuperERNS0_6OutputE"
Result<void> real_erofs(uint8_t, Bytes, uint64_t, const erofs::Super&, Output&) __asm__("__real_" EROFS);
Result<void> wrap_erofs(uint8_t, Bytes, uint64_t, const erofs::Super&, Output&) __asm__("__wrap_" EROFS);
Result<void> wrap_erofs(uint8_t algorithm, Bytes from, uint64_t size, const erofs::Super& super, Output& into) {
  auto done = real_erofs(algorithm, from, size, super, into);
  if (done && algorithm <= 1)
    note(from, size, [=](Bytes b, Output& o) { (void)real_erofs(algorithm, b, size, super, o); });
  return done;
}

#define LZMA_OPEN "_ZN5assay6unpack16decode_lzma_openENS_5BytesENS0_14LzmaPropertiesERNS0_6OutputE"
Result<uint64_t> real_lzma_open(Bytes, LzmaProperties, Output&) __asm__("__real_" LZMA_OPEN);
Result<uint64_t> wrap_lzma_open(Bytes, LzmaProperties, Output&) __asm__("__wrap_" LZMA_OPEN);
Result<uint64_t> wrap_lzma_open(Bytes from, LzmaProperties properties, Output& into) {
  Counted counted(into);
  auto used = real_lzma_open(from, properties, counted);
  if (!used) return used;
  const uint64_t size = counted.count();
  const bool library = properties.lc + properties.lp <= 4;
  note(from.head(*used), size, [=](Bytes b, Output& o) {
    (void)(library ? real_lzma_raw(b, properties, size, o) : real_lzma_open(b, properties, o));
  });
  return used;
}

namespace {

// Everything in the image, each distinct content once.
class Walk {
 public:
  Walk() : arena_(uint64_t{16} << 30) {}

  void all(Bytes image) {
    open(image, {0, 0, image.size(), true}, Role::kImage, 0);
    while (!waiting_.empty()) {
      const Waiting next = waiting_.front();
      waiting_.pop_front();
      open(bytes_of(next.place, image), next.place, next.role, next.depth);
    }
  }

 private:
  struct Waiting {
    Place place;
    Role role;
    uint32_t depth;
  };

  Bytes bytes_of(const Place& place, Bytes image) const {
    return place.arena == 0 ? image.head(place.size, place.at).rebased(0) : arena_.view(place.at, place.size);
  }

  void open(Bytes content, Place place, Role role, uint32_t depth) {
    entries(examine(content, place, role, {}, {.bytes = uint64_t{8} << 30}, arena_), depth);
  }

  void entries(const Unpacked& unpacked, uint32_t depth) {
    if (depth > 24) return;
    for (const Entry& entry : unpacked.entries) {
      if (!entry.has_content || entry.size == 0 || !entry.place.held) continue;
      const Role role = entry.node.kind == Kind::kPart ? Role::kPart : Role::kFile;
      if (!entry.inner.empty()) {
        for (const Unpacked& inner : entry.inner) entries(inner, depth + 1);
      } else if (seen_.insert({entry.sha256, role}).second) {
        waiting_.push_back({entry.place, role, depth + 1});
      }
    }
  }

  LocalArena arena_;
  std::deque<Waiting> waiting_;
  std::set<std::pair<Digest, Role>> seen_;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double replay() {
  const double before = cpu_seconds();
  for (const auto& [digest, stream] : streams) {
    Nowhere nowhere(stream.decoded);
    stream.decode(Bytes(stream.bytes), nowhere);
  }
  return cpu_seconds() - before;
}

// The file's bytes, and the CPU time of reading them in pieces.
std::string read_file(const char* path, double& seconds) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::string image(in ? static_cast<size_t>(in.tellg()) : 0, '\0');
  in.seekg(0);
  in.read(image.data(), static_cast<std::streamsize>(image.size()));
  in.seekg(0);
  std::vector<char> piece(1 << 20);
  const double before = cpu_seconds();
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size()))) {
  }
  seconds = cpu_seconds() - before;
  return image;
}

int run(const char* path) {
  double reading = 0;
  const std::string image = read_file(path, reading);
  if (image.empty()) {
    std::fprintf(stderr, "decode_once: cannot read %s\n", path);
    return 2;
  }
  Walk().all(Bytes(image));
  replaying = true;
  uint64_t bytes_in = 0, bytes_out = 0;
  for (const auto& [digest, stream] : streams) bytes_in += stream.bytes.size(), bytes_out += stream.decoded;
  std::vector<double> rounds;
  for (int i = 0; i < 5; ++i) rounds.push_back(replay());
  std::ranges::sort(rounds);
  std::printf("%zu streams %llu bytes_in %llu bytes_out %.6f cpu_seconds %.6f read_seconds\n", streams.size(),
              static_cast<unsigned long long>(bytes_in), static_cast<unsigned long long>(bytes_out), rounds[2],
              reading);
  return 0;
}

}  // namespace
}  // namespace assay::unpack

int main(int count, char** arguments) {
  if (count == 2) return assay::unpack::run(arguments[1]);
  std::fprintf(stderr, "usage: decode_once IMAGE\n");
  return 2;
}
