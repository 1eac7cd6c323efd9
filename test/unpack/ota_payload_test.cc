// Android updates (ota-payload), built here; bzip2, xz and zstd as encoders.
#include "test/unpack/build.h"
#include "test/unpack/host_tree.h"
#include "unpack/protobuf.h"

#include "core/hash.h"

#include <tuple>

namespace assay::unpack {
namespace {

constexpr const char* kId = "ota-payload";

std::string varint(uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out.push_back(static_cast<char>(value | 128));
  return out + static_cast<char>(value);
}
std::string number(uint32_t field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string bytes(uint32_t field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
std::string digest(const std::string& text) {
  const Digest d = sha256(Bytes(text));
  return {reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()};
}

using Extents = std::vector<std::pair<uint64_t, uint64_t>>;

// Collects operations and their data.
struct Update {
  std::string data, partitions;

  std::string operation(uint32_t type, const Extents& extents, const std::string& blob) {
    std::string op = number(1, type);
    if (!blob.empty()) op += number(2, data.size()) + number(3, blob.size()) + bytes(8, digest(blob));
    for (const auto& [block, blocks] : extents) op += bytes(6, number(1, block) + number(2, blocks));
    data += blob;
    return bytes(8, op);
  }
  void partition(const std::string& name, const std::string& content, const std::string& operations,
                 const std::string& more = {}) {
    partitions +=
        bytes(13, bytes(1, name) + more + bytes(7, number(1, content.size()) + bytes(2, digest(content))) + operations);
  }
  std::string file(uint64_t minor = 0) const {
    const std::string signatures = bytes(1, bytes(2, std::string(256, 's')));
    const std::string manifest = number(3, 4096) + number(4, data.size()) + number(5, signatures.size()) +
                                 number(12, minor) + partitions + number(14, 1'600'000'000) + bytes(18, "2026-01-05");
    return "CrAU" + big(2, 8) + big(manifest.size(), 8) + big(signatures.size()) + manifest + signatures + data +
           signatures;
  }
};

const std::string& content() {  // 40 blocks
  static const std::string text =
      HostTree::words(10 * 4096) + HostTree::noise(5 * 4096) + std::string(5 * 4096, '\0') + HostTree::words(20 * 4096);
  return text;
}
std::string blocks(size_t from, size_t count) { return content().substr(from * 4096, count * 4096); }

// Every kind of operation of a full update, out of order, one of them scattered over three extents.
Update full() {
  Update u;
  const std::string scattered = blocks(30, 1) + blocks(20, 2) + blocks(35, 5);
  u.partition("system", content(),
              u.operation(8, {{30, 1}, {20, 2}, {35, 5}}, through("xz -c", scattered)) +
                  u.operation(1, {{0, 10}}, through("bzip2 -c", blocks(0, 10))) +
                  u.operation(0, {{10, 5}}, blocks(10, 5)) + u.operation(6, {{15, 2}}, "") +
                  u.operation(7, {{17, 3}}, "") + u.operation(14, {{22, 8}}, through("zstd -c", blocks(22, 8))) +
                  u.operation(8, {{31, 4}}, through("xz -c --check=crc32", blocks(31, 4))));
  u.partition("boot", "short" + std::string(4091, '\0'), u.operation(0, {{0, 1}}, "short"));
  return u;
}

std::string state(const Collect& got, std::string_view name) {
  for (const Integrity& i : got.integrities)
    if (i.name == name) return i.state;
  return "absent";
}

TEST(OtaPayload, MakesThePartitionsOfAFullUpdate) {
  const std::string file = full().file();
  const auto length = measured(kId, file);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, file.size());
  EXPECT_TRUE(length->verified);
  const Collect got = unpacked(kId, file);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  ASSERT_TRUE(got.find("system"));
  EXPECT_TRUE(got.find("system")->content == content());
  ASSERT_TRUE(got.find("boot"));
  EXPECT_TRUE(got.find("boot")->content == "short" + std::string(4091, '\0'));
  for (const char* name : {"partition system", "partition boot", "data of partition system"})
    EXPECT_EQ(state(got, name), "valid") << name;
  EXPECT_EQ(state(got, "signature of the manifest"), "not-checkable");
  EXPECT_EQ(state(got, "signature of the payload"), "not-checkable");
  EXPECT_EQ(got.notes.at("kind"), "full update");
  EXPECT_EQ(got.notes.at("security patch level"), "2026-01-05");
  EXPECT_EQ(unknown_bytes(file, got), 0u);
}

TEST(OtaPayload, NamesWhatADeltaNeeds) {
  Update u;
  u.partition("boot", blocks(0, 1), u.operation(0, {{0, 1}}, blocks(0, 1)));
  u.partition("vendor", content(),
              u.operation(4, {{0, 10}}, "") + u.operation(5, {{10, 20}}, "patch") + u.operation(4, {{30, 10}}, ""),
              bytes(6, number(1, 4096)));
  const std::string file = u.file(7);
  const Collect got = unpacked(kId, file);
  EXPECT_EQ(got.items.size(), 1u);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].fault, Fault::kUnsupported);
  EXPECT_EQ(got.problems[0].what,
            "partition vendor: 3 of 3 operations change an older image that is not here (SOURCE_COPY 2, "
            "SOURCE_BSDIFF 1)");
  EXPECT_EQ(got.notes.at("kind"), "delta update, minor version 7");
}

TEST(OtaPayload, SaysWhenDigestsDoNotHold) {
  std::string file = full().file();
  file[file.find(blocks(10, 1))] ^= 1;
  const Collect got = unpacked(kId, file);
  EXPECT_EQ(state(got, "data of partition system"), "invalid");
  EXPECT_EQ(state(got, "partition system"), "invalid");
  EXPECT_EQ(state(got, "partition boot"), "valid");
  EXPECT_EQ(got.problems.size(), 2u);
}

TEST(OtaPayload, GoesOnWhenAPartitionCannotBeMade) {
  const auto broken = [](const Extents& extents, uint32_t type, const std::string& blob) {
    Update u;
    u.partition("bad", std::string(3 * 4096, '\0'), u.operation(type, extents, blob));
    u.partition("good", blocks(0, 1), u.operation(0, {{0, 1}}, blocks(0, 1)));
    const Collect got = unpacked(kId, u.file());
    EXPECT_EQ(got.items.size(), 1u);
    EXPECT_TRUE(got.find("good"));
    return got.problems.empty() ? std::string() : got.problems[0].what;
  };
  EXPECT_EQ(broken({{0, 2}, {1, 1}}, 6, ""), "partition bad: two operations write block 1");
  EXPECT_EQ(broken({{2, 2}}, 6, ""), "partition bad: operations write behind the partition's end");
  EXPECT_EQ(broken({{0, 2}}, 0, "x"), "partition bad: an operation writes less than its extents hold");
  EXPECT_EQ(broken({{0, 1}}, 8, through("xz -c", blocks(0, 2))),
            "partition bad: an operation writes more than its extents hold");
  EXPECT_EQ(broken({{0, 1}, {2, 1}}, 8, through("xz -c", blocks(0, 3))),
            "partition bad: an operation's data do not fill its extents");
  EXPECT_TRUE(broken({{0, 1}}, 1, "no bzip2").starts_with("partition bad: bzip2"));
}

TEST(OtaPayload, TakesUnwrittenBlocksAsZerosAndSaysSo) {
  Update u;
  u.partition("gap", blocks(0, 1) + std::string(8192, '\0'), u.operation(0, {{0, 1}}, blocks(0, 1)));
  u.partition("tree", blocks(0, 3), u.operation(0, {{0, 1}}, blocks(0, 1)), bytes(11, number(1, 1) + number(2, 2)));
  const Collect got = unpacked(kId, u.file());
  EXPECT_EQ(state(got, "partition gap"), "valid");
  EXPECT_EQ(got.notes.at("not written in gap"), "8192 bytes, taken as zeros");
  EXPECT_EQ(state(got, "partition tree"), "not-checkable");
}

TEST(OtaPayload, RefusesLiesAndTruncations) {
  Update u;
  u.partition("boot", blocks(0, 1), u.operation(0, {{0, 1}}, blocks(0, 1)));
  const std::string file = u.file();
  for (size_t length = 0; length < file.size(); length += length < 500 ? 1 : 97)
    EXPECT_FALSE(measured(kId, file.substr(0, length))) << length;
  std::string lying = file;
  put(lying, 12, big(~uint64_t{0}, 8));
  EXPECT_FALSE(measured(kId, lying)) << "manifest's size";
  lying = file;
  put(lying, 4, big(1, 8));
  EXPECT_EQ(measured(kId, lying).error().fault, Fault::kUnsupported);
  expect_survives(format(kId), file, 41);
  expect_survives(format(kId), full().file(), 4001);
}

TEST(Protobuf, ReadsEveryWireTypeAndRefusesTheRest) {
  const std::string message =
      number(1, ~uint64_t{0}) + bytes(2, "text") + std::string("\x19") + little(7, 8) + std::string("\x25") + little(9);
  std::vector<std::tuple<uint32_t, uint64_t, std::string>> got;
  ASSERT_TRUE(each_field(Bytes(message), [&](const WireField& f) -> Result<void> {
    got.emplace_back(f.number, f.value, std::string(f.bytes.text()));
    return {};
  }));
  const decltype(got) wanted = {{1, ~uint64_t{0}, ""}, {2, 0, "text"}, {3, 7, ""}, {4, 9, ""}};
  EXPECT_EQ(got, wanted);
  const auto refused = [](const std::string& bad) {
    return !each_field(Bytes(bad), [](const WireField&) { return Result<void>{}; });
  };
  for (size_t length = 1; length < 11; ++length) EXPECT_TRUE(refused(message.substr(0, length))) << length;
  EXPECT_TRUE(refused("\x0b")) << "a group";
  EXPECT_TRUE(refused(std::string(1, '\0'))) << "field 0";
  EXPECT_TRUE(refused("\x08" + std::string(9, '\xff') + "\x02")) << "65 bits";
}

}  // namespace
}  // namespace assay::unpack
