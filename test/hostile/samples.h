// Small inputs of as many kinds as this machine can make: what the mutations start from.
#pragma once
#include <string>
#include <vector>

namespace assay::hostile {

struct Sample {
  std::string name, bytes;
};

std::vector<Sample> case_samples();  // every NAME.hex below test/cases
std::vector<Sample> tool_samples();  // made by tools of the distribution; a missing tool leaves its samples out
Sample device_sample();              // a tar archive with the files the system analyses read
std::vector<Sample> file_samples();  // single files: programs, keys, texts

}  // namespace assay::hostile
