// Runs one analysis of files over bytes, for tests.
#pragma once
#include "system/file.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace assay::system {

inline Facts run_file(std::string_view analysis, const std::string& content) {
  Facts out;
  for (const FileAnalysis* a : file_analyses())
    if (a->id == analysis) read_facts(*a, Bytes(content), out);
  return out;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Standard output of a shell command; empty when it cannot be run.
inline std::string output_of(const std::string& command) {
  std::string out;
  if (FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r")) {
    char piece[65536];
    for (size_t n = 0; (n = fread(piece, 1, sizeof piece, pipe)) > 0;) out.append(piece, n);
    pclose(pipe);
  }
  return out;
}

inline bool has_tool(const std::string& name) { return !output_of("command -v " + name).empty(); }

// A fresh directory that goes away with everything in it.
struct Scratch {
  std::string path;
  Scratch() {
    char name[] = "/tmp/assay-test-XXXXXX";
    if (mkdtemp(name)) path = name;
  }
  ~Scratch() {
    if (!path.empty()) output_of("rm -rf " + path);
  }
};

}  // namespace assay::system
