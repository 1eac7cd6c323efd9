#include "engine/contents.h"

#include "code/answer.h"
#include "core/merge.h"
#include "core/pack.h"
#include "core/text.h"
#include "engine/identity.h"
#include "system/file.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace assay::engine {
namespace {

// Decoded in one run: at least the first, and the second for each byte of the input, up to the third (below an arena's
// room, so that the number of workers does not show).
constexpr uint64_t kMostBytes = uint64_t{2} << 30, kMostPerByte = 8, kMostEver = uint64_t{32} << 30;
constexpr uint64_t kMostEntries = 2'000'000;
constexpr uint32_t kDeepestContainer = 24;  // containers within containers
constexpr uint64_t kFirstAllowance = 1 << 20, kFirstRatio = 64;
constexpr uint64_t kMostInOneGroup = 512 << 20;
constexpr uint64_t kWorthAhead = 256 << 10;          // size of a content that is opened before its turn
constexpr uint32_t kFirstAhead = uint32_t{1} << 31;  // ids of such tasks; those of a group start at 0
constexpr std::string_view kProgram =
    "\x7f"
    "ELF";

uint64_t first_allowance(const Item& item) {
  const uint64_t most = std::max(kMostInOneGroup, item.place.size * 2);  // images of whole disks are not tried in vain
  return std::min(std::max(kFirstAllowance, item.place.size * kFirstRatio), most);
}

uint64_t most_bytes(uint64_t input) {
  return std::min(std::max(kMostBytes, std::min(input, kMostEver) * kMostPerByte), kMostEver);
}

void add_up(const Unpacked& unpacked, uint64_t& bytes, uint64_t& entries) {
  bytes += unpacked.bytes_out;
  entries += unpacked.entries.size();
  for (const Entry& entry : unpacked.entries)
    for (const Unpacked& inner : entry.inner) add_up(inner, bytes, entries);
}

Unpacked without_places(Unpacked unpacked) {
  for (Entry& entry : unpacked.entries) {
    entry.place = {};
    for (Unpacked& inner : entry.inner) inner = without_places(std::move(inner));
  }
  return unpacked;
}

std::string analyses_identity() {
  std::string all;
  for (const system::FileAnalysis* analysis : system::file_analyses())
    all += std::string(analysis->id) + " " + std::to_string(analysis->version) + "\n";
  return all;
}

// Whether what a worker says of leaves can be: nothing lies in them.
bool are_leaves(const std::vector<Leaf>& leaves, const Unpacked& of) {
  uint64_t next = 0;
  for (const Leaf& leaf : leaves) {
    if (leaf.entry < next || leaf.entry >= of.entries.size()) return false;
    const Entry& entry = of.entries[leaf.entry];
    if (entry.node.kind == Kind::kPart || !entry.has_content) return false;
    if (leaf.unpacked.limited || !leaf.unpacked.entries.empty()) return false;
    next = uint64_t{leaf.entry} + 1;
  }
  return true;
}

unpack::Role role_of(const Entry& entry) {
  return entry.node.kind == Kind::kPart ? unpack::Role::kPart : unpack::Role::kFile;
}

}  // namespace

std::string join_way(std::string_view base, std::string_view rest) {
  if (base.empty() || rest.empty()) return std::string(base.empty() ? rest : base);
  return std::string(base) + "/" + std::string(rest);
}

std::string way_inside(std::string_view way, const Unpacked& unpacked) {
  return unpacked.format == "directory" ? std::string(way) : join_way(way, unpacked.format);
}

Contents::Contents(const Options& options, Pool& pool, store::Store& store, std::vector<Arrow>& arrows)
    : options_(options),
      pool_(pool),
      store_(store),
      arrows_(arrows),
      bytes_left_(kMostBytes),
      entries_left_(kMostEntries) {
  if (options.store_folder.empty() && !options.root) return;
  key_prefix_ = program_identity() + "\n" + unpack::unpack_version().hex() + "\n";
  for (const auto& [id, bytes] : options.keys) key_prefix_ += id + " " + sha256(Bytes(bytes)).hex() + "\n";
}

