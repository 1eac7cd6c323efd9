#include "unpack/examine.h"

#include "core/text.h"
#include "unpack/remember.h"
#include "unpack/scan.h"
#include "unpack/sink.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace assay::unpack {
namespace {

constexpr uint32_t kDriverVersion = 4;
constexpr uint64_t kSmallestSearched = 16;  // bytes; below, a range is only named
constexpr uint64_t kNamedFrom = 512;        // an unknown gap this long becomes a part of its own
constexpr size_t kLookAhead = 64;           // candidates inside an unverified one that may disprove it

std::string hex_name(uint64_t offset) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset));
  return text;
}

// An offset that is negative counts from the end of the content.
uint64_t place_of(const Magic& magic, Bytes from) {
  const uint64_t back = uint64_t{0} - magic.offset;
  return back <= (uint64_t{1} << 32) && back <= from.size() && back > 0 ? from.size() - back : magic.offset;
}

bool magic_matches(const Format& format, Bytes from) {
  if (format.magics.empty()) return true;
  return std::ranges::any_of(format.magics, [&](const Magic& m) {
    const uint64_t at = place_of(m, from);
    return at < from.size() && from[at] == static_cast<uint8_t>(m.bytes.front()) && from.starts_with(m.bytes, at);
  });
}

// The formats whose magic may match a content that begins with this byte, in the order of all: most have one at the
// very start, and a large image has a million contents.
std::span<const Format* const> formats_for(uint8_t first) {
  static const auto lists = [] {
    std::array<std::vector<const Format*>, 256> made;
    for (const Format* format : formats())
      for (size_t byte = 0; byte < made.size(); ++byte)
        if (format->magics.empty() || std::ranges::any_of(format->magics, [&](const Magic& m) {
              return m.offset != 0 || static_cast<uint8_t>(m.bytes.front()) == byte;
            }))
          made[byte].push_back(format);
    return made;
  }();
  return lists[first];
}

// Two or three bytes turn up by chance in any large image; such formats refuse cheaply.
bool is_weak(const Format& format) {
  return std::ranges::any_of(format.magics, [](const Magic& m) { return m.bytes.size() <= 3; });
}

// A structure found at some place; for a stream, its decoded bytes lie at the arena's end until someone takes them.
struct Candidate {
  const Format* format = nullptr;
  uint64_t length = 0;
  bool verified = false;
  std::string name;  // of a stream's content

  bool beats(const Candidate& other) const {
    if (!other.format) return true;
    if (verified != other.verified) return verified;
    return length > other.length;
  }
};

class Examiner {
 public:
  Examiner(Bytes content, Place place, Role role, const Keys& keys, const Budget& budget, Arena& arena,
           Onlooker* onlooker)
      : content_(content),
        place_(place),
        role_(role),
        keys_(keys),
        arena_(arena),
        leaf_(budget.leaf),
        sink_(content, place, keys, budget, arena, onlooker) {}

  Unpacked run() {
    if (content_.empty()) return sink_.finish("", 0, false, true);
    const Candidate whole = best_at_start();
    if (in_vain()) return sink_.finish("", 0, false, false);
    if (whole.format && only_padding_after(whole.length)) return take_whole(whole);
    if (whole.format && !whole.format->unpack && !whole.format->decode && role_ == Role::kFile)
      return leaf_with_tail(whole);
    for (Error& refusal : refusals_) sink_.problem(std::move(refusal));
    if (role_ == Role::kFile && looks_like_text(content_.head(64 << 10).text())) {
      sink_.discard();
      return raw();
    }
    search(0, whole);
    if (!found_structure_) return raw();
    return sink_.finish("", 0, true, false);
  }

 private:
  // Something lies inside of what matters only if nothing does.
  bool in_vain() const { return leaf_ && sink_.limited(); }

  bool only_padding_after(uint64_t length) const {
    const Bytes rest = content_.head(content_.size(), length);
    return rest.empty() || is_run(rest);
  }

