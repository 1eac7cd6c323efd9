#include "engine/assemble.h"

#include "core/merge.h"
#include "core/text.h"

#include <algorithm>
#include <functional>
#include <set>

namespace assay::engine {
namespace {

constexpr size_t kMostArtifacts = 2'000'000;
constexpr int kDeepest = 32;

// The ways that artifacts have. Long ones begin and end alike, so their hashes are compared first: the order does not
// matter, and where an image has chosen hashes that are the same, the ways still differ.
class Ways {
 public:
  explicit Ways(const std::vector<Artifact>& artifacts) : taken_(Before{&artifacts}), artifacts_(artifacts) {}
  bool insert(uint32_t artifact) {  // false: another artifact has this way
    return taken_.insert({std::hash<std::string>()(artifacts_[artifact].way), artifact}).second;
  }

 private:
  struct Taken {
    size_t hash;
    uint32_t artifact;
  };
  struct Before {
    const std::vector<Artifact>* artifacts;
    bool operator()(const Taken& a, const Taken& b) const {
      if (a.hash != b.hash) return a.hash < b.hash;
      return (*artifacts)[a.artifact].way < (*artifacts)[b.artifact].way;
    }
  };
  std::set<Taken, Before> taken_;
  const std::vector<Artifact>& artifacts_;
};

class Assembler {
 public:
  Assembler(const Contents& contents, Examination& into) : contents_(contents), into_(into), ways_(into.artifacts) {}

  void content(const Item& item, int32_t index, const std::string& way, int depth) {
    describe(item, index, way);
    if (depth >= kDeepest) return;
    const std::string inside = way_inside(way, item.unpacked);
    for (size_t i = 0; i < item.unpacked.entries.size(); ++i) {
      if (into_.artifacts.size() >= kMostArtifacts) {
        if (!full_) into_.incomplete_because.push_back("more than 2000000 artifacts; the rest is not listed");
        full_ = true;
        return;
      }
      const Entry& entry = item.unpacked.entries[i];
      const int32_t at = add(entry, index, join_way(inside, escape(entry.node.path)));
      if (!entry.has_content || entry.size == 0) continue;
      const Item* opened = contents_.inside(item, i);
      if (!opened || !opened->opened) continue;
      const std::string& own = into_.artifacts[static_cast<size_t>(at)].way;
      if (opened->unpacked.entries.empty())
        describe(*opened, at, own);
      else
        content(*opened, at, std::string(own), depth + 1);  // the artifacts may move
    }
  }

 private:
  int32_t add(const Entry& entry, int32_t parent, std::string way) {
    const auto index = static_cast<int32_t>(into_.artifacts.size());
    Artifact& artifact = into_.artifacts.emplace_back();
    artifact.way = std::move(way);
    artifact.node = entry.node;
    artifact.offset = entry.offset;
    artifact.size = entry.size;
    artifact.codec = entry.codec;
    artifact.has_content = entry.has_content;
    artifact.sha256 = entry.sha256;
    artifact.parent = parent;
    artifact.place = entry.place;
    artifact.unread = entry.node.kind == Kind::kFile && !entry.has_content;
    // Two entries of one name (a tar may hold them) keep apart: the later one gets a number.
    const size_t length = artifact.way.size();
    for (int n = 2; !ways_.insert(static_cast<uint32_t>(index)); ++n)
      artifact.way = artifact.way.substr(0, length) + "#" + std::to_string(n);
    if (entry.node.kind == Kind::kFile) {
      ++into_.files.total;
      ++(entry.has_content ? into_.files.read : into_.files.unread);
    }
    return index;
  }

  void describe(const Item& item, int32_t index, const std::string& way) {
    Artifact& artifact = into_.artifacts[static_cast<size_t>(index)];
    artifact.format = item.unpacked.format;
    artifact.verified = item.unpacked.verified;
    if (item.unpacked.container || item.role != unpack::Role::kFile) artifact.spans = item.unpacked.spans;
    if (!item.died.empty()) {
      artifact.spans = {{Range::kUnknown, 0, artifact.size}};
      into_.facts.problems.push_back({way, Fault::kIo, item.died, 0});
      into_.incomplete_because.push_back((way.empty() ? "the image" : way) + ": " + item.died);
    }
    if (!item.code_died.empty() && item.facts && !item.facts->elf.empty()) code_unread(item.code_died, way);
    const bool unknown =
        std::ranges::any_of(item.unpacked.spans, [](const Span& span) { return span.range == Range::kUnknown; });
    const bool raw =
        item.role == unpack::Role::kPart && item.unpacked.format.empty() && !item.unpacked.container && unknown;
    artifact.unread = artifact.unread || raw || !item.died.empty();
    for (Problem problem : item.unpacked.problems) {
      problem.artifact = way;
      into_.facts.problems.push_back(std::move(problem));
    }
    for (const Note& note : item.unpacked.notes)
      into_.facts.format_notes.push_back(
          {item.unpacked.format,
           note.name,
           note.value,
           {way, note.offset, 0, escape(note.name) + ": " + escape(std::string_view(note.value).substr(0, 160))}});
    describe_protection(item, way);
    describe_encrypted(item, way);
    if (!item.facts) return;
    Facts facts = *item.facts;
    place_facts(facts, way);
    append(into_.facts, std::move(facts));
  }

