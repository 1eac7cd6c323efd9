// Fuzz target: the registries of file and tree analyses and of checks. The input is a tiny archive of its own, so that
// one mutation can change a name, a mode or a content: repeated "mode:2 name NUL length:2 content".
#include "checks/check.h"
#include "core/merge.h"
#include "core/text.h"
#include "system/file.h"
#include "system/tree.h"

namespace {

using namespace assay;

struct Parsed {
  std::vector<Artifact> artifacts;
  std::vector<Bytes> contents;
};

Artifact container() {
  Artifact image;
  image.node.kind = Kind::kImage;
  image.format = "fuzz";
  return image;
}

Parsed parse(Bytes bytes) {
  Parsed parsed{{container()}, {Bytes()}};
  uint64_t at = 0;
  while (parsed.artifacts.size() < 64) {
    const auto mode = bytes.le<uint16_t>(at, "mode");
    if (!mode) break;
    const std::string_view rest = bytes.text().substr(at + 2);
    const size_t end = rest.find('\0');
    if (end == std::string_view::npos) break;
    const auto length = bytes.le<uint16_t>(at + 3 + end, "length");
    if (!length) break;
    const Bytes content = bytes.head(*length, at + 5 + end);
    Artifact artifact;
    artifact.node.path = rest.substr(0, end);
    artifact.way = "fuzz/" + escape(artifact.node.path);
    artifact.node.mode = *mode & 07777;
    artifact.node.uid = artifact.node.gid = 0;
    artifact.node.kind = *mode & 0x8000 ? Kind::kSymlink : *mode & 0x4000 ? Kind::kDirectory : Kind::kFile;
    if (artifact.node.kind == Kind::kSymlink) artifact.node.target = content.head(64).text();
    artifact.has_content = artifact.node.kind == Kind::kFile;
    artifact.size = content.size();
    artifact.parent = 0;
    artifact.place = {0, parsed.contents.size(), content.size(), true};
    parsed.artifacts.push_back(std::move(artifact));
    parsed.contents.push_back(content.rebased(0));
    at += 5 + end + content.size();
  }
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  checksums_ignored = true;
  const Parsed parsed = parse(Bytes(std::as_bytes(std::span(data, size))));
  Facts of_files;
  for (const Artifact& artifact : parsed.artifacts) {
    if (!artifact.has_content) continue;
    Facts facts;
    system::read_facts(parsed.contents[artifact.place.at], facts);
    place_facts(facts, artifact.way);
    append(of_files, std::move(facts));
  }
  Facts facts;
  system::Tree tree(parsed.artifacts, of_files, [&](const Artifact& a) { return parsed.contents[a.place.at]; });
  for (const system::TreeAnalysis* analysis : system::tree_analyses()) analysis->run(tree, facts);
  append(facts, std::move(of_files));
  (void)checks::judge({.facts = facts, .as_of = "2026-01-01", .as_of_seconds = 1767225600});
  return 0;
}
