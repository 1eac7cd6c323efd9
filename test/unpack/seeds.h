// With ASSAY_SEEDS=FOLDER in the environment, the samples that tests make are kept there as inputs of the fuzz targets
// `formats` and `single_formats` (test/fuzz/corpus.sh), and nothing is damaged.
#pragma once
#include "core/hash.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace assay::unpack {

// Whether it was kept: then the caller has nothing more to do.
inline bool keep_as_seed(std::string_view id, const std::string& sample) {
  const char* folder = std::getenv("ASSAY_SEEDS");
  if (!folder) return false;
  if (sample.size() > 16384) return true;
  const std::string name = std::string(id) + "-" + sha256(Bytes(sample)).hex().substr(0, 16);
  const uint16_t key = crc16_ccitt(Bytes(id), 0);  // how single_formats is told which
  std::ofstream(std::string(folder) + "/formats/" + name, std::ios::binary) << '\0' << sample;
  std::ofstream(std::string(folder) + "/single_formats/" + name, std::ios::binary)
      << static_cast<char>(key >> 8) << static_cast<char>(key) << sample;
  return true;
}

}  // namespace assay::unpack
