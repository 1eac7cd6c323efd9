// Where a file's bytes lie in a file system that knows holes: pieces in their order; those that touch become one.
#pragma once
#include "unpack/format.h"

#include <string>
#include <vector>

namespace assay::unpack {

class FileMap {
 public:
  explicit FileMap(Bytes whole) : whole_(whole) {}

  // The next `size` bytes of the file lie at `at` of the whole. An error: they do not; or pieces share bytes, since
  // more is stored than there is.
  Result<void> stored(uint64_t at, uint64_t size);
  void hole(uint64_t size);
  uint64_t size() const { return size_; }
  // Cuts what lies beyond the file's end, and makes up what is missing before it as a hole.
  void fit(uint64_t size);

  // As a file's content: the pieces where they lie, or written with their holes to the sink's output.
  Result<Content> content(Sink& into) const;
  // As a directory's or a link's, which are small: the whole text; its pieces are claimed as the file system's own.
  std::string text(Sink* into) const;
  void claim(Sink& into) const;  // the pieces as the file system's own
  // Where byte `at` of the file is stored: an offset as Bytes::base counts; kNowhere in a hole or behind the end.
  uint64_t place(uint64_t at) const;

 private:
  struct Piece {
    Bytes bytes;  // none: a hole
    uint64_t size = 0;
  };
  Bytes whole_;
  std::vector<Piece> pieces_;
  uint64_t size_ = 0, stored_ = 0;
};

}  // namespace assay::unpack