Digest Contents::unpack_key(const Item& item) const {
  if (options_.store_folder.empty() && !options_.root) return {};
  return sha256(
      Bytes("unpack\n" + key_prefix_ + std::to_string(static_cast<int>(item.role)) + "\n" + item.sha256.hex()));
}

Digest Contents::facts_key(const Item& item) const {
  if (options_.store_folder.empty() && !options_.root) return {};
  static const std::string analyses = analyses_identity();
  return sha256(Bytes("file\n" + program_identity() + "\n" + analyses + item.sha256.hex()));
}

Digest Contents::code_key(const Item& item) const {
  if (options_.store_folder.empty() && !options_.root) return {};
  return sha256(
      Bytes("code\n" + program_identity() + "\n" + std::to_string(code::kCodeVersion) + "\n" + item.sha256.hex()));
}

std::pair<uint32_t, bool> ItemIndex::insert(const Key& key, uint32_t fresh) {
  const auto [it, is_new] = trees_[place_of(key.first)].insert({key, fresh});
  return {it->second, is_new};
}

uint32_t ItemIndex::find(const Key& key) const {
  const auto& tree = trees_[place_of(key.first)];
  const auto it = tree.find(key);
  return it == tree.end() ? kNoItem : it->second;
}

const Item* Contents::find(const Digest& sha256, unpack::Role role) const {
  const uint32_t index = index_.find({sha256, role});
  return index == kNoItem ? nullptr : &items_[index];
}

size_t Contents::entries() const {
  size_t sum = 0;
  for (const Item& item : items_) sum += item.unpacked.entries.size();
  return sum;
}

const Item* Contents::inside(const Item& container, size_t entry) const {
  if (entry < container.inside.size() && container.inside[entry] != kNoItem) return &items_[container.inside[entry]];
  const Entry& stored = container.unpacked.entries[entry];
  return find(stored.sha256, role_of(stored));
}

bool Contents::in_focus(std::string_view way) const {
  if (options_.focus.empty()) return true;
  return std::ranges::any_of(options_.focus, [&](const std::string& wanted) {
    return wanted == way || way.empty() || wanted.starts_with(std::string(way) + "/");
  });
}

size_t Contents::add(const Digest& sha256, unpack::Role role, Place place, uint32_t depth, std::string way,
                     Indices& next) {
  const auto [index, fresh] = index_.insert({sha256, role}, static_cast<uint32_t>(items_.size()));
  if (!fresh) return index;
  Item item;
  item.sha256 = sha256;
  item.role = role;
  item.place = place;
  item.depth = depth;
  item.way = std::move(way);
  items_.push_back(std::move(item));
  next.push_back(index);
  progress_.contents_total += 1;
  progress_.bytes_total += place.size;
  return index;
}

void Contents::add_entries(size_t container, Indices& next) {
  Item& item = items_[container];
  if (item.unpacked.entries.empty()) return;
  const std::string inside = way_inside(item.way, item.unpacked);
  item.inside.assign(item.unpacked.entries.size(), kNoItem);
  auto leaf = item.leaves.begin();
  for (size_t i = 0; i < item.unpacked.entries.size(); ++i) {
    const Entry& entry = item.unpacked.entries[i];
    if (!entry.has_content || entry.size == 0) continue;
    std::string child = join_way(inside, escape(entry.node.path));
    if (!in_focus(child)) continue;
    const auto role = role_of(entry);
    Place place = entry.place;
    place.size = entry.size;  // known even where the bytes are not held
    const size_t index = add(entry.sha256, role, place, item.depth + 1, std::move(child), next);
    item.inside[i] = static_cast<uint32_t>(index);
    // A by-product of carving: the content has been unpacked already.
    if (!entry.inner.empty() && !items_[index].opened) {
      items_[index].unpacked = entry.inner[0];
      items_[index].opened = true;
    }
    while (leaf != item.leaves.end() && leaf->entry < i) ++leaf;
    Item& opened = items_[index];
    if (leaf != item.leaves.end() && leaf->entry == i && !opened.opened && !opened.asked && !opened.known) {
      opened.unpacked = std::move(leaf->unpacked);
      opened.known = true;
    }
  }
  item.leaves = {};
}

