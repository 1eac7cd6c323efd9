#include "engine/code_view.h"
#include "engine/identity.h"

#include "code/answer.h"
#include "core/pack.h"
#include "engine/contents.h"

#include <algorithm>
#include <map>
#include <set>

namespace assay::engine {
namespace {

constexpr size_t kMostPrograms = 24;
constexpr uint64_t kMostFunctions = 15'000, kListings = 4, kLines = 120;

std::vector<std::string> in_order(const Examination& e) {
  std::vector<std::string> out;
  for (const bool started : {true, false})
    for (const Service& s : e.facts.services)
      if (s.started == started) out.push_back(s.resolves_to);
  for (const Startup& s : e.facts.startup) out.push_back(s.resolves_to);
  for (const Finding& f : e.findings)
    for (const Evidence& v : f.evidence) out.push_back(v.artifact);
  for (const CodeUnit& u : e.facts.code) out.push_back(u.at.artifact);
  return out;
}

// Indices into examination.artifacts.
std::vector<size_t> programs_to_show(const Examination& e, uint64_t& left_off) {
  std::map<std::string_view, uint64_t> functions;
  for (const CodeUnit& u : e.facts.code)
    if (u.functions > 0) functions[u.at.artifact] = u.functions;
  std::map<std::string_view, size_t> artifacts;
  for (size_t i = 0; i < e.artifacts.size(); ++i)
    if (functions.contains(e.artifacts[i].way)) artifacts[e.artifacts[i].way] = i;
  std::vector<size_t> out;
  std::set<Digest> seen, shown;
  uint64_t left = kMostFunctions;
  for (const std::string& way : in_order(e)) {
    const auto at = artifacts.find(way);
    if (at == artifacts.end()) continue;
    const Digest& content = e.artifacts[at->second].sha256;
    seen.insert(content);
    const uint64_t count = functions[way];
    if (out.size() == kMostPrograms || count > left || !shown.insert(content).second) continue;
    left -= count;
    out.push_back(at->second);
  }
  left_off = seen.size() - shown.size();
  return out;
}

// Questions about programs, put to the workers all at once; answers in the programs' order.
class Viewer {
 public:
  Viewer(Examination& examination, const ViewGround& ground)
      : e_(examination),
        ground_(ground),
        programs_(programs_to_show(examination, out_.left_off)),
        packed_(programs_.size()) {}

  CodeViews view() {
    if (!recall()) {
      ground_.hold();
      ask();
    }
    for (size_t i = 0; i < programs_.size(); ++i)
      if (auto answer = unpack_as<CodeAnswer>(packed_[i]); answer && !packed_[i].empty())
        out_.programs.push_back({e_.artifacts[programs_[i]].way, std::move(*answer)});
      else
        ++out_.left_off;
    return std::move(out_);
  }

 private:
  Digest key(size_t i) const {
    if (!ground_.keep) return {};
    return sha256(Bytes("code view\n" + program_identity() + "\n" + std::to_string(code::kCodeVersion) + "\n" +
                        e_.artifacts[programs_[i]].sha256.hex() + pack(question_)));
  }

  bool recall() {
    bool all = true;
    for (size_t i = 0; i < programs_.size(); ++i) {
      if (auto stored = ground_.store.get(key(i))) packed_[i] = std::move(*stored);
      all = all && !packed_[i].empty();
      ground_.arrows.push_back({"code view", e_.artifacts[programs_[i]].way, !packed_[i].empty()});
    }
    return all;
  }

  void ask() {
    std::vector<Task> tasks;
    for (size_t i = 0; i < programs_.size(); ++i) {
      if (!packed_[i].empty()) continue;
      Task task;
      task.id = static_cast<uint32_t>(i);
      task.place = e_.artifacts[programs_[i]].place;
      task.unpack = task.facts = false;
      task.question = question_;
      tasks.push_back(std::move(task));
    }
    ground_.pool.run(std::move(tasks), [&](const Task& task, Outcome outcome) {
      if (!outcome.died.empty() || !outcome.reply.failure.empty()) return;
      packed_[task.id] = std::move(outcome.reply.output);
      ground_.store.put(key(task.id), packed_[task.id]);
    });
  }

  Examination& e_;
  CodeViews out_;
  const ViewGround& ground_;
  const std::vector<size_t> programs_;
  std::vector<std::string> packed_;  // CodeAnswers; "" : none
  const CodeQuestion question_ = {
      .kind = CodeQuestion::kView, .address = 0, .text = {}, .listings = kListings, .most = kLines};
};

}  // namespace

CodeViews view_code(Examination& examination, const ViewGround& ground) { return Viewer(examination, ground).view(); }

}  // namespace assay::engine
