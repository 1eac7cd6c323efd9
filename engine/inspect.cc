#include "engine/inspect.h"

#include "core/date.h"
#include "core/merge.h"
#include "core/pack.h"
#include "core/text.h"
#include "engine/ask.h"
#include "engine/assemble.h"
#include "engine/code_view.h"
#include "engine/identity.h"
#include "engine/version.h"
#include "system/tree.h"
#include "unpack/unknown.h"

#include <algorithm>

namespace assay::engine {
namespace {

constexpr double kAccountedEnough = 0.98;  // of the input's bytes; below, a run is not complete

std::string tree_analyses_identity() {
  std::string all;
  for (const system::TreeAnalysis* analysis : system::tree_analyses())
    all += std::string(analysis->id) + " " + std::to_string(analysis->version) + "\n";
  return all + "unknown-ranges " + std::to_string(unpack::kUnknownVersion) + "\n";
}

// What a system arrow reads, without where it lies in memory.
Digest digest_of(const SystemInput& input) {
  SystemInput plain = input;
  for (Artifact& artifact : plain.artifacts) artifact.place = {};
  return sha256(Bytes(pack(plain)));
}

Digest digest_of(const JudgeInput& input) {
  JudgeInput plain = input;
  plain.places.clear();
  return sha256(Bytes(pack(plain)));
}

// Decoded bytes of large images lie where results are kept, or where files without a name may always lie.
std::string arena_folder(const Options& options) {
  return options.store_folder.empty() ? "/var/tmp" : options.store_folder;
}

// Where nothing that is kept or shown holds a digest: what contents are told apart by instead.
std::shared_ptr<Likeness> likeness_for(const Options& options) {
  if (options.digests || options.facts || options.root || !options.store_folder.empty()) return nullptr;
  return Likeness::of_this_run();
}

void forget_digests(Examination& examination) {
  for (Artifact& artifact : examination.artifacts) artifact.sha256 = {};
}

}  // namespace

struct Inspection::State {
  State(const Options& o, Input i, Pool p)
      : options(o), input(std::move(i)), pool(std::move(p)), store(o.store_folder) {}
  Options options;
  Input input;  // its arena has moved into the pool
  Pool pool;
  store::Store store;
  std::vector<Arrow> arrows;
  Examination examination;
  CodeViews code_views;
  std::string trouble;

  // One job for one worker: from the store, or run. `prepare` brings all contents into memory first.
  template <class Output, class In, class Prepare>
  std::optional<Output> whole(const char* name, JobKind kind, const std::string& versions, In& in, Prepare prepare) {
    const Digest key =
        options.store_folder.empty() && !options.root
            ? Digest{}
            : sha256(Bytes(std::string(name) + "\n" + program_identity() + "\n" + versions + digest_of(in).hex()));
    if (auto stored = store.get(key))
      if (auto output = unpack_as<Output>(*stored)) {
        arrows.push_back({name, "", true, key, sha256(Bytes(*stored))});
        return std::move(*output);
      }
    prepare();
    const size_t at = arrows.size();
    arrows.push_back({name, "", false});
    if (options.progress) options.progress({name, 0, 0, 0, 0});
    const Outcome outcome = pool.run(Job{kind, {}, pack(in)}, [&] {
      if (options.progress) options.progress({name, 0, 0, 0, 0});
    });
    const std::string failure = !outcome.died.empty() ? "the worker " + outcome.died : outcome.reply.failure;
    auto output = unpack_as<Output>(outcome.reply.output);
    if (!failure.empty() || !output) {
      examination.incomplete_because.push_back(std::string("the ") + name + " arrow gave no result: " +
                                               (failure.empty() ? "its answer has no sensible shape" : failure));
      return std::nullopt;
    }
    store.put(key, outcome.reply.output);
    if (options.root) arrows[at].key = key, arrows[at].result = sha256(Bytes(outcome.reply.output));
    return std::move(*output);
  }

  void describe_tool() {
    examination.tool_version = kVersion;
    examination.rules = checks::rules();
    examination.rules_digest = sha256(Bytes(pack(examination.rules))).hex();
    examination.as_of = options.as_of;
    examination.name = input.name;
    examination.size = input.size;
    examination.sha256 = input.sha256;
    examination.directory = input.directory.has_value();
    examination.declaration_digest = options.declaration_digest;
    for (const auto& [format, bytes] : options.keys)
      examination.keys_used.emplace_back(format, sha256(Bytes(bytes)).hex());
    examination.sandbox = pool.sandbox();
  }

