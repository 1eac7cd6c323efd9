// Writes pax archives (POSIX.1-2008, pax: ustar headers, with extended headers where a value does not fit or is not
// ASCII). Our own, so that the program's start does not pay for a library with parsers of everything.
#pragma once
#include "core/artifact.h"
#include "core/bytes.h"

#include <cstdio>
#include <memory>

namespace assay::cli {

struct PaxEntry {
  Node node;      // path and target: the names to write
  Bytes content;  // of files
};

class PaxWriter {
 public:
  Result<void> open(const std::string& file);  // "-" is standard output
  Result<void> add(const PaxEntry& entry);
  Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  Result<void> write(std::string_view bytes);
  Result<void> pad();  // to a whole block

  std::unique_ptr<std::FILE, Close> file_;
  uint64_t written_ = 0;
};

}  // namespace assay::cli
