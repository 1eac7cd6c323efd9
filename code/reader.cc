// One function: decode what control reaches, cut it into blocks, carry values along the edges to a fixed point, read
// the switches that this shows, again from the start with what they lead to, and take down what is left.
#include "code/pass.h"

namespace assay::code {
namespace {

constexpr int kMostPasses = 64;   // of newly found switches
constexpr int kMostAttempts = 5;  // each begins with the calls that the one before found not to return

uint64_t stated_end(const Program& program, uint64_t start) {
  const Range* r = program.unwound_at(start);
  return r && r->from == start ? r->to : kNowhere;
}

}  // namespace

OpDecoder& Reader::Work::add_decoder(Processor processor) {
  return *(decoders[static_cast<size_t>(processor)] = std::make_unique<OpDecoder>(processor, program.dialect));
}

Pass::Pass(const Program& program, CodeMap& map, const Neighbours& neighbours, Reader& reader, Reader::Work& work,
           uint64_t start, Processor processor, uint32_t owner)
    : program_(program),
      map_(map),
      neighbours_(neighbours),
      reader_(reader),
      work_(work),
      start_(start),
      processor_(processor),
      owner_(owner),
      alignment_(instruction_alignment(processor)),
      translator_(work.decoder(processor).translator()),
      machine_(program, translator_, work.unknowns),
      states_end_(stated_end(program, start) != kNowhere),
      limit_(std::min(neighbours.next_start(start), stated_end(program, start))),
      todo_(work.todo),
      leaders_(work.leaders),
      stops_(work.stops),
      runs_(work.runs),
      is_leader_(work.is_leader),
      reached_(work.reached),
      order_(work.order),
      rank_(work.rank),
      head_of_(work.head_of) {
  work_.ops.clear(), todo_.clear(), leaders_.clear(), runs_.clear(), stops_.clear();
}

void Pass::finish_blocks() {
  for (auto& [site, table] : switches_) {
    if (table.table == 0) continue;
    JumpTable t{.address = site,
                .table = table.table,
                .entry_size = table.entry_size,
                .targets = table.places,
                .bounded = table.bounded};
    // A row of branches: where they lead.
    if (table.data.empty() && program_.code_at(table.table) && !table.places.empty() &&
        table.places.front() == table.table)
      for (uint64_t& to : t.targets)
        if (const uint32_t i = op_at(to); i != kNone && work_.ops[i].flow == Flow::kJump && !work_.ops[i].conditional)
          to = work_.ops[i].target;
    std::ranges::sort(t.targets);
    t.targets.erase(std::ranges::unique(t.targets).begin(), t.targets.end());
    out_.tables.push_back(std::move(t));
  }
  std::ranges::sort(out_.tables, {}, &JumpTable::address);
  std::ranges::sort(out_.code_pointers);
  out_.code_pointers.erase(std::ranges::unique(out_.code_pointers).begin(), out_.code_pointers.end());
  const auto key = [](const Reference& r) { return std::pair(r.from, r.to); };
  std::ranges::sort(out_.references, {}, key);
  out_.references.erase(std::ranges::unique(out_.references, {}, key).begin(), out_.references.end());
  if (!std::ranges::is_sorted(out_.calls, {}, &Call::site)) std::ranges::stable_sort(out_.calls, {}, &Call::site);
  const auto ends = [](const Range& r) { return std::pair(r.from, r.to); };
  std::ranges::sort(out_.data, {}, ends);
  out_.data.erase(std::ranges::unique(out_.data, {}, ends).begin(), out_.data.end());
  out_.instructions = static_cast<uint32_t>(work_.ops.size());
  // Several ways may end in the same bytes.
  std::ranges::sort(undecodable_, {}, &Range::from);
  undecodable_.erase(std::ranges::unique(undecodable_, {}, &Range::from).begin(), undecodable_.end());
  for (const Range& r : undecodable_) out_.undecodable += static_cast<uint32_t>(r.to - r.from);
}

void Pass::reset() {
  for (const Op& op : work_.ops) map_.clear(op.address, op.size, owner_);
  for (const Range& r : literals_) map_.clear(r.from, r.to - r.from, CodeMap::kData);
  work_.ops.clear(), ordered_ = 0;
  runs_.clear(), leaders_.clear(), todo_.clear(), stops_.clear(), undecodable_.clear(), literals_.clear();
  foretold_.clear(), doubted_.clear(), wider_.clear();
  switches_.clear();
  guessed_ = false;
  std::vector<uint64_t> endings = std::move(out_.endings);
  out_ = {};
  endings_.insert(endings_.end(), endings.begin(), endings.end());
  std::ranges::sort(endings_);
}

ReadFunction Pass::run() {
  for (int attempt = 0;; ++attempt) {
    leader(start_);
    bool settled = false;
    for (int round = 0; round < kMostPasses && !settled; ++round) {
      decode_all();
      build();
      propagate();
      settled = !work_.charge(work_.ops.size()) || !follow_switches();
    }
    const bool ends = gather();
    if (!settled || work_.steps_left == 0) out_.incomplete = true;
    if ((ends && !tables_overlap()) || attempt + 1 == kMostAttempts || work_.steps_left == 0) {
      out_.incomplete |= !ends;
      break;
    }
    reset();
  }
  find_cuts();
  finish_extents();
  finish_blocks();
  endings_.insert(endings_.end(), told_endings_.begin(), told_endings_.end());
  std::ranges::sort(endings_);
  out_.endings = endings_;
  return std::move(out_);
}

Reader::Reader(const Program& program, CodeMap& map, const Neighbours& neighbours)
    : program_(program), map_(map), neighbours_(neighbours), work_(std::make_unique<Work>(program)) {}

Reader::~Reader() = default;

ReadFunction Reader::read(uint64_t start, Processor processor, uint32_t owner) {
  return Pass(program_, map_, neighbours_, *this, *work_, start, processor, owner).run();
}

uint64_t Reader::stub_of(uint32_t import) const { return work_->stub_of[import]; }

}  // namespace assay::code