  // Tries one format at one place. A stream's output is left in the sink's output, behind what is already there.
  std::optional<Candidate> attempt(const Format& format, Bytes from, Output& into, Error* why = nullptr) {
    if (format.decode) {
      const auto decoded = format.decode(from, into);
      if (!decoded && why) *why = decoded.error();
      if (!decoded || decoded->length == 0 || decoded->length > from.size()) return std::nullopt;
      return Candidate{&format, decoded->length, decoded->verified, decoded->name};
    }
    const auto measured = format.measure(from);
    if (!measured && why) *why = measured.error();
    if (!measured || measured->length == 0 || measured->length > from.size()) return std::nullopt;
    return Candidate{&format, measured->length, measured->verified, {}};
  }

  // A magic of four bytes or more at the very start is no chance, nor one elsewhere of what is cut off: why its format
  // refuses is worth knowing, unless another format reads the whole.
  void remember(const Format& format, const Error& refusal) {
    const bool strong = std::ranges::any_of(format.magics, [&](const Magic& m) {
      const bool near = m.offset == 0 || refusal.fault == Fault::kTruncated;
      return near && m.bytes.size() >= 4 && content_.starts_with(m.bytes, place_of(m, content_));
    });
    if (strong && refusal.fault != Fault::kForeign && !refusal.what.empty())
      refusals_.push_back({refusal.fault, std::string(format.id) + ": " + refusal.what, refusal.offset});
  }

  Candidate best_at_start() {
    Candidate best;
    for (const Format* format : formats_for(content_[0])) {
      if (!magic_matches(*format, content_) || (format->magics.empty() && role_ == Role::kFile)) continue;
      // A stream without a magic is a last resort: it says nothing against one that decoded to its end.
      if (format->magics.empty() && format->decode && best.format && best.format->decode && best.verified) continue;
      if (!sink_.step(1)) break;
      Error refusal{};
      attempt_beside(*format, content_, best, &refusal);
      if (in_vain()) break;
      remember(*format, refusal);
      // Nothing beats what is verified to the last byte, nor says more than a stream that decoded to the end.
      if (best.verified && best.length == content_.size()) break;
      if (best.format && best.format->decode && best.verified && only_padding_after(best.length)) break;
    }
    return best;
  }

  // Makes `format` the best candidate if it is. What the best stream decoded to stays in the output while others are
  // tried, so that none is decoded a second time to have its bytes last.
  void attempt_beside(const Format& format, Bytes from, Candidate& best, Error* why = nullptr) {
    const bool holds = best.format && best.format->decode;
    if (!holds) sink_.discard();
    auto candidate = attempt(format, from, holds ? sink_.trial() : sink_.output(), why);
    if (!candidate || !candidate->beats(best)) return;
    if (holds) sink_.discard();
    if (holds && format.decode) candidate = attempt(format, from, sink_.output());
    best = candidate ? *candidate : Candidate{};
  }

  Unpacked take_whole(const Candidate& whole) {
    const Format& format = *whole.format;
    const Bytes bytes = content_.head(whole.length);
    if (format.decode) {
      take_stream(sink_, whole, bytes);
    } else if (format.unpack) {
      sink_.discard();
      if (auto done = format.unpack(bytes, sink_); !done) sink_.problem(std::move(done).error());
    } else {
      sink_.range(Range::kContent, 0, whole.length);
    }
    return sink_.finish(format.id, format.version, format.unpack || format.decode, whole.verified);
  }

  static void take_stream(Collector& sink, const Candidate& stream, Bytes bytes) {
    const std::string name = stream.name.empty() ? "data" : stream.name;
    if (auto done = sink.child(name, {{bytes}, std::string(stream.format->id)}); !done)
      sink.problem(std::move(done).error());
  }

