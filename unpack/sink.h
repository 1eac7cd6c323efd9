// The sink behind the arrow "unpack": keeps entries, hashes contents, charges budgets, collects claims.
#pragma once
#include "unpack/examine.h"

namespace assay::unpack {

class Collector final : public Sink {
 public:
  Collector(Bytes whole, Place place, const Keys& keys, const Budget& budget, Arena& arena,
            Onlooker* onlooker = nullptr);

  Output& output() override { return output_; }
  Output& trial() { return trial_; }  // charges what is written, and keeps nothing
  void discard() override;
  Result<void> child(std::string_view name, Content content) override;
  Result<void> node(Node node, Content content) override;
  void range(Range range, uint64_t offset, uint64_t length) override { claims_.push_back({range, offset, length}); }
  void note(std::string_view name, std::string value, uint64_t offset) override;
  void integrity(Integrity integrity) override;
  void opened(OpenedWith opened) override;
  void problem(Error error) override;
  Result<void> step(uint64_t steps) override;
  Bytes key(std::string_view format) const override;

  // A part found by search, with what is already known about its inside.
  Result<void> part(std::string_view name, Bytes bytes, std::vector<Unpacked> inner);
  bool limited() const { return result_.limited; }
  uint64_t bytes_left() const { return budget_.bytes - bytes_; }
  Budget left() const {
    return {budget_.bytes - bytes_, budget_.entries - result_.entries.size(), budget_.steps - steps_};
  }
  // What `outer` decoded last becomes this sink's output; `outer` then leaves it to us.
  void adopt_output_of(const Collector& outer);
  void leave_output() { mark_ = arena_.size(); }

  Unpacked finish(std::string_view format, uint32_t version, bool container, bool verified);

 private:
  class ArenaOutput final : public Output {
   public:
    explicit ArenaOutput(Collector& owner) : owner_(owner) {}
    Result<void> write(std::span<const std::byte> piece) override;
    uint64_t written() const override { return owner_.arena_.size() - owner_.mark_; }

   private:
    Collector& owner_;
  };
  class TrialOutput final : public Output {
   public:
    explicit TrialOutput(Collector& owner) : owner_(owner) {}
    Result<void> write(std::span<const std::byte> piece) override;
    uint64_t written() const override { return written_; }

   private:
    Collector& owner_;
    uint64_t written_ = 0;
  };

  Result<void> charge(uint64_t bytes);
  Result<void> add(Node node, Content content, std::vector<Unpacked> inner);
  Result<void> copy_together(const std::vector<Bytes>& extents);
  void show(Entry& entry, Bytes bytes);
  void normalise(Node& node);

  Bytes whole_;
  Place place_;
  const Keys& keys_;
  Budget budget_;
  Arena& arena_;
  Onlooker* onlooker_;
  ArenaOutput output_;
  TrialOutput trial_;
  uint64_t mark_;  // arena size when the last entry was taken: what lies behind belongs to the next one
  uint64_t bytes_ = 0, steps_ = 0;
  std::vector<Span> claims_;
  Unpacked result_;
};

}  // namespace assay::unpack
