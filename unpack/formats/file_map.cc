#include "unpack/formats/file_map.h"

#include <algorithm>

namespace assay::unpack {

Result<void> FileMap::stored(uint64_t at, uint64_t size) {
  if (size == 0) return {};
  const Bytes bytes = TRY(whole_.slice(at, size, "data"));
  stored_ += size;
  if (stored_ > whole_.size()) return fail(Fault::kMalformed, "data is stored more than once", bytes.base());
  size_ += size;
  if (!pieces_.empty() && !pieces_.back().bytes.empty()) {
    Piece& last = pieces_.back();
    if (last.bytes.data() + last.size == bytes.data()) {
      last.size += size;
      last.bytes = whole_.head(last.size, last.bytes.base() - whole_.base());
      return {};
    }
  }
  pieces_.push_back({bytes, size});
  return {};
}

void FileMap::hole(uint64_t size) {
  if (size == 0) return;
  size_ += size;
  if (!pieces_.empty() && pieces_.back().bytes.empty())
    pieces_.back().size += size;
  else
    pieces_.push_back({{}, size});
}

void FileMap::fit(uint64_t size) {
  if (size_ < size) return hole(size - size_);
  while (size_ > size) {
    Piece& last = pieces_.back();
    const uint64_t cut = std::min(last.size, size_ - size);
    last.size -= cut;
    size_ -= cut;
    if (!last.bytes.empty()) last.bytes = last.bytes.head(last.size);
    if (last.size == 0) pieces_.pop_back();
  }
}

Result<Content> FileMap::content(Sink& into) const {
  Content content;
  const bool holes = std::ranges::any_of(pieces_, [](const Piece& p) { return p.bytes.empty(); });
  for (const Piece& p : pieces_) {
    if (holes) TRY_VOID(p.bytes.empty() ? into.output().zeros(p.size) : into.output().write(p.bytes.span()));
    if (!p.bytes.empty()) content.extents.push_back(p.bytes);
  }
  if (holes) content.codec = "sparse";
  return content;
}

void FileMap::claim(Sink& into) const {
  for (const Piece& p : pieces_)
    if (!p.bytes.empty()) into.range(Range::kHeader, p.bytes.base() - whole_.base(), p.size);
}

uint64_t FileMap::place(uint64_t at) const {
  for (const Piece& p : pieces_) {
    if (at < p.size) return p.bytes.empty() ? kNowhere : p.bytes.base() + at;
    at -= p.size;
  }
  return kNowhere;
}

std::string FileMap::text(Sink* into) const {
  std::string out;
  for (const Piece& p : pieces_) {
    if (p.bytes.empty()) out.append(p.size, '\0');
    out += p.bytes.text();
  }
  if (into) claim(*into);
  return out;
}

}  // namespace assay::unpack