void Contents::open(const Input& input) {
  Indices generation;
  add(input.sha256, unpack::Role::kImage, {0, 0, input.size, true}, 0, "", generation);
  bytes_left_ = most_bytes_ = most_bytes(input.size);
  if (input.directory) {
    items_[0].unpacked = *input.directory;
    items_[0].opened = true;
  }
  while (!generation.empty()) {
    open_generation(generation);
    Indices next;
    for (const size_t index : generation) {
      const Item& item = items_[index];
      if (item.depth < kDeepestContainer)
        add_entries(index, next);
      else if (!item.unpacked.entries.empty()) {
        items_[index].unpacked.problems.push_back(
            {"", Fault::kLimit, "containers are nested deeper than 24; not opened", 0});
        budget_hit_ = true;
      }
    }
    generation = std::move(next);
  }
  pool_.finish_early();
  pool_.offer_early({});
  ahead_.clear();
}

// What the file arrow says, and of programs what the code arrow says.
bool Contents::facts_from_store(Item& item, std::vector<Arrow>& arrows) {
  const auto read = [&](const char* name, const Digest& key) -> std::optional<Facts> {
    const auto stored = store_.get(key);
    if (!stored) return std::nullopt;
    auto facts = unpack_as<Facts>(*stored);
    if (!facts) return std::nullopt;
    arrows.push_back({name, item.way, true, key, sha256(Bytes(*stored))});
    return std::move(*facts);
  };
  auto facts = read("file", facts_key(item));
  if (!facts) return false;
  if (options_.code && !facts->elf.empty()) {
    auto code = read("code", code_key(item));
    if (!code) return false;
    append(*facts, std::move(*code));
  }
  item.facts = std::make_unique<Facts>(std::move(*facts));
  return true;
}

bool Contents::from_store(Item& item) {
  // The result of unpacking by-products is not stored on its own; their facts are.
  const bool unpacked_known = item.opened;
  std::optional<std::string> unpacked;
  if (!unpacked_known) {
    unpacked = store_.get(unpack_key(item));
    if (!unpacked) return false;
  }
  Unpacked known;
  if (unpacked) {
    auto result = unpack_as<Unpacked>(*unpacked);
    if (!result) return false;
    known = std::move(*result);
  }
  const Unpacked& result = unpacked_known ? item.unpacked : known;
  if (result.bytes_out > bytes_left_) return false;
  const bool facts = options_.facts && unpack::is_readable(result);
  std::vector<Arrow> known_facts;
  if (facts && !facts_from_store(item, known_facts)) return false;
  if (!unpacked_known) {
    item.unpacked = std::move(known);
    bytes_left_ -= std::min(bytes_left_, item.unpacked.bytes_out);
    entries_left_ -= std::min<uint64_t>(entries_left_, item.unpacked.entries.size());
    arrows_.push_back({"unpack", item.way, true, unpack_key(item), sha256(Bytes(*unpacked))});
  }
  item.opened = item.from_store = true;
  for (Arrow& arrow : known_facts) arrows_.push_back(std::move(arrow));
  return true;
}

// What may be decoded before its turn, with what was decoded in vain: as much as one group may, that of the input.
uint64_t Contents::most_ahead() const { return std::max(kMostInOneGroup, items_.front().place.size * 2); }

// All of a generation, in its order: large ones run alone, and the other workers would wait.
void Contents::note_candidates(const Indices& generation) {
  candidates_.clear();
  for (const size_t index : generation) {
    const Item& item = items_[index];
    if (item.place.size >= kWorthAhead && item.place.held && !item.opened && !item.known)
      candidates_.push_back({{item.sha256, item.role}, item.place});
  }
}

void Contents::open_generation(const Indices& generation) {
  note_candidates(generation);
  Indices group;
  std::vector<uint64_t> allowances;
  uint64_t sum = 0;
  const auto run = [&] {
    if (!group.empty()) run_group(group, allowances, false);
    group.clear(), allowances.clear(), sum = 0;
  };
  for (const size_t index : generation) {
    Item& item = items_[index];
    if (from_store(item)) {
      progress_.contents += 1;
      progress_.bytes += item.place.size;
      continue;
    }
    const uint64_t allowance = std::min(first_allowance(item), bytes_left_);
    if (sum + allowance > kMostInOneGroup) run();
    group.push_back(index);
    allowances.push_back(allowance);
    sum += allowance;
  }
  run();
}