  Unpacked raw() {
    if (role_ == Role::kFile) sink_.range(Range::kContent, 0, content_.size());
    return sink_.finish("", 0, false, false);
  }

  Unpacked leaf_with_tail(const Candidate& leaf) {
    sink_.discard();
    sink_.range(Range::kContent, 0, leaf.length);
    if (content_.size() - leaf.length >= kSmallestSearched) search(leaf.length);
    return sink_.finish(leaf.format->id, leaf.format->version, found_structure_, leaf.verified);
  }

  // Carving: structures from left to right; each accepted one is jumped over.
  // `best_at_zero`: what was found at the very start; what a stream decoded to is still in the output.
  void search(uint64_t from, const Candidate& best_at_zero = {}) {
    const std::vector<Hit> hits = hits_from(from);
    const bool known = best_at_zero.format && best_at_zero.format->carve && !best_at_zero.format->magics.empty();
    uint64_t cursor = from;
    for (size_t i = 0; i < hits.size(); ++i) {
      if (hits[i].start < cursor || exhausted(*hits[i].format)) continue;
      if (in_vain() || !sink_.step(1)) break;
      const Bytes rest = content_.head(content_.size(), hits[i].start);
      const bool is_known = known && hits[i].start == 0;
      if (is_known && hits[i].format != best_at_zero.format) continue;  // it was tried, and lost
      if (!is_known || !best_at_zero.format->decode) sink_.discard();
      Error refusal{};
      std::optional<Candidate> candidate =
          is_known ? best_at_zero : attempt(*hits[i].format, rest, sink_.output(), &refusal);
      if (!candidate) {
        ++failures_[hits[i].format];
        if (!hits[i].format->decode) say_limit(*hits[i].format, refusal);
        continue;
      }
      if (!is_known) best_here(hits, i, rest, *candidate);
      if (!candidate->format) continue;  // the budget ended before the best stream was decoded
      if (!candidate->verified && contradicted(hits, i, *candidate)) {
        if (!sink_.step(1 + candidate->length / 4096)) break;  // measuring may have read all of it
        continue;
      }
      accept(hits[i].start, *candidate, cursor);
      cursor = hits[i].start + candidate->length;
    }
    sink_.discard();
    if (found_structure_ || from > 0) name_gap(cursor, content_.size());
  }

  std::vector<Hit> hits_from(uint64_t from) const {
    std::vector<Hit> hits = scan(content_.head(content_.size(), from));
    for (Hit& hit : hits) hit.start += from;
    return hits;
  }

  // Other formats whose magic stands at the same place may read it better.
  void best_here(const std::vector<Hit>& hits, size_t first, Bytes rest, Candidate& best) {
    for (size_t i = first + 1; i < hits.size() && hits[i].start == hits[first].start; ++i) {
      if (exhausted(*hits[i].format)) continue;
      attempt_beside(*hits[i].format, rest, best);
    }
  }

  // An unverified candidate is wrong when a verified one starts inside it and ends beyond it.
  bool contradicted(const std::vector<Hit>& hits, size_t at, const Candidate& candidate) {
    const uint64_t end = hits[at].start + candidate.length;
    size_t looked = 0;
    for (size_t i = at + 1; i < hits.size() && hits[i].start < end && looked < kLookAhead; ++i) {
      if (hits[i].start == hits[at].start || hits[i].format->decode) continue;
      ++looked;
      const auto measured = hits[i].format->measure(content_.head(content_.size(), hits[i].start));
      if (measured && measured->verified && hits[i].start + measured->length > end) return true;
    }
    return false;
  }

