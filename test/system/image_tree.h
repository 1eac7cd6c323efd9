// The tree of a real image, read by unsquashfs into memory: a listing and the bytes of its files, nothing on disk.
// Null with a reason when the image or the tool is not here.
#pragma once
#include "core/text.h"
#include "system/file.h"
#include "system/tree.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace assay::system {

struct ImageTree {
  std::vector<Artifact> artifacts;
  std::vector<std::string> contents;
  Facts file_facts;
  std::string why_not;

  Tree tree() {
    return Tree(artifacts, file_facts,
                [this](const Artifact& a) { return Bytes(contents[static_cast<size_t>(&a - artifacts.data())]); });
  }
};

inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (!pipe) return text;
  char block[65536];
  for (size_t n = 0; (n = fread(block, 1, sizeof block, pipe)) > 0;) text.append(block, n);
  pclose(pipe);
  return text;
}

inline std::string firmware(std::string_view name) {
  const char* source = std::getenv("ASSAY_SOURCE");
  const std::string here = source ? source : ".";
  for (const std::string up : {"/../shared/firmware/", "/../../shared/firmware/"}) {
    const std::string path = here + up + std::string(name);
    if (FILE* file = std::fopen(path.c_str(), "rb")) {
      std::fclose(file);
      return path;
    }
  }
  return {};
}

inline Kind kind_of(char letter) {
  switch (letter) {
    case 'd':
      return Kind::kDirectory;
    case 'l':
      return Kind::kSymlink;
    case 'c':
      return Kind::kCharDevice;
    case 'b':
      return Kind::kBlockDevice;
    case 'p':
      return Kind::kFifo;
    case 's':
      return Kind::kSocket;
    default:
      return Kind::kFile;
  }
}

inline uint32_t mode_of(std::string_view letters) {  // "rwsr-xr-t"
  uint32_t mode = 0;
  for (size_t i = 0; i < 9 && i < letters.size(); ++i) {
    const char c = letters[i];
    const bool special = c == 's' || c == 'S' || c == 't' || c == 'T';
    if (c != '-' && c != 'S' && c != 'T') mode |= 1u << (8 - i);
    if (special) mode |= i == 2 ? 04000 : i == 5 ? 02000 : 01000;
  }
  return mode;
}

// "4,", "64" or "4,64" before "2023-11-20 02:39": the device and the day, hour and minute as one growing number.
inline void read_numbers(Node& node, const std::vector<std::string_view>& fields) {
  if (fields.size() < 5) return;
  const std::string date(fields[fields.size() - 2]), time(fields[fields.size() - 1]);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  if (std::sscanf((date + " " + time).c_str(), "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute) == 5)
    node.mtime = (((int64_t{year} * 12 + month) * 31 + day) * 24 + hour) * 3600 + minute * 60;
  if (node.kind != Kind::kCharDevice && node.kind != Kind::kBlockDevice) return;
  unsigned major = 0, minor = 0;
  std::string number;
  for (size_t i = 2; i + 2 < fields.size(); ++i) number += fields[i];
  if (std::sscanf(number.c_str(), "%u,%u", &major, &minor) == 2) node.device = uint64_t{major} << 32 | minor;
}

// Facts of single files as the engine would pass them on, from the analyses that are registered.
inline void read_files(ImageTree& image) {
  for (size_t i = 0; i < image.artifacts.size(); ++i) {
    if (image.artifacts[i].node.kind != Kind::kFile) continue;
    Facts facts;
    for (const FileAnalysis* analysis : file_analyses()) {
      if (analysis->id.starts_with("elf") || analysis->id.starts_with("file-type") || analysis->id == "type")
        read_facts(*analysis, Bytes(image.contents[i]), facts);
    }
    for (Elf& elf : facts.elf) {
      elf.at.artifact = image.artifacts[i].way;
      image.file_facts.elf.push_back(std::move(elf));
    }
    for (FileType& type : facts.file_types) {
      type.at.artifact = image.artifacts[i].way;
      image.file_facts.file_types.push_back(std::move(type));
    }
  }
}

inline ImageTree squashfs_tree(std::string_view name, uint64_t offset) {
  ImageTree image;
  const std::string path = firmware(name);
  if (path.empty()) {
    image.why_not = std::string(name) + " is not at ../shared/firmware";
    return image;
  }
  const std::string at = " -o " + std::to_string(offset) + " ";
  const std::string listing = output_of("unsquashfs -lln" + at + path);
  image.artifacts.push_back({.way = "", .node = {.kind = Kind::kImage}, .format = "test"});
  image.artifacts.push_back(
      {.way = "test/part1", .node = {.kind = Kind::kPart, .path = "part1"}, .format = "squashfs"});
  image.artifacts[1].parent = 0;
  image.artifacts[1].offset = offset;
  image.contents.assign(2, "");
  std::string command = "unsquashfs -cat" + at + path;
  for (const Line& line : lines(listing)) {
    const size_t root = line.text.find(" squashfs-root/");
    if (root == std::string_view::npos || line.text.size() < 12) continue;
    std::string stored(line.text.substr(root + 15));
    Artifact made{.node = {.kind = kind_of(line.text[0])}};
    if (made.node.kind == Kind::kSymlink) {
      const size_t arrow = stored.find(" -> ");
      made.node.target = stored.substr(arrow + 4);
      stored.resize(arrow);
    }
    made.node.path = stored;
    made.node.mode = mode_of(line.text.substr(1, 9));
    made.way = "test/part1/squashfs/" + escape(stored);
    made.parent = 1;
    const std::vector<std::string_view> fields = words(line.text.substr(0, root));
    read_numbers(made.node, fields);
    if (made.node.kind == Kind::kFile && fields.size() > 2) {
      made.size = std::strtoull(std::string(fields[2]).c_str(), nullptr, 10);
      made.has_content = true;
      std::string quoted;
      for (const char c : stored) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      if (made.size > 0) command += " '" + quoted + "'";
    }
    image.artifacts.push_back(std::move(made));
    image.contents.emplace_back();
  }
  const std::string all = output_of(command);
  size_t from = 0;
  for (size_t i = 2; i < image.artifacts.size(); ++i) {
    image.contents[i] = all.substr(std::min(from, all.size()), image.artifacts[i].size);
    from += image.artifacts[i].size;
  }
  if (image.artifacts.size() < 10 || from != all.size())
    image.why_not = "unsquashfs does not read " + std::string(name);
  read_files(image);
  return image;
}

}  // namespace assay::system