// Parts of a content that was just opened, large enough that opening one early is worth the messages.
void Contents::note_candidates(const Item& item) {
  if (item.depth >= kDeepestContainer || item.unpacked.entries.empty()) return;
  const std::string inside = way_inside(item.way, item.unpacked);
  auto leaf = item.leaves.begin();
  for (size_t i = 0; i < item.unpacked.entries.size(); ++i) {
    const Entry& entry = item.unpacked.entries[i];
    if (!entry.has_content || entry.size < kWorthAhead || !entry.place.held || !entry.inner.empty()) continue;
    while (leaf != item.leaves.end() && leaf->entry < i) ++leaf;
    if (leaf != item.leaves.end() && leaf->entry == i) continue;
    if (!in_focus(join_way(inside, escape(entry.node.path)))) continue;
    const auto role = role_of(entry);
    candidates_.push_back({{entry.sha256, role}, entry.place});
  }
}

bool Contents::is_known(const Key& key, const Item& item) {
  const uint32_t index = index_.find(key);
  if (index != kNoItem && (items_[index].opened || items_[index].asked)) return true;
  return ahead_.contains(key) || store_.get(unpack_key(item));
}

std::optional<Task> Contents::next_ahead() {
  while (!candidates_.empty()) {
    const auto [key, place] = candidates_.front();
    Item item;
    item.sha256 = key.first, item.role = key.second, item.place = place;
    const uint64_t allowance = first_allowance(item);
    const bool fits = ahead_bytes_ + allowance <= std::min(most_ahead(), bytes_left_);
    const bool known = is_known(key, item), large = allowance > most_ahead() / 2;
    if (!known && !large && !fits) return std::nullopt;
    candidates_.pop_front();
    if (known || large) continue;
    Task task;
    task.id = kFirstAhead + static_cast<uint32_t>(ahead_count_++);
    task.place = place;
    task.role = key.second;
    task.facts = options_.facts;
    task.code = options_.code && task.facts;
    task.drop_if_limited = true;
    task.leaves = leaves_wanted();
    task.budget = {.bytes = allowance, .entries = entries_left_};
    ahead_[key] = {.task = task.id, .reserved = allowance};
    ahead_bytes_ += allowance;
    return task;
  }
  return std::nullopt;
}

// Of what died or hit a budget the whole allowance stays reserved: its bytes may lie there.
void Contents::came_back(Ahead& ahead, Outcome outcome) {
  const bool alive = outcome.died.empty() && outcome.reply.failure.empty();
  ahead.outcome = std::move(outcome);
  if (!alive) return;
  const auto unpacked = unpack_as<Unpacked>(ahead.outcome->reply.unpacked);
  if (!unpacked || unpacked->limited) return;
  ahead.whole = true;
  add_up(*unpacked, ahead.bytes, ahead.entries);
  ahead_bytes_ -= ahead.reserved - std::min(ahead.reserved, ahead.bytes);
  ahead.reserved = std::min(ahead.reserved, ahead.bytes);
}

void Contents::offer_ahead() {
  const auto back = [this](const Task& task, Outcome outcome) {
    const auto it = std::ranges::find(ahead_, task.id, [](const auto& entry) { return entry.second.task; });
    if (it != ahead_.end()) came_back(it->second, std::move(outcome));
  };
  pool_.offer_early({[this] { return next_ahead(); }, back});
}

// Hands what was opened early to `done`; gives the tasks that have to run after all.
std::vector<Task> Contents::take_ahead(const Indices& group, const std::vector<Task>& early,
                                       const std::function<void(const Task&, Outcome)>& done) {
  const auto of = [&](const Task& task) {
    const Item& item = items_[group[task.id]];
    return ahead_.find({item.sha256, item.role});
  };
  const auto back = [&] {
    return std::ranges::all_of(early, [&](const Task& task) { return of(task)->second.outcome.has_value(); });
  };
  pool_.wait_early(back, [this] { report_progress("unpacking"); });
  std::vector<Task> again;
  for (const Task& task : early) {
    const auto it = of(task);
    Ahead ahead = std::move(it->second);
    ahead_.erase(it);
    // A run with this budget would have come to the same: none was hit, and what was used lies within it.
    if (ahead.whole && ahead.bytes <= task.budget.bytes && ahead.entries <= task.budget.entries) {
      ahead_bytes_ -= ahead.reserved;
      done(task, *std::move(ahead.outcome));
    } else {
      again.push_back(task);
    }
  }
  return again;
}