  // Every content in memory; where one was not, the tree has its place now.
  void hold(Contents& contents) {
    if (auto again = held_again(contents)) examination.artifacts = std::move(*again);
  }

  // The tree with the places that contents have now, where they were not all in memory before.
  std::optional<std::vector<Artifact>> held_again(Contents& contents) {
    if (!contents.hold()) return std::nullopt;
    Examination again;
    assemble(contents, input, again);
    return std::move(again.artifacts);
  }

  // What an arrow reads is moved there and back: of a large image a copy is large too.
  void read_system(Contents& contents) {
    SystemInput in{std::move(examination.artifacts), std::move(examination.facts)};
    auto output = whole<SystemOutput>("system", JobKind::kSystem, tree_analyses_identity(), in, [&] {
      if (auto again = held_again(contents)) in.artifacts = std::move(*again);
    });
    examination.artifacts = std::move(in.artifacts);
    examination.facts = std::move(in.facts);
    if (!output) return;
    append(examination.facts, std::move(output->facts));
    examination.entropy = std::move(output->entropy);
    examination.entropy_block = output->entropy_block;
  }

  void judge(Contents& contents, int64_t as_of_seconds) {
    JudgeInput in{std::move(examination.facts), options.declaration, options.as_of, as_of_seconds, {}};
    const std::string versions = examination.rules_digest;
    auto output = whole<JudgeOutput>("checks", JobKind::kJudge, versions, in, [&] {
      hold(contents);
      for (const Artifact& artifact : examination.artifacts)
        if (artifact.has_content && artifact.size > 0) in.places.emplace_back(artifact.way, artifact.place);
    });
    examination.facts = std::move(in.facts);
    if (!output) return;
    examination.findings = std::move(output->findings);
    examination.excerpts = std::move(output->excerpts);
  }

  void view(Contents& contents) {
    const auto held = [&] { hold(contents); };
    code_views = view_code(examination, {pool, store, !options.store_folder.empty(), arrows, held});
  }

  void decide_completeness(bool budget_hit) {
    Examination& e = examination;
    if (budget_hit) e.incomplete_because.push_back("a budget was hit; the problems name the artifacts");
    if (e.bytes.encrypted > 0) e.incomplete_because.push_back(human_size(e.bytes.encrypted) + " are encrypted");
    if (e.files.unread > 0) e.incomplete_because.push_back(std::to_string(e.files.unread) + " files could not be read");
    const uint64_t accounted = e.bytes.total - e.bytes.unknown - e.bytes.encrypted;
    if (static_cast<double>(accounted) < kAccountedEnough * static_cast<double>(e.bytes.total))
      e.incomplete_because.push_back(human_size(e.bytes.unknown + e.bytes.encrypted) + " of " +
                                     human_size(e.bytes.total) + " are not accounted for");
    e.complete = e.incomplete_because.empty();
  }
};

Result<Inspection> Inspection::run(const Options& options) {
  const int64_t as_of = TRY(seconds_of_date(options.as_of));
  const auto likeness = likeness_for(options);
  Input input = TRY(open_input(options.input, likeness));
  Pool pool = TRY(Pool::start(std::move(input.arena), std::max(1u, options.workers), options.keys,
                              arena_folder(options), likeness, likeness && !options.hold));
  auto state = std::make_unique<State>(options, std::move(input), std::move(pool));
  Contents contents(state->options, state->pool, state->store, state->arrows);
  contents.open(state->input);
  state->describe_tool();
  assemble(contents, state->input, state->examination);
  if (likeness) forget_digests(state->examination);
  if (options.facts) {
    state->read_system(contents);
    state->judge(contents, as_of);
    if (options.code && options.code_view) state->view(contents);
  }
  if (options.hold) state->hold(contents);
  state->decide_completeness(contents.budget_hit());
  state->store.flush();
  state->trouble = state->store.trouble();
  return Inspection(std::move(state));
}

Inspection::Inspection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Inspection::Inspection(Inspection&&) noexcept = default;
Inspection::~Inspection() = default;
const Examination& Inspection::examination() const { return state_->examination; }
Result<CodeAnswer> Inspection::ask(const Artifact& artifact, const CodeQuestion& question) {
  return engine::ask(state_->pool, artifact.place, question);
}
Bytes Inspection::content(const Artifact& artifact) const { return state_->pool.bytes_at(artifact.place); }
const std::vector<Arrow>& Inspection::arrows() const { return state_->arrows; }
const CodeViews& Inspection::code_views() const { return state_->code_views; }
const std::string& Inspection::store_trouble() const { return state_->trouble; }

}  // namespace assay::engine
