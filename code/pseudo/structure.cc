#include "code/pseudo/structure.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay::code::pseudo {

namespace {

constexpr unsigned kDeepest = 40;  // nested braces; beyond, goto

// Every edge of the graph is written once: by what stands next, by break or continue, or by goto. Every block is
// written once.
class Structure {
 public:
  Structure(Context& c, const Graph& g) : c_(c), g_(g), written_(g.next.size()), targets_(g.next.size()) {}

  std::vector<CodeLine> all() {
    if (!g_.order.empty()) sequence(0, {});
    // What only gotos reach.
    for (bool more = true; more;) {
      more = false;
      for (uint32_t i = 0; i < targets_.size(); ++i)
        if (targets_[i] && !written_[i]) more = true, sequence(i, {});
    }
    label();
    return std::move(lines_);
  }

 private:
  // Where control goes at the end of what is being written, and what break and continue mean there.
  struct Around {
    uint32_t end = kNoBlock;                    // written right behind
    uint32_t head = kNoBlock, exit = kNoBlock;  // of the loop; `exit` not inside of a switch
    unsigned depth = 1;
  };

  void say(uint64_t address, unsigned depth, std::string text) {
    lines_.push_back({address, std::string(4 * static_cast<size_t>(depth), ' ') + std::move(text), {}});
  }
  uint64_t address(uint32_t block) const { return c_.code->blocks[block].address; }

  // How control gets to `to` where that is not simply written next. True: it does.
  bool leave(uint64_t from, uint32_t to, const Around& in) {
    if (to == in.end) return true;
    if (to == in.head) return say(from, in.depth, "continue;"), true;
    if (to == in.exit) return say(from, in.depth, "break;"), true;
    const bool elsewhere = in.head != kNoBlock && !g_.inside(to, in.head) && !g_.next[to].empty();
    if (!written_[to] && in.depth < kDeepest && !pending(to) && !elsewhere) return false;
    targets_[to] = 1;
    return say(from, in.depth, fmt::format("goto L_{:x};", address(to))), true;
  }
  bool pending(uint32_t to) const { return std::ranges::find(ends_, to) != ends_.end(); }

  // Writes from `block` on until control is at in.end or has gone.
  void sequence(uint32_t block, Around in) {
    while (block != kNoBlock) {
      if (g_.loop[block] == block && block != in.head && !written_[block] && in.depth < kDeepest) {
        block = loop(block, in);
      } else {
        block = one(block, in);
      }
      if (block != kNoBlock && leave(lines_.empty() ? 0 : lines_.back().address, block, in)) return;
    }
  }