// Notes an arrow that ran; what a budget cut or a death spoilt is not kept in the store.
void Contents::ran(const char* name, const Item& item, const Digest& key, std::string_view result, bool keep) {
  arrows_.push_back({name, item.way, false});
  if (options_.root && item.died.empty()) arrows_.back().key = key, arrows_.back().result = sha256(Bytes(result));
  if (keep) store_.put(key, result);
}

void Contents::run_group(const Indices& group, std::vector<uint64_t> allowances, bool last_chance) {
  std::vector<Task> tasks, early;
  for (size_t i = 0; i < group.size(); ++i) {
    Item& item = items_[group[i]];
    if (!item.known || item.unpacked.bytes_out <= std::min(allowances[i], bytes_left_)) continue;
    item.known = false;  // a run with this budget would have been another one
    item.unpacked = {};
  }
  for (size_t i = 0; i < group.size(); ++i) {
    const Item& item = items_[group[i]];
    if (!item.place.held && item.place.size > 0 && !item.known) {
      hold();  // its container came from the store, it did not: have the bytes first
      break;
    }
  }
  for (size_t i = 0; i < group.size(); ++i) {
    Item& item = items_[group[i]];
    item.asked = true;
    Task task;
    task.id = static_cast<uint32_t>(i);
    task.place = item.place;
    task.role = item.role;
    task.unpack = !item.opened;
    task.facts = options_.facts && (!item.opened || unpack::is_readable(item.unpacked));
    task.code = options_.code && task.facts;
    task.drop_if_limited = !last_chance;
    task.leaves = leaves_wanted();
    task.budget = {.bytes = std::min(allowances[i], bytes_left_), .entries = entries_left_};
    if (item.known && !task.facts) {
      progress_.contents += 1;
      progress_.bytes += item.place.size;
    } else if (task.unpack && ahead_.contains({item.sha256, item.role}))
      early.push_back(task);
    else if (task.unpack || task.facts)
      tasks.push_back(task);
  }
  std::vector<std::string> facts(group.size()), code(group.size());
  std::vector<Task> with_less;
  const auto done = [&](const Task& task, Outcome outcome) {
    Item& item = items_[group[task.id]];
    item.died = !outcome.died.empty() ? "the worker reading it " + outcome.died : outcome.reply.failure;
    if (task.leaves && !item.died.empty()) {
      // Perhaps it was a leaf: each will have a task of its own.
      item.died.clear();
      with_less.push_back(task);
      with_less.back().leaves = false;
      return;
    }
    if (task.code && !item.died.empty() && pool_.bytes_at(task.place).starts_with(kProgram)) {
      // Perhaps a program's code alone was too much: the rest is read without.
      item.code_died = std::exchange(item.died, {});
      with_less.push_back(task);
      with_less.back().code = false;
      return;
    }
    if (!item.died.empty()) item.code_died.clear();
    progress_.contents += 1;
    progress_.bytes += item.place.size;
    facts[task.id] = std::move(outcome.reply.facts);
    code[task.id] = std::move(outcome.reply.code);
    if (task.unpack && item.died.empty()) {
      auto unpacked = unpack_as<Unpacked>(outcome.reply.unpacked);
      if (unpacked && are_leaves(outcome.reply.leaves, *unpacked)) {
        item.unpacked = std::move(*unpacked);
        item.leaves = std::move(outcome.reply.leaves);
        if (!item.unpacked.limited) note_candidates(item);
      } else
        item.died = "the worker's answer does not have the expected shape";
    }
    for (const std::string* bytes : {&facts[task.id], &code[task.id]}) {
      if (bytes->empty()) continue;
      auto read = unpack_as<Facts>(*bytes);
      if (!read) continue;
      if (!item.facts) item.facts = std::make_unique<Facts>();
      append(*item.facts, std::move(*read));
    }
  };
  const auto idle = [this] { report_progress("unpacking"); };
  offer_ahead();
  pool_.run(std::move(tasks), done, idle);
  pool_.run(take_ahead(group, early, done), done, idle);
  pool_.run(std::exchange(with_less, {}), done, idle);
  // In tree order, whatever the order of completion: charge, keep, and find who needs a second try.
  Indices again;
  for (size_t i = 0; i < group.size(); ++i) {
    Item& item = items_[group[i]];
    const bool ran_unpack = !item.opened;
    if (ran_unpack && item.unpacked.limited && !last_chance) {
      item.unpacked = {};
      progress_.contents -= 1;
      progress_.bytes -= item.place.size;
      again.push_back(group[i]);
      continue;
    }
    item.opened = true;
    bytes_out_ += item.unpacked.bytes_out;
    bytes_left_ -= std::min(bytes_left_, item.unpacked.bytes_out);
    entries_left_ -= std::min<uint64_t>(entries_left_, item.unpacked.entries.size());
    if (item.unpacked.limited) budget_hit_ = true;
    const bool keep = item.died.empty() && !item.unpacked.limited;
    const bool wanted = !options_.store_folder.empty() || options_.root;
    if (ran_unpack)
      ran("unpack", item, unpack_key(item), wanted ? pack(without_places(item.unpacked)) : std::string(), keep);
    if (!facts[i].empty()) ran("file", item, facts_key(item), facts[i], keep);
    if (!code[i].empty()) ran("code", item, code_key(item), code[i], keep);
  }
  for (const size_t index : again) {
    const uint64_t most = std::max(kMostInOneGroup * 4, items_[index].place.size * kMostPerByte);
    run_group({index}, {std::min(most, bytes_left_)}, true);
  }
}

