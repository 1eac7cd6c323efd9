#include "test/hostile/pipeline.h"

#include "checks/check.h"
#include "core/merge.h"
#include "core/text.h"
#include "system/file.h"
#include "system/tree.h"
#include "unpack/examine.h"

#include <set>

namespace assay::hostile {
namespace {

constexpr uint64_t kMostBytes = 16 << 20;
constexpr uint64_t kMostArtifacts = 20'000;
constexpr int kDeepest = 12;

std::string joined(const std::string& base, const std::string& rest) {
  return base.empty() || rest.empty() ? base + rest : base + "/" + rest;
}

class Run {
 public:
  explicit Run(std::string_view image) : image_(image) {}

  Outcome run() {
    Artifact root;
    root.node.kind = Kind::kImage;
    root.size = image_.size();
    root.has_content = true;
    root.sha256 = sha256(image_);
    root.place = {0, 0, image_.size(), true};
    out_.artifacts.push_back(root);
    open(0, unpack::Role::kImage, 0);
    system::Tree tree(out_.artifacts, out_.facts, [this](const Artifact& a) { return bytes_at(a.place); });
    Facts of_the_system;
    for (const system::TreeAnalysis* analysis : system::tree_analyses()) analysis->run(tree, of_the_system);
    append(out_.facts, std::move(of_the_system));
    out_.findings = checks::judge({.facts = out_.facts, .as_of = "2024-01-01", .as_of_seconds = 1704067200});
    return std::move(out_);
  }

 private:
  Bytes bytes_at(const Place& place) const {
    if (!place.held || place.size == 0) return {};
    return place.arena == 0 ? image_.head(place.size, place.at).rebased(0) : arena_.view(place.at, place.size);
  }

  void open(size_t index, unpack::Role role, int depth) {
    const Artifact self = out_.artifacts[index];
    const uint64_t room = kMostBytes - arena_.size();
    const unpack::Budget budget{.bytes = room, .entries = kMostArtifacts, .steps = 2'000'000};
    const Bytes content = bytes_at(self.place);
    const Unpacked unpacked = unpack::examine(content, self.place, role, {}, budget, arena_);
    out_.artifacts[index].format = unpacked.format;
    if (unpacked.container || role != unpack::Role::kFile) out_.artifacts[index].spans = unpacked.spans;
    check_account(unpacked, content.size(), self.way);
    if (unpack::is_readable(unpacked)) read(content, self.way);
    const std::string inside = joined(self.way, unpacked.format);
    for (const Entry& entry : unpacked.entries) add(entry, index, joined(inside, escape(entry.node.path)), depth);
  }

  void add(const Entry& entry, size_t parent, std::string way, int depth) {
    if (out_.artifacts.size() >= kMostArtifacts) return;
    while (!ways_.insert(way).second) way += "#";
    Artifact artifact;
    artifact.way = std::move(way);
    artifact.node = entry.node;
    artifact.offset = entry.offset;
    artifact.size = entry.size;
    artifact.codec = entry.codec;
    artifact.has_content = entry.has_content;
    artifact.sha256 = entry.sha256;
    artifact.parent = static_cast<int32_t>(parent);
    artifact.place = entry.place;
    artifact.unread = entry.node.kind == Kind::kFile && !entry.has_content;
    check_place(entry, artifact.way);
    out_.artifacts.push_back(std::move(artifact));
    if (!entry.has_content || entry.size == 0 || depth >= kDeepest) return;
    const auto role = entry.node.kind == Kind::kPart ? unpack::Role::kPart : unpack::Role::kFile;
    if (opened_.insert({entry.sha256.hex(), role}).second) open(out_.artifacts.size() - 1, role, depth + 1);
  }

  void read(Bytes content, const std::string& way) {
    Facts facts;
    system::read_facts(content, facts);
    place_facts(facts, way);
    append(out_.facts, std::move(facts));
  }

  // Every byte in exactly one span.
  void check_account(const Unpacked& unpacked, uint64_t size, const std::string& way) {
    uint64_t end = 0;
    for (const Span& span : unpacked.spans) {
      if (span.offset != end) wrong(way, "spans leave a gap or overlap at " + std::to_string(end));
      end = span.offset + span.length;
    }
    if (end != size) wrong(way, "spans end at " + std::to_string(end) + " of " + std::to_string(size));
    const ByteCount sum = count(unpacked.spans);
    if (sum.header + sum.content + sum.padding + sum.unknown + sum.encrypted != size)
      wrong(way, "the sum of the bytes is not the size");
  }

  void check_place(const Entry& entry, const std::string& way) {
    if (!entry.has_content || entry.size == 0) return;
    const uint64_t room = entry.place.arena == 0 ? image_.size() : arena_.size();
    if (!entry.place.held || entry.place.size != entry.size || entry.place.at > room ||
        entry.place.size > room - entry.place.at)
      return wrong(way, "its bytes are not where its place says");
    if (sha256(bytes_at(entry.place)) != entry.sha256) wrong(way, "its bytes do not have its digest");
  }

  void wrong(const std::string& way, const std::string& what) {
    if (out_.wrong.empty()) out_.wrong = (way.empty() ? "the image" : way) + ": " + what;
  }

  Bytes image_;
  unpack::LocalArena arena_{kMostBytes};
  std::set<std::string> ways_;
  std::set<std::pair<std::string, unpack::Role>> opened_;
  Outcome out_;
};

}  // namespace

Outcome everything(std::string_view image) { return Run(image).run(); }

}  // namespace assay::hostile
