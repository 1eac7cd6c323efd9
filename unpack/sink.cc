#include "unpack/sink.h"

#include "unpack/account.h"

#include <algorithm>

namespace assay::unpack {
namespace {

constexpr size_t kMostNotes = 4096, kMostProblems = 4096;

bool has_dot_dot(std::string_view path) {
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

Collector::Collector(Bytes whole, Place place, const Keys& keys, const Budget& budget, Arena& arena, Onlooker* onlooker)
    : whole_(whole),
      place_(place),
      keys_(keys),
      budget_(budget),
      arena_(arena),
      onlooker_(onlooker),
      output_(*this),
      trial_(*this),
      mark_(arena.size()) {}

Result<void> Collector::charge(uint64_t bytes) {
  if (bytes > bytes_left()) {
    result_.limited = true;
    return fail(Fault::kLimit, "decoded bytes exceed the budget of " + std::to_string(budget_.bytes));
  }
  bytes_ += bytes;
  return {};
}

Result<void> Collector::ArenaOutput::write(std::span<const std::byte> piece) {
  TRY_VOID(owner_.charge(piece.size()));
  auto kept = owner_.arena_.append(piece);
  if (!kept) owner_.bytes_ -= piece.size();
  return kept;
}

Result<void> Collector::TrialOutput::write(std::span<const std::byte> piece) {
  TRY_VOID(owner_.charge(piece.size()));
  written_ += piece.size();
  return {};
}

void Collector::discard() {
  // What was decoded in vain stays charged: it was work.
  arena_.truncate(mark_);
}

Result<void> Collector::child(std::string_view name, Content content) {
  Node node;
  node.kind = Kind::kPart;
  node.path = name;
  return add(std::move(node), std::move(content), {});
}

Result<void> Collector::node(Node node, Content content) {
  normalise(node);
  return add(std::move(node), std::move(content), {});
}

Result<void> Collector::part(std::string_view name, Bytes bytes, std::vector<Unpacked> inner) {
  Node node;
  node.kind = Kind::kPart;
  node.path = name;
  return add(std::move(node), stored(bytes), std::move(inner));
}

void Collector::normalise(Node& node) {
  const bool absolute = node.path.starts_with("/");
  for (bool more = true; more;) {
    more = false;
    while (node.path.starts_with("/")) node.path.erase(0, 1), more = true;
    if (node.path.starts_with("./")) node.path.erase(0, 2), more = true;
  }
  if (node.path == ".") node.path.clear();
  while (node.path.ends_with("/")) node.path.pop_back();
  if (absolute && !node.path.empty()) note("name is absolute", node.path, 0);
  if (has_dot_dot(node.path)) note("name leaves its container", node.path, 0);
}

Result<void> Collector::copy_together(const std::vector<Bytes>& extents) {
  for (const Bytes& extent : extents) TRY_VOID(output_.write(extent.span()));
  return {};
}

// Before the next entry is decoded, while the bytes are at hand.
void Collector::show(Entry& entry, Bytes bytes) {
  if (!onlooker_->saw(result_.entries.size(), entry, bytes)) return;
  if (entry.place.arena == arena_.id() && entry.place.at + entry.size == mark_) {  // decoded, and the last
    arena_.truncate(entry.place.at);
    mark_ = arena_.size();
    entry.place.held = false;
  }
}

Result<void> Collector::add(Node node, Content content, std::vector<Unpacked> inner) {
  if (result_.entries.size() >= budget_.entries) {
    result_.limited = true;
    return fail(Fault::kLimit, "entries exceed the budget of " + std::to_string(budget_.entries));
  }
  Entry entry;
  std::erase_if(content.extents, [](const Bytes& extent) { return extent.empty(); });
  for (const Bytes& extent : content.extents) {
    ASSAY_CHECK(extent.data() >= whole_.data() && extent.data() + extent.size() <= whole_.data() + whole_.size());
    claims_.push_back({Range::kContent, static_cast<uint64_t>(extent.data() - whole_.data()), extent.size()});
  }
  if (!content.extents.empty()) entry.offset = static_cast<uint64_t>(content.extents[0].data() - whole_.data());
  entry.has_content = (node.kind == Kind::kFile && !content.unreadable) || node.kind == Kind::kPart;
  const bool decoded = !content.codec.empty();
  if (!decoded && content.extents.size() > 1) TRY_VOID(copy_together(content.extents));
  Bytes bytes;
  if (decoded || content.extents.size() > 1) {
    bytes = arena_.recent(mark_, arena_.size() - mark_);
    entry.place = {arena_.id(), mark_, bytes.size(), true};
    mark_ = arena_.size();
  } else if (!content.extents.empty()) {
    bytes = content.extents[0];
    entry.place = {place_.arena, place_.at + entry.offset, bytes.size(), place_.held};
  } else {
    entry.place.held = true;
  }
  entry.size = bytes.size();
  if (entry.has_content) entry.sha256 = arena_.digest(bytes);
  entry.codec = std::move(content.codec);
  entry.node = std::move(node);
  entry.inner = std::move(inner);
  if (onlooker_ && entry.has_content && entry.node.kind == Kind::kFile && !bytes.empty()) show(entry, bytes);
  result_.entries.push_back(std::move(entry));
  return {};
}

void Collector::note(std::string_view name, std::string value, uint64_t offset) {
  if (result_.notes.size() < kMostNotes)
    result_.notes.push_back({std::string(name), std::move(value), offset});
  else if (result_.notes.size() == kMostNotes)
    result_.notes.push_back({"notes left out", "more than 4096", offset});
}

void Collector::integrity(Integrity integrity) {
  if (result_.integrity.size() < kMostNotes) return result_.integrity.push_back(std::move(integrity));
  if (result_.integrity.size() > kMostNotes) return;
  const uint64_t at = integrity.offset;
  result_.integrity.push_back({.kind = "checksum",
                               .name = "further ones",
                               .state = "not-checkable",
                               .detail = "more than 4096; the rest is not listed",
                               .offset = at});
}

void Collector::opened(OpenedWith opened) {
  if (result_.opened.size() < kMostNotes) result_.opened.push_back(std::move(opened));
}

void Collector::problem(Error error) {
  if (error.fault == Fault::kLimit) result_.limited = true;
  if (result_.problems.size() < kMostProblems)
    result_.problems.push_back({"", error.fault, std::move(error.what), error.offset});
  else if (result_.problems.size() == kMostProblems)
    result_.problems.push_back({"", Fault::kLimit, "more than 4096 problems; the rest is not listed", error.offset});
}

Result<void> Collector::step(uint64_t steps) {
  if (steps > budget_.steps - steps_) {
    result_.limited = true;
    return fail(Fault::kLimit, "steps exceed the budget of " + std::to_string(budget_.steps));
  }
  steps_ += steps;
  return {};
}

Bytes Collector::key(std::string_view format) const {
  for (const auto& [id, bytes] : keys_)
    if (id == format) return Bytes(bytes);
  return {};
}

void Collector::adopt_output_of(const Collector& outer) {
  mark_ = outer.mark_;
  bytes_ = arena_.size() - mark_;
}

Unpacked Collector::finish(std::string_view format, uint32_t version, bool container, bool verified) {
  discard();
  result_.format = format;
  result_.version = version;
  result_.container = container;
  result_.verified = verified;
  result_.spans = settle(std::move(claims_), whole_);
  result_.bytes_out = bytes_;
  result_.steps = steps_;
  const auto is_limit = [](const Problem& problem) { return problem.fault == Fault::kLimit; };
  if (result_.limited && std::ranges::none_of(result_.problems, is_limit))
    result_.problems.push_back({"", Fault::kLimit, "a budget was hit; what lies beyond it was not read", 0});
  return std::move(result_);
}

}  // namespace assay::unpack
