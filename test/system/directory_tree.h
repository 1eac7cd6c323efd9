// A TreeBuilder filled from a directory on this machine: for tests that unpack a real image with a foreign tool. Links
// stay links; nothing is run. Types are stated as the file analyses would: by "#!", the ELF magic and NUL bytes.
#pragma once
#include "test/system/tree_builder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace assay::system {

inline std::string type_of_test_file(std::string_view content) {
  if (content.starts_with("\x7f"
                          "ELF"))
    return "elf";
  if (content.starts_with("#!")) return "script";
  return content.find('\0') == std::string_view::npos ? "text" : "data";
}

inline void add_directory(TreeBuilder& builder, const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) continue;
    const std::string relative = path.lexically_relative(root).string();
    if (S_ISLNK(status.st_mode)) {
      builder.link(relative, fs::read_symlink(path).string());
    } else if (S_ISDIR(status.st_mode)) {
      builder.directory(relative, status.st_mode & 07777);
    } else if (S_ISREG(status.st_mode)) {
      std::ifstream in(path, std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      builder.file(relative, content, status.st_mode & 07777);
      const std::string type = type_of_test_file(content);
      builder.facts.file_types.push_back({.type = type, .at = {.artifact = builder.way(relative)}});
      if (type == "elf")
        builder.facts.elf.push_back({.type = "executable",
                                     .is_program = true,
                                     .imports = {"system"},
                                     .at = {.artifact = builder.way(relative)}});
    }
  }
}

}  // namespace assay::system