  void accept(uint64_t start, const Candidate& candidate, uint64_t cursor) {
    // A stream's bytes stand at the arena's end: its part is taken before the gap in front of it is named.
    found_structure_ = true;
    const Bytes bytes = content_.head(candidate.length, start);
    std::vector<Unpacked> inner;
    if (candidate.format->decode) {
      Collector inside(bytes.rebased(0), {place_.arena, place_.at + start, bytes.size(), place_.held}, keys_,
                       sink_.left(), arena_);
      inside.adopt_output_of(sink_);
      take_stream(inside, candidate, bytes.rebased(0));
      inner.push_back(inside.finish(candidate.format->id, candidate.format->version, true, candidate.verified));
      sink_.leave_output();
    }
    name_gap(cursor, start);
    if (auto done = sink_.part(hex_name(start), bytes, std::move(inner)); !done) sink_.problem(std::move(done).error());
  }

  // What no format explains is a part too when it is long enough to look at: people and string searches want it.
  void name_gap(uint64_t from, uint64_t to) {
    if (to - from < kNamedFrom) return;
    const Bytes gap = content_.head(to - from, from);
    if (is_run(gap)) return;
    Collector inside(gap.rebased(0), {place_.arena, place_.at + from, gap.size(), place_.held}, keys_, sink_.left(),
                     arena_);
    std::vector<Unpacked> inner;
    inner.push_back(inside.finish("", 0, false, false));
    if (auto done = sink_.part(hex_name(from), gap, std::move(inner)); !done) sink_.problem(std::move(done).error());
  }

  // A format whose allowance of work has run out says so once.
  void say_limit(const Format& format, const Error& refusal) {
    if (refusal.fault != Fault::kLimit || !said_limit_.insert(&format).second) return;
    sink_.problem({Fault::kLimit, std::string(format.id) + ": " + refusal.what, refusal.offset});
  }

  // Random bytes match weak magics about once in 65,536 places; hostile bytes match everywhere.
  bool exhausted(const Format& format) {
    const auto it = failures_.find(&format);
    if (it == failures_.end() || it->second < 1024 + content_.size() / (is_weak(format) ? 32 : 2048)) return false;
    if (!said_exhausted_) {
      said_exhausted_ = true;
      sink_.problem(
          {Fault::kLimit, "too many false starts of " + std::string(format.id) + "; later ones were not tried", 0});
    }
    return true;
  }

  Bytes content_;
  Place place_;
  Role role_;
  const Keys& keys_;
  Arena& arena_;
  const bool leaf_;
  Collector sink_;
  std::map<const Format*, uint64_t> failures_;  // looked up only, never walked: the order of addresses does not show
  std::set<const Format*> said_limit_;          // the same
  std::vector<Error> refusals_;
  bool found_structure_ = false, said_exhausted_ = false;
};

}  // namespace

Result<void> LocalArena::append(std::span<const std::byte> piece) {
  if (piece.size() > limit_ - size_) return fail(Fault::kLimit, "no room for decoded bytes");
  if (bytes_.capacity() == 0) bytes_.reserve(limit_);  // views must stay valid: never moved
  bytes_.resize(size_);
  bytes_.insert(bytes_.end(), piece.begin(), piece.end());
  size_ = bytes_.size();
  return {};
}

void LocalArena::truncate(uint64_t size) { size_ = std::min(size_, size); }

Bytes LocalArena::view(uint64_t at, uint64_t size) const {
  return Bytes(std::span<const std::byte>(bytes_.data() + at, size));
}

Unpacked examine(Bytes content, Place place, Role role, const Keys& keys, const Budget& budget, Arena& arena,
                 Onlooker* onlooker) {
  const Remembering until_done(content);
  return Examiner(content.rebased(0), place, role, keys, budget, arena, onlooker).run();
}

bool is_readable(const Unpacked& unpacked) {
  if (!unpacked.container || unpacked.format == "elf") return true;
  const Format* format = find_format(unpacked.format);
  return format && format->readable;
}

Digest unpack_version() {
  std::string all = "driver " + std::to_string(kDriverVersion) + "\n";
  for (const Format* format : formats()) all += std::string(format->id) + " " + std::to_string(format->version) + "\n";
  return sha256(Bytes(all));
}

}  // namespace assay::unpack
