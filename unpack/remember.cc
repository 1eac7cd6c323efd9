#include "unpack/remember.h"

#include "core/find.h"

#include <algorithm>
#include <string>
#include <vector>

namespace assay::unpack {
namespace {

constexpr uint64_t kWorthIt = 64 << 10;  // bytes; below, looking it up costs as much
constexpr size_t kMostSeen = 64;
constexpr uint64_t kSeenPage = 4096;

struct Known {
  std::string what;
  const std::byte* at;
  uint64_t size, value;
};
struct SeenPages {
  std::string text;
  std::vector<uint64_t> at;  // those in which the text begins, ascending
};
struct Spent {
  std::string what;
  uint64_t work;
};
struct Memory {
  Bytes content;
  std::vector<Known> known;
  std::vector<SeenPages> pages;
  std::vector<Spent> spent;
};
thread_local Memory memory;

bool holds(Bytes content, Bytes range) {
  return range.data() >= content.data() && range.data() + range.size() <= content.data() + content.size();
}

const std::vector<uint64_t>& pages_with(std::string_view text) {
  for (const SeenPages& p : memory.pages)
    if (p.text == text) return p.at;
  SeenPages& made = memory.pages.emplace_back(std::string(text));
  const std::string_view all = memory.content.text();
  for (size_t at = find_text(all, text); at != all.npos; at = find_text(all, text, (at / kSeenPage + 1) * kSeenPage))
    made.at.push_back(at / kSeenPage);
  return made.at;
}

}  // namespace

uint64_t remembered(std::string_view what, Bytes range, const std::function<uint64_t()>& compute) {
  if (range.size() < kWorthIt || !holds(memory.content, range)) return compute();
  for (const Known& k : memory.known)
    if (k.at == range.data() && k.size == range.size() && k.what == what) return k.value;
  const uint64_t value = compute();
  if (memory.known.size() < kMostSeen) memory.known.push_back({std::string(what), range.data(), range.size(), value});
  return value;
}

bool stands_near(std::string_view text, Bytes range) {
  if (range.empty()) return false;
  if (!holds(memory.content, range)) return find_text(range.text(), text) != std::string_view::npos;
  const std::vector<uint64_t>& pages = pages_with(text);
  const auto at = static_cast<uint64_t>(range.data() - memory.content.data());
  const auto first = std::ranges::lower_bound(pages, at / kSeenPage);
  return first != pages.end() && *first <= (at + range.size() - 1) / kSeenPage;
}

bool may_spend(std::string_view what, Bytes range, uint64_t work, uint64_t most) {
  if (!holds(memory.content, range)) return work <= most;
  auto account = std::ranges::find(memory.spent, what, &Spent::what);
  if (account == memory.spent.end()) account = memory.spent.insert(account, {std::string(what), 0});
  if (work > most - std::min(account->work, most)) return false;
  account->work += work;
  return true;
}

Remembering::Remembering(Bytes content) {
  if (!memory.content.empty()) outer_ = std::make_shared<Memory>(std::move(memory));
  memory = {content, {}, {}, {}};
}

Remembering::~Remembering() {
  if (outer_)
    memory = std::move(*std::static_pointer_cast<Memory>(outer_));
  else
    memory = {};
}

}  // namespace assay::unpack
