// Reading tar headers: numbers, checksum, pax records, GNU's sparse maps. formats/tar.cc walks the archive with them.
#pragma once
#include "core/artifact.h"
#include "core/bytes.h"

#include <map>

namespace assay::unpack {

constexpr uint64_t kTarBlock = 512;

struct TarHeader {
  std::string name, link;
  uint64_t mode = 0, uid = 0, gid = 0, size = 0, device_major = 0, device_minor = 0;
  int64_t mtime = 0;
  char type = 0;
  bool gnu = false;
};

// Numbers are octal text, or base-256 when the first bit is set (GNU, star).
Result<int64_t> tar_number(Bytes block, uint64_t at, uint64_t length, std::string_view field);

// A header block whose checksum holds.
Result<TarHeader> read_tar_header(Bytes archive, uint64_t at);

// Adds the records "length key=value\n" of a pax header to `into`.
Result<void> read_pax(Bytes records, std::map<std::string, std::string>& into);

struct TarRun {  // of a sparse file: bytes that are stored
  uint64_t offset = 0, length = 0;
};

struct TarSparse {
  std::vector<TarRun> runs;
  uint64_t size = 0;     // of the file with its holes
  uint64_t skipped = 0;  // bytes in front of the data that hold the map
};

// Runs are in order, do not overlap, stay in `size`, and add up to no more than the `stored` bytes.
Result<void> check_sparse(const TarSparse& sparse, uint64_t stored, uint64_t at);

// GNU's old form: four runs in the header at `at`, more in blocks after it; `skipped` counts those blocks.
Result<TarSparse> read_old_sparse(Bytes archive, uint64_t at);
// GNU's pax forms 0.0, 0.1 and 1.0; without keys of them, none.
bool is_pax_sparse(const std::map<std::string, std::string>& pax);
Result<TarSparse> read_pax_sparse(const std::map<std::string, std::string>& pax, Bytes data);

}  // namespace assay::unpack
