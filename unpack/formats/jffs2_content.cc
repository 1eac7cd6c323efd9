// The content of one JFFS2 file out of its data nodes.
#include "unpack/codecs.h"
#include "unpack/formats/jffs2_codecs.h"
#include "unpack/formats/jffs2_volume.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr uint32_t kLargestNode = 1 << 20;  // decoded bytes; Linux writes at most one page (64 KiB) a node

struct Piece {  // of a file, the newest data for it
  uint64_t end;
  const Jffs2Data* data;
};
using Pieces = std::map<uint64_t, Piece>;

// Puts `data` over what older versions wrote.
void lay(Pieces& pieces, const Jffs2Data& data) {
  const uint64_t from = data.offset, to = from + data.size;
  auto it = pieces.upper_bound(from);
  if (it != pieces.begin()) {
    const auto before = std::prev(it);
    const Piece old = before->second;
    if (old.end > from) {
      before->second.end = from;
      if (old.end > to) pieces.emplace(to, old);
      if (before->first == from) pieces.erase(before);
    }
  }
  for (it = pieces.lower_bound(from); it != pieces.end() && it->first < to; it = pieces.erase(it))
    if (it->second.end > to) pieces.emplace(to, it->second);
  pieces[from] = {to, &data};
}

// Linux since 2.6.10 writes streams with probabilities as number 3, older versions as 5. The stream itself decides.
Result<void> decode_either_rubin(const Jffs2Data& data, Output& into) {
  if (decode_rubin(data.stored, data.size, true, into)) return {};
  return decode_rubin(data.stored, data.size, false, into);
}

Result<void> decode_stored(const Jffs2Data& data, Output& into) {
  switch (data.compression) {
    case 0:
      return into.write(data.stored.span());
    case 1:
      return into.zeros(data.size);
    case 2:
      return decode_rtime(data.stored, data.size, into);
    case 3:
    case 5:
      return decode_either_rubin(data, into);
    case 6: {
      TRY(inflate_zlib(data.stored, into));
      return {};
    }
    case 7:
      return decode_lzo1x(data.stored, data.size, into);
    case 8: {
      TRY(decode_lzma_raw(data.stored, {0, 0, 0, std::max(data.size, 0x2000u)}, data.size, into));
      return {};
    }
    default:
      break;
  }
  return fail(Fault::kUnsupported, "compression " + std::to_string(data.compression));
}

Result<void> decode(const Jffs2Data& data, MemoryOutput& into) {
  into.clear();
  if (data.size > kLargestNode)
    return fail(Fault::kUnsupported, "node of " + std::to_string(data.size) + " bytes", data.stored.base());
  auto done = decode_stored(data, into);
  if (!done && done.error().fault == Fault::kLimit)
    return fail(Fault::kMalformed, "yields more bytes than dsize says", data.stored.base());
  if (!done) return done;
  if (into.written() != data.size)
    return fail(Fault::kMalformed,
                "yields " + std::to_string(into.written()) + " of " + std::to_string(data.size) + " bytes",
                data.stored.base());
  return {};
}

class Writer {
 public:
  Writer(const std::string& path, Sink& into, Output& output, std::vector<Bytes>& used)
      : path_(path), into_(into), output_(output), used_(used) {}

  Result<void> write(const Pieces& pieces, uint64_t size) {
    uint64_t at = 0;
    for (const auto& [from, piece] : pieces) {
      if (from >= size) break;
      TRY_VOID(output_.zeros(from - at));
      at = std::min(piece.end, size);
      TRY_VOID(write_piece(*piece.data, from, at));
    }
    return output_.zeros(size - at);
  }

 private:
  Result<void> write_piece(const Jffs2Data& data, uint64_t from, uint64_t to) {
    if (data.compression == 1) return output_.zeros(to - from);
    if (&data != decoded_) TRY_VOID(prepare(data));
    if (!good_) return output_.zeros(to - from);
    return output_.write(out_->bytes().span().subspan(from - data.offset, to - from));
  }
  Result<void> prepare(const Jffs2Data& data) {
    TRY_VOID(into_.step(1 + data.size / 512));
    decoded_ = &data;
    out_.emplace(std::min(data.size, kLargestNode));
    auto done = decode(data, *out_);
    good_ = done.has_value();
    if (good_)
      used_.push_back(data.stored);
    else
      into_.problem(
          {done.error().fault, path_ + ": " + done.error().what + "; these bytes read as zeros", data.stored.base()});
    return {};
  }

  const std::string& path_;
  Sink& into_;
  Output& output_;
  std::vector<Bytes>& used_;
  const Jffs2Data* decoded_ = nullptr;
  std::optional<MemoryOutput> out_;
  bool good_ = false;
};

}  // namespace

Result<void> read_jffs2_content(const Jffs2File& file, const std::string& path, uint64_t limit, Sink& into,
                                Output& output, std::vector<Bytes>& used) {
  if (file.size > limit)
    return fail(Fault::kMalformed, path + ": size " + std::to_string(file.size) + " is too large for its kind");
  std::vector<const Jffs2Data*> order;
  for (const Jffs2Data& data : file.data) order.push_back(&data);
  std::ranges::stable_sort(order, {}, &Jffs2Data::version);
  Pieces pieces;
  for (const Jffs2Data* data : order) lay(pieces, *data);
  return Writer(path, into, output, used).write(pieces, file.size);
}

}  // namespace assay::unpack