  // Writes the loop; returns what comes behind it.
  uint32_t loop(uint32_t head, const Around& in) {
    const uint32_t exit = g_.exit[head];
    const size_t first = lines_.size();
    say(address(head), in.depth, "while (1) {");
    Around body{.end = kNoBlock, .head = head, .exit = exit, .depth = in.depth + 1};
    if (in.end != kNoBlock) ends_.push_back(in.end);
    const uint32_t next = one(head, body);
    if (next != kNoBlock && !leave(lines_.back().address, next, body)) sequence(next, body);
    if (in.end != kNoBlock) ends_.pop_back();
    if (lines_.back().text.ends_with("continue;") && lines_.back().text.size() == 4 * (in.depth + 1) + 9)
      lines_.pop_back();
    say(lines_.back().address, in.depth, "}");
    tidy(first, in.depth);
    return exit;
  }
  // while (1) { if (c) break; … } is while (!c) { … }; with the break at the end, do { … } while (!c), and the like.
  void tidy(size_t first, unsigned depth) {
    const std::string space(4 * static_cast<size_t>(depth + 1), ' ');
    const auto is_break = [&](size_t at) {
      return at + 2 < lines_.size() && lines_[at].text.starts_with(space + "if (") &&
             lines_[at].text.ends_with(") {") && lines_[at + 1].text == space + "    break;" &&
             lines_[at + 2].text == space + "}" && conditions_.contains(at);
    };
    const auto at_indent = static_cast<size_t>(depth) * 4;
    if (const size_t last = lines_.size() - 5;
        lines_.size() > first + 5 && is_again(last, space) && !continues(first, last)) {
      const std::string& said = lines_[last].text;
      const std::string condition = said.substr(space.size() + 4, said.size() - space.size() - 7);
      lines_[first].text = std::string(at_indent, ' ') + "do {";
      lines_.back().text = std::string(at_indent, ' ') + "} while (" + condition + ");";
      cut(last, 4);
    } else if (is_break(first + 1)) {
      lines_[first].text = std::string(at_indent, ' ') + "while (" + conditions_[first + 1] + ") {";
      cut(first + 1, 3);
    } else if (lines_.size() >= first + 5 && is_break(lines_.size() - 4) && !continues(first, lines_.size())) {
      lines_[first].text = std::string(at_indent, ' ') + "do {";
      lines_.back().text = std::string(at_indent, ' ') + "} while (" + conditions_[lines_.size() - 4] + ");";
      cut(lines_.size() - 4, 3);
    }
  }
  // if (c) { continue; } break; at the end of the loop.
  bool is_again(size_t at, const std::string& space) const {
    return lines_[at].text.starts_with(space + "if (") && lines_[at].text.ends_with(") {") &&
           lines_[at + 1].text == space + "    continue;" && lines_[at + 2].text == space + "}" &&
           lines_[at + 3].text == space + "break;";
  }
  // A continue would ask the condition at the end, which these do not mean.
  bool continues(size_t first, size_t last) const {
    const auto at = lines_.begin();
    return std::any_of(at + static_cast<std::ptrdiff_t>(first), at + static_cast<std::ptrdiff_t>(last),
                       [](const CodeLine& l) { return l.text.ends_with("continue;"); });
  }
  void cut(size_t at, size_t count) {
    const auto from = lines_.begin() + static_cast<std::ptrdiff_t>(at);
    lines_.erase(from, from + static_cast<std::ptrdiff_t>(count));
    // What is known of later lines is known of those before them now.
    conditions_.erase(conditions_.lower_bound(at), conditions_.lower_bound(at + count));
    for (auto behind = conditions_.lower_bound(at); behind != conditions_.end();) {
      auto node = conditions_.extract(behind++);
      node.key() -= count;
      conditions_.insert(std::move(node));
    }
    for (auto start = starts_.rbegin(); start != starts_.rend() && start->first > at; ++start)
      start->first = start->first < at + count ? at : start->first - count;
  }

  // Writes one block and what hangs on its end; returns where control goes on.
  uint32_t one(uint32_t block, const Around& in) {
    written_[block] = 1;
    starts_.emplace_back(lines_.size(), block);
    const Written w = write_block(c_, g_, block);
    for (const Statement& s : w.statements) {
      note_goto(block, s.text);
      say(s.address, in.depth, s.text);
    }
    const auto& next = g_.next[block];
    if (!w.ending.chosen.empty()) return choose(block, w.ending, in);
    if (w.ending.condition.empty() || next.size() < 2) return next.empty() ? kNoBlock : next.back();
    return branch(block, w.ending, in);
  }
  void note_goto(uint32_t block, const std::string& text) {
    if (text.find("goto L_") == text.npos) return;
    for (const uint32_t to : g_.next[block])
      if (text.ends_with(fmt::format("goto L_{:x};", address(to)))) targets_[to] = 1;
  }