void Contents::adopt_places(Unpacked& into, const Unpacked& from, bool& same) {
  if (into.entries.size() != from.entries.size()) {
    same = false;
    return;
  }
  for (size_t i = 0; i < into.entries.size(); ++i) {
    into.entries[i].place = from.entries[i].place;
    if (into.entries[i].sha256 != from.entries[i].sha256) same = false;
    if (!into.entries[i].inner.empty() && !from.entries[i].inner.empty())
      adopt_places(into.entries[i].inner[0], from.entries[i].inner[0], same);
  }
}

void Contents::update_places(const Unpacked& unpacked) {
  for (const Entry& entry : unpacked.entries) {
    if (!entry.has_content || !entry.place.held) continue;
    const auto role = role_of(entry);
    const uint32_t index = index_.find({entry.sha256, role});
    if (index == kNoItem) continue;
    Item& item = items_[index];
    if (!item.place.held) item.place = entry.place;
    if (!entry.inner.empty() && item.opened && !item.unpacked.entries.empty() && !item.unpacked.entries[0].place.held) {
      bool same = true;
      adopt_places(item.unpacked, entry.inner[0], same);
    }
    if (!entry.inner.empty()) update_places(entry.inner[0]);
  }
}

bool Contents::hold() {
  bool any = false;
  // Items stand in the order of their depth, so a container is held before its contents are looked at.
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    const auto& entries = item.unpacked.entries;
    const bool missing =
        std::ranges::any_of(entries, [](const Entry& e) { return e.has_content && e.size > 0 && !e.place.held; });
    if (!item.opened || !missing || !item.place.held) continue;
    any = true;
    Task task;
    task.place = item.place;
    task.role = item.role;
    task.facts = false;
    task.budget = {.bytes = most_bytes_, .entries = kMostEntries};
    bool same = true;
    pool_.run(
        {task},
        [&](const Task&, const Outcome& outcome) {
          const auto again = unpack_as<Unpacked>(outcome.reply.unpacked);
          if (again && outcome.died.empty())
            adopt_places(item.unpacked, *again, same);
          else
            same = false;
        },
        [this] { report_progress("unpacking"); });
    if (!same)
      item.unpacked.problems.push_back({"", Fault::kIo, "unpacking it again gave another result than the store's", 0});
    update_places(item.unpacked);
  }
  return any;
}

void Contents::report_progress(const char* step) {
  if (!options_.progress) return;
  progress_.step = step;
  options_.progress(progress_);
}

}  // namespace assay::engine
