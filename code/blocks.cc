// Cuts what was decoded into blocks and joins them by edges.
#include "code/pass.h"

#include <iterator>

namespace assay::code {

namespace {

// By address, the first of equals first. Few are out of place, as a rule: each is moved to its own.
void put_in_order(std::span<Op> ops) {
  constexpr int kFew = 64;
  int moved = 0;
  for (size_t i = 1; i < ops.size(); ++i) {
    if (ops[i].address >= ops[i - 1].address) continue;
    if (++moved > kFew) return std::ranges::stable_sort(ops, {}, &Op::address), void();
    const auto here = ops.begin() + static_cast<ptrdiff_t>(i);
    std::rotate(std::ranges::upper_bound(ops.begin(), here, here->address, {}, &Op::address), here, here + 1);
  }
}

}  // namespace

void Pass::sort_ops() {
  auto& ops = work_.ops;
  auto& sorted = work_.sorted;
  // What came since the last time. A run ascends by itself.
  std::ranges::sort(runs_, {}, &Run::address);
  bool in_order = true, each_once = true;
  for (size_t i = 1; i < runs_.size(); ++i) {
    const Run &before = runs_[i - 1], &r = runs_[i];
    in_order &= r.first > before.first;
    each_once &= ops[before.first + before.count - 1].address < r.address;
  }
  if (!in_order) {
    sorted.clear();
    for (const Run& r : runs_) sorted.insert(sorted.end(), ops.begin() + r.first, ops.begin() + r.first + r.count);
    if (ordered_ == 0)
      ops.swap(sorted);
    else
      std::ranges::copy(sorted, ops.begin() + static_cast<ptrdiff_t>(ordered_));
  }
  runs_.clear();
  // A delay slot read twice, and x86 code read at two offsets: by address, the first stays.
  if (!each_once) put_in_order(std::span(ops).subspan(ordered_));
  const auto before = std::span(ops).first(ordered_), since = std::span(ops).subspan(ordered_);
  if (!before.empty() && !since.empty() && since.front().address <= before.back().address) {
    sorted.clear();
    std::ranges::merge(before, since, std::back_inserter(sorted), {}, &Op::address, &Op::address);
    ops.swap(sorted);
    each_once = false;
  }
  if (!each_once) {
    const auto rest = std::ranges::unique(ops, {}, &Op::address);
    ops.erase(rest.begin(), rest.end());
  }
  ordered_ = ops.size();
}

uint32_t Pass::op_at(uint64_t address) const {
  const auto at = std::ranges::lower_bound(work_.ops, address, {}, &Op::address);
  return at != work_.ops.end() && at->address == address ? static_cast<uint32_t>(at - work_.ops.begin()) : kNone;
}

uint32_t Pass::piece_at(uint64_t address) const {
  const auto& pieces = work_.pieces;
  const auto at = std::ranges::lower_bound(pieces, address, {}, &Piece::address);
  return at != pieces.end() && at->address == address ? static_cast<uint32_t>(at - pieces.begin()) : kNone;
}

void Pass::build() {
  sort_ops();
  settle_doubts();
  std::ranges::sort(leaders_);
  leaders_.erase(std::ranges::unique(leaders_).begin(), leaders_.end());
  is_leader_.assign(work_.ops.size() + 1, 0);
  size_t next = 0;  // of the operations, which are in order too
  for (const uint64_t l : leaders_) {
    while (next < work_.ops.size() && work_.ops[next].address < l) ++next;
    if (next < work_.ops.size() && work_.ops[next].address == l) is_leader_[next] = 1;
  }
  work_.pieces.clear();
  const auto& ops = work_.ops;
  const auto count = static_cast<uint32_t>(ops.size());
  for (uint32_t i = 0; i < count; ++i)
    if (is_leader_[i]) work_.pieces.push_back(piece_from(i));
  connect();
}

Piece Pass::piece_from(uint32_t first) {
  const auto& ops = work_.ops;
  const size_t count = ops.size();
  Piece p{.address = ops[first].address, .first = first};
  for (uint32_t k = first;; ++k) {
    const Op& op = ops[k];
    const bool contiguous = k + 1 < count && ops[k + 1].address == op.end();
    if (op.flow != Flow::kNone && op.flow != Flow::kSystemCall) {
      const bool decides = !op.calls();
      if (decides || stops_after(op)) {
        p.last = k + (op.delay_slot && contiguous ? 2 : 1);
        p.control = k;
        p.next = decides && op.conditional;
        return p;
      }
    }
    p.next = contiguous && is_leader_[k + 1] && !(op.delay_slot && k + 2 < count);
    if (contiguous && !p.next) continue;
    p.last = k + 1;
    return p;
  }
}

void Pass::add_edge(uint64_t to, Way way) {
  const uint32_t piece = piece_at(to);
  if (piece == kNone) return;
  out_.edges.push_back({piece, way});
}

void Pass::edges_of(uint32_t control) {
  const Op& op = work_.ops[control];
  if (op.flow == Flow::kJump && stays(op)) add_edge(op.target, Way::kJump);
  if (op.flow == Flow::kIndirectJump)
    if (const auto known = switches_.find(op.address); known != switches_.end())
      for (const uint64_t to : known->second.places) add_edge(to, Way::kTable);
}

void Pass::connect() {
  out_.edges.clear();
  out_.blocks.clear();
  auto& pieces = work_.pieces;
  out_.blocks.reserve(pieces.size());
  out_.edges.reserve(2 * pieces.size());
  for (uint32_t i = 0; i < pieces.size(); ++i) {
    Block b{.address = work_.ops[pieces[i].first].address, .end = work_.ops[pieces[i].last - 1].end()};
    b.first_edge = static_cast<uint32_t>(out_.edges.size());
    if (pieces[i].next && i + 1 < pieces.size() && pieces[i + 1].address == b.end)
      out_.edges.push_back({i + 1, Way::kNext});
    else if (pieces[i].next)
      add_edge(b.end, Way::kNext);
    if (pieces[i].control != kNone) edges_of(pieces[i].control);
    b.edges = static_cast<uint32_t>(out_.edges.size()) - b.first_edge;
    out_.blocks.push_back(b);
  }
}

void Pass::finish_extents() {
  for (const Op& op : work_.ops) {
    if (!out_.extents.empty() && out_.extents.back().to == op.address)
      out_.extents.back().to = op.end();
    else if (out_.extents.empty() || op.address > out_.extents.back().to)
      out_.extents.push_back({op.address, op.end()});
    else
      out_.extents.back().to = std::max(out_.extents.back().to, op.end());
  }
}

}  // namespace assay::code
