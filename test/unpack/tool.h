// Runs a foreign tool over bytes: what a test compares our readers with.
#pragma once
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace assay::unpack {

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Standard output of `command` fed with `input`; empty when it fails or is not installed.
inline std::string through(const std::string& command, const std::string& input) {
  char name[] = "/tmp/assay-test-XXXXXX";
  const int handle = mkstemp(name);
  if (handle < 0) return {};
  close(handle);
  std::ofstream(name, std::ios::binary) << input;
  std::string output;
  if (FILE* pipe = popen(("(" + command + ") < " + name + " 2>/dev/null").c_str(), "r")) {
    char piece[4096];
    for (size_t n = 0; (n = fread(piece, 1, sizeof piece, pipe)) > 0;) output.append(piece, n);
    if (pclose(pipe) != 0) output.clear();
  }
  unlink(name);
  return output;
}

// Runs `script` with sh in a fresh directory and gives back the file "out" it left there; empty when it failed.
inline std::string made_by(const std::string& script) {
  char name[] = "/tmp/assay-test-XXXXXX";
  if (!mkdtemp(name)) return {};
  const std::string directory = name;
  const std::string command = "cd " + directory + " && (set -e; " + script + ") >/dev/null 2>&1";
  std::string output;
  if (std::system(command.c_str()) == 0) output = slurp(directory + "/out");
  if (std::system(("rm -rf " + directory).c_str()) != 0) output.clear();
  return output;
}

}  // namespace assay::unpack
