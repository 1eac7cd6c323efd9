// A sink for tests of single formats: keeps everything it is given, as values.
#pragma once
#include "unpack/format.h"

#include <map>
#include <string>
#include <vector>

namespace assay::unpack {

struct Collect final : Sink {
  struct Item {
    Node node;
    std::string content, codec;
    std::vector<Bytes> extents;
  };
  std::vector<Item> items;
  std::vector<Span> spans;
  std::map<std::string, std::string> notes;
  std::vector<Integrity> integrities;
  std::vector<OpenedWith> opened_with;
  std::vector<Error> problems;
  std::string supplied_key;
  uint64_t steps = 0;
  MemoryOutput out{256 << 20};

  Output& output() override { return out; }
  void discard() override { out.clear(); }
  Result<void> child(std::string_view name, Content content) override {
    Node node;
    node.kind = Kind::kPart;
    node.path = name;
    return this->node(std::move(node), std::move(content));
  }
  Result<void> node(Node node, Content content) override {
    Item item{std::move(node), {}, content.codec, content.extents};
    if (content.codec.empty())
      for (const Bytes& extent : content.extents) item.content += extent.text();
    else
      item.content = out.bytes().text();
    out.clear();
    items.push_back(std::move(item));
    return {};
  }
  void range(Range range, uint64_t offset, uint64_t length) override { spans.push_back({range, offset, length}); }
  void note(std::string_view name, std::string value, uint64_t) override {
    notes[std::string(name)] = std::move(value);
  }
  void integrity(Integrity i) override { integrities.push_back(std::move(i)); }
  void opened(OpenedWith o) override { opened_with.push_back(std::move(o)); }
  void problem(Error error) override { problems.push_back(std::move(error)); }
  Result<void> step(uint64_t n) override {
    steps += n;
    if (steps > 100'000'000) return fail(Fault::kLimit, "steps");
    return {};
  }
  Bytes key(std::string_view) const override { return Bytes(supplied_key); }

  const Item* find(std::string_view path) const {
    for (const Item& item : items)
      if (item.node.path == path) return &item;
    return nullptr;
  }
};

}  // namespace assay::unpack
