// Reading the central directory of a ZIP archive and its members' headers; formats/zip.cc says how they lie.
#pragma once
#include "unpack/format.h"

namespace assay::unpack {

struct ZipDirectory {
  uint64_t start = 0, size = 0, entries = 0;
  uint64_t end = 0;   // of the archive, comment included
  int64_t shift = 0;  // what to add to stored offsets
};

struct ZipMember {
  std::string name;
  uint16_t flags = 0, method = 0, time = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0;
  uint64_t local = 0, data = 0;  // offsets of the local header and of the data
  std::optional<uint32_t> unix_mode, uid, gid;
  std::optional<int64_t> mtime;

  uint64_t data_end() const { return data + packed; }
};

// The first end record whose central directory stands right before it and whose first member is at the start.
Result<ZipDirectory> find_zip_directory(Bytes from);

// All members; what cannot be read is a problem of `into`, and the rest goes on.
Result<std::vector<ZipMember>> read_zip_members(Bytes whole, const ZipDirectory& directory, Sink& into);

// The local header must say what the central one says.
Result<void> check_zip_local_header(Bytes whole, const ZipMember& member);

}  // namespace assay::unpack