  void code_unread(const std::string& why, const std::string& way) {
    CodeUnit unit;
    unit.unread = why;
    unit.at = {way, 0, 0, "code that is not read"};
    into_.facts.code.push_back(std::move(unit));
    into_.facts.problems.push_back({way, Fault::kIo, "its code: " + why, 0});
    into_.incomplete_because.push_back((way.empty() ? "the image" : way) + ": its code: " + why);
  }

  void describe_protection(const Item& item, const std::string& way) {
    const std::string& format = item.unpacked.format;
    for (const Integrity& i : item.unpacked.integrity)
      into_.facts.integrity.push_back({format,
                                       i.kind,
                                       i.name,
                                       i.algorithm,
                                       i.state,
                                       i.detail,
                                       i.key,
                                       {way, i.offset, 0, escape(i.name) + " (" + i.algorithm + "): " + i.state}});
    for (const OpenedWith& o : item.unpacked.opened)
      into_.facts.opened.push_back({format, o.scheme, o.key, {way, o.offset, o.length, o.scheme}});
  }

  void describe_encrypted(const Item& item, const std::string& way) {
    const auto reason = std::ranges::find(item.unpacked.problems, Fault::kEncrypted, &Problem::fault);
    const std::string scheme = reason == item.unpacked.problems.end() ? "encrypted" : reason->what;
    for (const Span& span : item.unpacked.spans)
      if (span.range == Range::kEncrypted)
        into_.facts.encrypted.push_back({scheme, span.length, {way, span.offset, span.length, scheme}});
  }

  const Contents& contents_;
  Examination& into_;
  Ways ways_;
  bool full_ = false;
};

// A container's own account, with the parts that lie in it as they are replaced by theirs: a part that no format knows
// is unknown, whatever its container calls it.
ByteCount account(const Contents& contents, const Item& item, int depth) {
  if (!item.died.empty()) return {.total = item.place.size, .unknown = item.place.size};
  ByteCount sum = count(item.unpacked.spans);
  if (depth >= kDeepest) return sum;
  std::vector<const Entry*> parts;
  for (const Entry& entry : item.unpacked.entries)
    if (entry.node.kind == Kind::kPart && entry.codec.empty() && entry.size > 0 && entry.offset != kNowhere)
      parts.push_back(&entry);
  std::ranges::stable_sort(parts, {}, &Entry::offset);
  uint64_t end = 0;
  for (const Entry* part : parts) {
    const Item* inside = contents.find(part->sha256, unpack::Role::kPart);
    if (!inside || !inside->opened || part->offset < end) continue;  // overlapping parts count once
    end = part->offset + part->size;
    const ByteCount own = account(contents, *inside, depth + 1);
    if (own.total != part->size || sum.content < part->size) continue;
    sum.content = sum.content - part->size + own.content;
    sum.header += own.header;
    sum.padding += own.padding;
    sum.unknown += own.unknown;
    sum.encrypted += own.encrypted;
  }
  ASSAY_CHECK(sum.header + sum.content + sum.padding + sum.unknown + sum.encrypted == sum.total);
  return sum;
}

}  // namespace

void assemble(const Contents& contents, const Input& input, Examination& into) {
  const Item& root = contents.root();
  Artifact image;
  image.node.kind = input.directory ? Kind::kDirectory : Kind::kImage;
  image.size = input.size;
  image.sha256 = input.sha256;
  image.has_content = !input.directory;
  image.place = {0, 0, input.size, true};
  // At least so many; growing would move those of a large image several times.
  into.artifacts.reserve(std::min(kMostArtifacts, 1 + contents.entries()));
  into.artifacts.push_back(std::move(image));
  Assembler(contents, into).content(root, 0, "", 0);
  into.bytes = input.directory ? ByteCount{.total = input.size, .content = input.size} : account(contents, root, 0);
  for (const Problem& problem : input.problems) {
    into.facts.problems.push_back(problem);
    into.incomplete_because.push_back(problem.what);
    if (problem.fault == Fault::kIo) ++into.files.unread, ++into.files.total;
  }
}

}  // namespace assay::engine
