// The contents of one run: each distinct content once, with the results of its arrows, opened generation by generation.
#pragma once
#include "engine/input.h"
#include "engine/inspect.h"
#include "store/store.h"

#include <array>
#include <deque>
#include <map>
#include <memory>

namespace assay::engine {

struct Item {
  Digest sha256;
  unpack::Role role = unpack::Role::kFile;
  Place place;
  uint32_t depth = 0;
  std::string way;  // under which it was first found
  Unpacked unpacked;
  std::vector<Leaf> leaves;      // of its entries, what is known already
  std::vector<uint32_t> inside;  // of its entries: which items they are; kNoItem: none, or not known
  std::unique_ptr<Facts> facts;  // none: nothing was said; of most of a large image's contents nothing is
  bool opened = false, from_store = false;
  bool known = false;     // `unpacked` came with its container; its turn has not come
  bool asked = false;     // its turn has come
  std::string died;       // why there is no result
  std::string code_died;  // why its code was not read, although the rest was
};

constexpr uint32_t kNoItem = ~0u;

// Which item a content is. A tree for each beginning of a digest: one of all is as deep in memory as it is large, and
// of a table an image could choose the digests that make it slow.
class ItemIndex {
 public:
  using Key = std::pair<Digest, unpack::Role>;
  // The item of that key, which is `fresh` when there was none.
  std::pair<uint32_t, bool> insert(const Key& key, uint32_t fresh);
  uint32_t find(const Key& key) const;  // kNoItem: none

 private:
  static size_t place_of(const Digest& digest) { return size_t{digest.bytes[0]} << 4 | digest.bytes[1] >> 4; }
  std::array<std::map<Key, uint32_t>, 4096> trees_;
};

class Contents {
 public:
  Contents(const Options& options, Pool& pool, store::Store& store, std::vector<Arrow>& arrows);

  // Opens the input and everything in it. False: nothing but the root could be opened.
  void open(const Input& input);
  // Decodes again what results from the store only describe, so that every content is in memory.
  // Whether anything had to be.
  bool hold();

  const Item& root() const { return items_.front(); }
  const Item* find(const Digest& sha256, unpack::Role role) const;
  size_t entries() const;                                         // in all distinct contents
  const Item* inside(const Item& container, size_t entry) const;  // what `find` gives for this entry of it
  uint64_t bytes_out() const { return bytes_out_; }
  bool budget_hit() const { return budget_hit_; }

 private:
  using Indices = std::vector<size_t>;
  void open_generation(const Indices& generation);
  void run_group(const Indices& group, std::vector<uint64_t> allowances, bool last_chance);
  void ran(const char* name, const Item& item, const Digest& key, std::string_view result, bool keep);
  bool from_store(Item& item);
  void keep(const Item& item, std::string_view facts);
  size_t add(const Digest& sha256, unpack::Role role, Place place, uint32_t depth, std::string way, Indices& next);
  void add_entries(size_t container, Indices& next);
  void adopt_places(Unpacked& into, const Unpacked& from, bool& same);
  void update_places(const Unpacked& unpacked);
  bool in_focus(std::string_view way) const;
  Digest unpack_key(const Item& item) const;
  Digest facts_key(const Item& item) const;
  Digest code_key(const Item& item) const;
  bool facts_from_store(Item& item, std::vector<Arrow>& arrows);
  void report_progress(const char* step);

  // Opening what lies in a content before its generation has come, while workers would wait for the others. A result is
  // taken when its turn comes and only if a run with the budget of that time could not have differed; else it runs
  // again.
  struct Ahead {
    uint32_t task = 0;
    uint64_t reserved = 0;           // bytes that it may decode; once it is back, those that it did
    std::optional<Outcome> outcome;  // none: a worker still has it
    bool whole = false;              // no budget was hit
    uint64_t bytes = 0, entries = 0;
  };
  using Key = ItemIndex::Key;
  void note_candidates(const Item& item);
  void note_candidates(const Indices& generation);
  bool is_known(const Key& key, const Item& item);
  uint64_t most_ahead() const;
  bool leaves_wanted() const { return !options_.facts && options_.focus.empty(); }
  std::optional<Task> next_ahead();
  void offer_ahead();
  void came_back(Ahead& ahead, Outcome outcome);
  std::vector<Task> take_ahead(const Indices& group, const std::vector<Task>& early,
                               const std::function<void(const Task&, Outcome)>& done);

  const Options& options_;
  Pool& pool_;
  store::Store& store_;
  std::vector<Arrow>& arrows_;
  std::deque<Item> items_;  // references stay valid while it grows
  ItemIndex index_;
  std::string key_prefix_;
  uint64_t bytes_left_, entries_left_, most_bytes_ = 0, bytes_out_ = 0;
  bool budget_hit_ = false;
  std::map<Key, Ahead> ahead_;
  uint32_t ahead_count_ = 0;
  uint64_t ahead_bytes_ = 0;  // reserved by those, and what was decoded in vain
  std::deque<std::pair<Key, Place>> candidates_;
  Progress progress_;
};

std::string join_way(std::string_view base, std::string_view rest);
std::string way_inside(std::string_view way, const Unpacked& unpacked);  // prefix of the ways of its entries

}  // namespace assay::engine
