#include "engine/ask.h"

namespace assay::engine {
namespace {

Result<CodeAnswer> answer_of(const Outcome& outcome) {
  if (!outcome.died.empty()) return fail(Fault::kIo, "the worker reading the code " + outcome.died);
  if (!outcome.reply.failure.empty()) return fail(Fault::kIo, "reading the code: " + outcome.reply.failure);
  return unpack_as<CodeAnswer>(outcome.reply.output);
}

}  // namespace

Result<CodeAnswer> ask(Pool& pool, const Place& program, const CodeQuestion& question) {
  Task task;
  task.place = program;
  task.unpack = task.facts = false;
  task.question = question;
  Result<CodeAnswer> answer = fail(Fault::kIo, "no worker answered");
  pool.run({task}, [&](const Task&, const Outcome& outcome) { answer = answer_of(outcome); });
  return answer;
}

}  // namespace assay::engine