  uint32_t branch(uint32_t block, const Ending& e, const Around& in) {
    const uint32_t taken = g_.next[block][0], straight = g_.next[block][1];
    uint32_t follow = g_.follow[block];
    if (follow != kNoBlock && in.head != kNoBlock && !g_.inside(follow, in.head)) follow = kNoBlock;
    // An arm that leaves for good needs no else; one that is empty goes to the other side.
    const auto away = [&](uint32_t to) { return to == in.exit || to == in.head || to == in.end; };
    if (taken == follow || (straight != follow && away(straight) && !away(taken)))
      return arm(straight, taken, e.otherwise, e.condition, e.address, in, follow);
    if (straight == follow || follow == kNoBlock)
      return arm(taken, straight, e.condition, e.otherwise, e.address, in, follow);
    open(e.address, in.depth, e.condition, e.otherwise);
    inside(e.address, taken, follow, in);
    const size_t middle = lines_.size();
    say(e.address, in.depth, "} else {");
    inside(e.address, straight, follow, in);
    if (lines_.size() == middle + 1)
      lines_.back().text.resize(4 * static_cast<size_t>(in.depth)), lines_.back().text += "}";
    else
      say(lines_.back().address, in.depth, "}");
    return follow;
  }
  void open(uint64_t at, unsigned depth, const std::string& condition, const std::string& otherwise) {
    conditions_[lines_.size()] = otherwise;
    say(at, depth, "if (" + condition + ") {");
  }
  uint32_t arm(uint32_t to, uint32_t rest, const std::string& condition, const std::string& otherwise, uint64_t at,
               const Around& in, uint32_t follow) {
    open(at, in.depth, condition, otherwise);
    inside(at, to, follow == kNoBlock ? rest : follow, in);
    say(lines_.back().address, in.depth, "}");
    return rest;
  }
  void inside(uint64_t from, uint32_t to, uint32_t end, const Around& in) {
    Around arm = in;
    arm.end = end;
    ++arm.depth;
    if (in.end != kNoBlock) ends_.push_back(in.end);
    if (!leave(from, to, arm)) sequence(to, arm);
    if (in.end != kNoBlock) ends_.pop_back();
  }

  // The table's targets; which of its entries leads where the code does not say.
  uint32_t choose(uint32_t block, const Ending& e, const Around& in) {
    uint32_t follow = g_.follow[block];
    if (follow != kNoBlock && in.head != kNoBlock && !g_.inside(follow, in.head)) follow = kNoBlock;
    say(e.address, in.depth, "switch (" + e.chosen + ") {");
    Around arm = in;
    arm.exit = kNoBlock;
    for (const uint32_t to : g_.next[block]) {
      say(address(to), in.depth, fmt::format("case {:#x}:", address(to)));
      inside(address(to), to, follow, arm);
      const std::string& last = lines_.back().text;
      const size_t words = std::min(last.find_first_not_of(' '), last.size());
      const bool gone = last.compare(words, 6, "return") == 0 || last.compare(words, 5, "goto ") == 0 ||
                        last.compare(words, 9, "continue;") == 0;
      if (!gone) say(lines_.back().address, in.depth + 1, "break;");
    }
    say(lines_.back().address, in.depth, "}");
    return follow;
  }

  // Names for what gotos lead to.
  void label() {
    std::vector<CodeLine> out;
    size_t next = 0;
    std::ranges::stable_sort(starts_, {}, &std::pair<size_t, uint32_t>::first);
    for (size_t i = 0; i <= lines_.size(); ++i) {
      for (; next < starts_.size() && starts_[next].first <= i; ++next)
        if (const uint32_t b = starts_[next].second; targets_[b])
          out.push_back({address(b), fmt::format("L_{:x}:", address(b)), {}});
      if (i < lines_.size()) out.push_back(std::move(lines_[i]));
    }
    lines_ = std::move(out);
  }

  Context& c_;
  const Graph& g_;
  std::vector<uint8_t> written_, targets_;  // by block; targets: of gotos
  std::vector<uint32_t> ends_;              // of what is being written around
  std::vector<CodeLine> lines_;
  std::vector<std::pair<size_t, uint32_t>> starts_;  // the line a block begins with
  std::map<size_t, std::string> conditions_;         // by line of an if: its opposite
};

}  // namespace

std::vector<CodeLine> structure(Context& context, const Graph& graph) { return Structure(context, graph).all(); }

}  // namespace assay::code::pseudo
