#include "engine/worker.h"

#include "code/answer.h"
#include "core/merge.h"
#include "engine/excerpt.h"
#include "engine/leaves.h"
#include "engine/raw_code.h"
#include "engine/sandbox.h"
#include "engine/unknown_ranges.h"
#include "system/file.h"
#include "system/tree.h"
#include "unpack/helpers.h"

#include <unistd.h>

#include <map>
#include <new>
#include <optional>
#include <utility>

namespace assay::engine {
namespace {

constexpr uint64_t kMostMemory = uint64_t{1} << 30;
constexpr uint64_t kMostEntropyBlocks = 2048;
// Replies wait for others up to so many bytes, those of a next task's content among them: each wakes the supervisor.
constexpr uint64_t kHeldBack = 64 << 10;
// Where bytes may be forgotten, so many wait for that before they are written.
constexpr uint64_t kHeldBackDecoded = 8 << 20;

class Worker {
 public:
  explicit Worker(const WorkerSetup& setup) : setup_(setup), own_((*setup.arenas)[setup.own_arena]) {}

  bool serve() {
    std::string frame;
    if (!receive_frame(setup_.socket, frame)) return false;
    const auto job = unpack_as<Job>(frame);
    if (!job) return false;
    if (job->kind != JobKind::kContents) return answer({whole_job(*job)});
    std::vector<Reply> done;
    uint64_t bytes = 0;
    for (const Task& task : job->tasks) {
      if (bytes + task.place.size > kHeldBack && !answer(std::exchange(done, {}))) return false;
      ++setup_.begun->tasks;
      done.push_back(content_task(task));
      const Reply& reply = done.back();
      bytes = (done.size() == 1 ? 0 : bytes) + reply.unpacked.size() + reply.facts.size() + reply.code.size();
    }
    return answer(std::move(done));
  }

 private:
  bool answer(std::vector<Reply> replies) {
    if (replies.empty()) return true;
    own_.flush();
    for (Reply& reply : replies) reply.arena_size = own_.size();
    return send_frame(setup_.socket, pack(replies));
  }

  Bytes bytes_at(const Place& place) const {
    if (!place.held || place.size == 0 || place.arena >= setup_.arenas->size()) return {};
    return (*setup_.arenas)[place.arena].view(place.at, place.size);
  }

  Reply content_task(const Task& task) {
    Reply reply;
    reply.task = task.id;
    const uint64_t before = own_.size();
    try {
      const Bytes content = bytes_at(task.place);
      if (task.unpack) {
        std::optional<Leaves> leaves;
        if (task.leaves) leaves.emplace(*setup_.keys, setup_.forget, reply.leaves);
        Unpacked unpacked = unpack::examine(content, task.place, task.role, *setup_.keys, task.budget, own_,
                                            leaves ? &*leaves : nullptr);
        const bool again = unpacked.limited && task.drop_if_limited;
        if (task.facts && !again && unpack::is_readable(unpacked)) read_file(task, content, reply);
        if (again) {
          own_.truncate(before);
          reply.leaves.clear();
          unpacked = Unpacked{};
          unpacked.limited = true;
        }
        reply.unpacked = pack(unpacked);
      } else if (task.question) {
        reply.output = pack(answer_of(content, *task.question));
      } else if (task.facts) {
        read_file(task, content, reply);
      }
    } catch (const std::bad_alloc&) {
      own_.truncate(before);
      reply = Reply{};
      reply.task = task.id;
      reply.failure = "out of memory";
    } catch (const std::exception& error) {
      own_.truncate(before);
      reply = Reply{};
      reply.task = task.id;
      reply.failure = std::string("stopped by a bug: ") + error.what();
    }
    return reply;
  }

  static CodeAnswer answer_of(Bytes content, CodeQuestion question) {
    if (question.cpu.empty()) return code::answer(content, question);
    const auto raw = settle_raw(content, question);
    if (!raw) return {.refused = raw.error().what};
    CodeAnswer out = code::answer(content, question);
    out.raw = *raw;
    return out;
  }

  static void read_file(const Task& task, Bytes content, Reply& reply) {
    Facts facts;
    system::read_facts(content, facts);
    reply.facts = pack(facts);
    if (!task.code || facts.elf.empty()) return;
    Facts of_code;
    code::read_code(content, of_code);
    reply.code = pack(of_code);
  }

  Reply whole_job(const Job& job) {
    Reply reply;
    try {
      reply.output = job.kind == JobKind::kSystem ? system_job(job.payload) : judge_job(job.payload);
      if (reply.output.empty()) reply.failure = "the job's bytes do not have the expected shape";
    } catch (const std::bad_alloc&) {
      reply.failure = "out of memory";
    } catch (const std::exception& error) {
      reply.failure = std::string("stopped by a bug: ") + error.what();
    }
    return reply;
  }

  std::string system_job(std::string_view payload) {
    const auto input = unpack_as<SystemInput>(payload);
    if (!input) return {};
    SystemOutput output;
    SystemOutput beside;
    unpack::once_beside([&] { look_at_bytes(*input, beside); },
                        [&] {
                          system::Tree tree(input->artifacts, input->facts,
                                            [this](const Artifact& a) { return bytes_at(a.place); });
                          for (const system::TreeAnalysis* analysis : system::tree_analyses())
                            analysis->run(tree, output.facts);
                        });
    append(output.facts, std::move(beside.facts));
    output.entropy = std::move(beside.entropy);
    output.entropy_block = beside.entropy_block;
    return pack(output);
  }

  // What needs no fact: unknown ranges, and how random each stretch of the image is.
  void look_at_bytes(const SystemInput& input, SystemOutput& output) const {
    describe_unknown_ranges(input.artifacts, [this](const Place& place) { return bytes_at(place); }, output.facts);
    if (input.artifacts.empty()) return;
    const Bytes image = bytes_at(input.artifacts[0].place);
    output.entropy_block = (image.size() + kMostEntropyBlocks - 1) / kMostEntropyBlocks;
    if (output.entropy_block < 256) output.entropy_block = 256;
    output.entropy = entropy_of_blocks(image, output.entropy_block);
  }

  std::string judge_job(std::string_view payload) {
    const auto input = unpack_as<JudgeInput>(payload);
    if (!input) return {};
    JudgeOutput output;
    output.findings = checks::judge({.facts = input->facts,
                                     .declaration = input->declaration ? &*input->declaration : nullptr,
                                     .as_of = input->as_of,
                                     .as_of_seconds = input->as_of_seconds});
    const std::map<std::string, Place> places(input->places.begin(), input->places.end());
    output.excerpts = excerpts_for(output.findings, [&](const std::string& way) {
      const auto it = places.find(way);
      return it == places.end() ? Bytes() : bytes_at(it->second);
    });
    return pack(output);
  }

  const WorkerSetup& setup_;
  SharedArena& own_;
};

}  // namespace

void run_worker(const WorkerSetup& setup) {
  for (SharedArena& arena : *setup.arenas)
    if (arena.id() != setup.own_arena) arena.make_readonly();
  if (setup.forget) (*setup.arenas)[setup.own_arena].hold_back(kHeldBackDecoded);
  warm_up_libraries();
  if (!send_frame(setup.socket, pack(enter_sandbox(kMostMemory, [&] { unpack::start_helpers(setup.helpers); }))))
    _exit(0);
  Worker worker(setup);
  while (worker.serve()) {
  }
  _exit(0);
}

}  // namespace assay::engine
