// Archives that equipment rarely has, against the tools that write them: what comes out is what went in, encrypted ones
// are named, and damage of any kind gives values. RAR has no free writer: stored members of our own builder.
#include "test/unpack/build.h"

#include <algorithm>

namespace assay::unpack {
namespace {

const std::string kTree =
    "exec </dev/null; mkdir -p t/dir; printf hello > t/a; seq 1 9000 > t/dir/big; printf 1 > t/\xc3\xbcmlaut; "
    "ln -s dir/big t/link; chmod 640 t/a; touch -d @1000000000 t/a; cd t; ";
const std::string kHasBig = "seq 1 9000 > out";

std::string big_text() { return made_by(kHasBig); }

struct Opened {
  std::string bytes;
  uint64_t length = 0;
  bool verified = false;
  Collect sink;
  uint64_t count(Range range) const {
    uint64_t sum = 0;
    for (const Span& s : sink.spans) sum += s.range == range ? s.length : 0;
    return sum;
  }
};

std::unique_ptr<Opened> open(std::string_view id, std::string bytes) {
  auto opened = std::make_unique<Opened>();
  opened->bytes = std::move(bytes);
  const auto length = measured(id, opened->bytes);
  EXPECT_TRUE(length) << id << ": " << (length ? "" : length.error().what);
  if (!length) return opened;
  opened->length = length->length, opened->verified = length->verified;
  const auto done = format(id).unpack(Bytes(opened->bytes).head(length->length), opened->sink);
  EXPECT_TRUE(done) << (done ? "" : done.error().what);
  return opened;
}

void expect_file(const Collect& sink, const std::string& path, const std::string& want) {
  const auto* item = sink.find(path);
  ASSERT_TRUE(item) << path;
  EXPECT_TRUE(item->content == want) << path;
}

void expect_tree(const Collect& sink, bool link) {
  EXPECT_TRUE(sink.problems.empty()) << sink.problems[0].what;
  const std::string top = sink.find("./a") ? "./" : "";
  expect_file(sink, top + "a", "hello");
  expect_file(sink, top + "dir/big", big_text());
  expect_file(sink, top + "\xc3\xbcmlaut", "1");
  EXPECT_EQ(sink.find(top + "a")->node.mtime, 1000000000);
  if (!link) return;
  ASSERT_TRUE(sink.find(top + "link"));
  EXPECT_EQ(sink.find(top + "link")->node.target, "dir/big");
}

// A hundred truncations and three hundred damaged bytes, spread over the sample, headers first.
void survives_damage(std::string_view id, const std::string& sample) {
  const Format& f = format(id);
  const auto run = [&](std::string_view bytes) {
    const auto length = f.measure(Bytes(bytes));
    if (!length) return;
    ASSERT_LE(length->length, bytes.size());
    unpacked(id, bytes.substr(0, length->length));
  };
  const size_t step = 1 + sample.size() / 100;
  for (size_t i = 0; i < sample.size(); i += step) run(std::string_view(sample).substr(0, i));
  for (size_t i = 0; i < sample.size(); i += i < 150 ? 1 : step) {
    std::string damaged = sample;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x81);
    run(damaged);
  }
}

TEST(SevenZip, ReadsWhat7zAndBsdtarWrote) {
  for (const std::string make :
       {"7z a -bd ../out.7z . ", "7z a -bd -m0=PPMd ../out.7z .", "7z a -bd -m0=Copy ../out.7z .",
        "7z a -bd -m0=BZip2 -ms=off ../out.7z .", "bsdtar --format=7zip -cf ../out.7z ."}) {
    const auto bytes = made_by(kTree + make + "; mv ../out.7z ../out");
    if (bytes.empty()) GTEST_SKIP() << "no " << make;
    const auto opened = open("7z", bytes + "tail");
    EXPECT_EQ(opened->length, bytes.size()) << make;
    EXPECT_TRUE(opened->verified);
    expect_tree(opened->sink, true);
    EXPECT_EQ(opened->count(Range::kHeader) + opened->count(Range::kContent), bytes.size());
    if (make.find("BZip2") != make.npos) survives_damage("7z", bytes);
  }
}

TEST(SevenZip, EncryptedOnesAreNamed) {
  const auto members = made_by(kTree + "7z a -bd -psecret ../out.7z a dir; mv ../out.7z ../out");
  const auto names = made_by(kTree + "7z a -bd -psecret -mhe=on ../out.7z a dir; mv ../out.7z ../out");
  if (members.empty() || names.empty()) GTEST_SKIP() << "no 7z";
  for (const auto& opened : {open("7z", members), open("7z", names)}) {
    EXPECT_GT(opened->count(Range::kEncrypted), 1000u);
    EXPECT_TRUE(std::ranges::any_of(opened->sink.problems, [](const Error& e) {
      return e.fault == Fault::kEncrypted && e.what.find("encrypted, not examinable") != e.what.npos;
    }));
    for (const auto& item : opened->sink.items) EXPECT_TRUE(item.content.empty());
  }
}

TEST(Cab, ReadsWhatGcabWrote) {
  for (const std::string option : {"-c", "-c -z"}) {
    const auto bytes = made_by(kTree + "gcab " + option + " ../out a dir/big");
    if (bytes.empty()) GTEST_SKIP() << "no gcab";
    const auto opened = open("cab", bytes + "tail");
    EXPECT_EQ(opened->length, bytes.size());
    EXPECT_TRUE(opened->sink.problems.empty());
    expect_file(opened->sink, "a", "hello");
    expect_file(opened->sink, "dir/big", big_text());
    EXPECT_EQ(opened->count(Range::kHeader) + opened->count(Range::kContent), bytes.size());
    survives_damage("cab", bytes);
  }
}

TEST(Lha, ReadsWhatJlhaWrote) {
  const auto bytes = made_by(kTree + "jlha c ../out a dir");
  if (bytes.empty()) GTEST_SKIP() << "no jlha";
  const auto opened = open("lha", bytes);
  EXPECT_TRUE(opened->verified);
  EXPECT_EQ(opened->length, bytes.size());
  expect_file(opened->sink, "a", "hello");
  expect_file(opened->sink, "dir/big", big_text());
  survives_damage("lha", bytes);
}

TEST(Compress, ReadsWhatCompressWrote) {
  for (const std::string option : {"", "-b 10", "-b 12"}) {
    const auto plain = made_by("head -c 300000 /bin/bash > out");
    const auto bytes = made_by("head -c 300000 /bin/bash > f; compress " + option + " -c f > out");
    if (bytes.empty() && option.empty()) GTEST_SKIP() << "no compress";
    if (bytes.empty()) continue;
    MemoryOutput out(1 << 20);
    const auto done = format("compress").decode(Bytes(bytes), out);
    ASSERT_TRUE(done) << option << done.error().what;
    EXPECT_TRUE(out.bytes().text() == plain) << option;
    for (size_t cut = 0; cut < bytes.size(); cut += 9973) {
      MemoryOutput part(1 << 20);
      (void)format("compress").decode(Bytes(bytes).head(cut), part);
      std::string damaged = bytes;
      damaged[cut] = static_cast<char>(damaged[cut] ^ 0x55);
      part.clear();
      (void)format("compress").decode(Bytes(damaged), part);
    }
  }
}

TEST(Xar, ReadsWhatBsdtarWrote) {
  const auto bytes = made_by(kTree + "bsdtar --format=xar -cf ../out a dir link \xc3\xbcmlaut");
  if (bytes.empty()) GTEST_SKIP() << "no bsdtar";
  const auto opened = open("xar", bytes);
  EXPECT_TRUE(opened->verified);
  EXPECT_LE(opened->length, bytes.size());
  EXPECT_EQ(opened->sink.find("a")->node.mode, 0640u);
  expect_tree(opened->sink, true);
  survives_damage("xar", bytes);
}

class IsoTest : public testing::TestWithParam<const char*> {};

TEST_P(IsoTest, ReadsWhatToolsWrote) {
  const std::string make = GetParam();
  const auto bytes = made_by(kTree + make + " -o ../out .");
  if (bytes.empty()) GTEST_SKIP() << "no " << make;
  const auto opened = open("iso9660", bytes);
  EXPECT_TRUE(opened->verified);
  EXPECT_EQ(Bytes(bytes).head(~uint64_t{0}, opened->length).text().find_first_not_of('\0'), std::string::npos);
  const bool rock_ridge = make.find("-J -quiet") == make.npos;
  expect_tree(opened->sink, rock_ridge);
  if (rock_ridge) {
    EXPECT_EQ(opened->sink.find("a")->node.mode, make.find("-r") != make.npos ? 0444u : 0640u);
  }
  if (make.find("-R") != make.npos) survives_damage("iso9660", bytes);
}

INSTANTIATE_TEST_SUITE_P(Tools, IsoTest,
                         testing::Values("genisoimage -quiet -R", "genisoimage -quiet -r -J", "genisoimage -J -quiet",
                                         "xorriso -as mkisofs -quiet -R"));

TEST(Iso, DeepDirectoriesDevicesAndBootImages) {
  const std::string deep = "1/2/3/4/5/6/7/8/9/10";
  const auto bytes = made_by("mkdir -p t/" + deep + " t/boot; printf deep > t/" + deep +
                             "/f; mknod t/null c 1 3; head -c 2048 /bin/sh > t/boot/b; genisoimage -quiet -R -b boot/b "
                             "-c boot/c -no-emul-boot -boot-load-size 4 -o out t");
  if (bytes.empty()) GTEST_SKIP() << "no genisoimage, or no right to make a device";
  const auto opened = open("iso9660", bytes);
  expect_file(opened->sink, deep + "/f", "deep");
  ASSERT_TRUE(opened->sink.find("null"));
  EXPECT_EQ(opened->sink.find("null")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(opened->sink.find("null")->node.device, uint64_t{1} << 32 | 3);
  EXPECT_TRUE(opened->sink.notes.contains("boot image at"));
  EXPECT_TRUE(opened->sink.problems.empty());
}

TEST(Zisofs, AsRockRidgeAndAlone) {
  const auto bytes = made_by(kTree + "xorriso -outdev ../out -map dir / -set_filter_r --zisofs / -- -commit");
  if (bytes.empty()) GTEST_SKIP() << "no xorriso with zisofs";
  const auto opened = open("iso9660", bytes);
  expect_file(opened->sink, "big", big_text());
  ASSERT_TRUE(opened->sink.find("big"));
  EXPECT_EQ(opened->sink.find("big")->codec, "zisofs");
  const std::string alone(opened->sink.find("big")->extents[0].text());
  MemoryOutput out(1 << 20);
  const auto decoded = format("zisofs").decode(Bytes(alone + "tail"), out);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_LE(decoded->length, alone.size());
  EXPECT_TRUE(out.bytes().text() == big_text());
}

TEST(Rpm, ReadsWhatRpmbuildWrote) {
  const auto bytes = made_by(
      "mkdir -p r/d; printf hello > r/d/a; printf 'Name: probe\\nVersion: 1.2\\nRelease: 3\\nSummary: s\\nLicense: "
      "MIT\\n"
      "BuildArch: noarch\\n%%description\\nd\\n%%install\\nmkdir -p %%{buildroot}/opt; printf hello > "
      "%%{buildroot}/opt/a\\n"
      "%%files\\n/opt/a\\n' > p.spec; HOME=$PWD rpmbuild -bb --define \"_topdir $PWD/r\" p.spec; cp "
      "r/RPMS/noarch/*.rpm out");
  if (bytes.empty()) GTEST_SKIP() << "no rpmbuild";
  const auto opened = open("rpm", bytes + "tail");
  EXPECT_EQ(opened->length, bytes.size());
  EXPECT_TRUE(opened->verified);
  EXPECT_EQ(opened->sink.notes["name"], "probe");
  EXPECT_EQ(opened->sink.notes["version"], "1.2");
  EXPECT_EQ(opened->sink.notes["license"], "MIT");
  ASSERT_GE(opened->sink.integrities.size(), 2u);
  for (const Integrity& i : opened->sink.integrities) EXPECT_EQ(i.state, "valid") << i.name;
  ASSERT_TRUE(opened->sink.find("payload"));
  std::string damaged = bytes;
  damaged[bytes.size() - 20] = static_cast<char>(damaged[bytes.size() - 20] ^ 1);
  const auto bad = open("rpm", damaged);
  EXPECT_TRUE(std::ranges::any_of(bad->sink.integrities, [](const Integrity& i) { return i.state == "invalid"; }));
  survives_damage("rpm", bytes);
}

std::string rar4_block(int type, int flags, const std::string& fields, const std::string& data = "") {
  const std::string body = little(static_cast<uint64_t>(type), 1) + little(static_cast<uint64_t>(flags), 2) +
                           little(7 + fields.size(), 2) + fields;
  return little(crc32(Bytes(body)) & 0xffff, 2) + body + data;
}

std::string rar4(const std::string& name, const std::string& data, int file_flags = 0) {
  const std::string fields = little(data.size()) + little(data.size()) + "\3" + little(crc32(Bytes(data))) +
                             little(0x2c8f5000) + "\x14\x30" + little(name.size(), 2) + little(0100644) + name;
  return std::string("Rar!\x1a\x07\0", 7) + rar4_block(0x73, 0, std::string(6, '\0')) +
         rar4_block(0x74, 0x8000 | file_flags, fields, data) + rar4_block(0x7b, 0x4000, "");
}

std::string rar5_block(const std::string& fields, const std::string& data = "") {
  const std::string body = little(fields.size(), 1) + fields;
  return little(crc32(Bytes(body))) + body + data;
}

std::string rar5(const std::string& name, const std::string& data) {
  const std::string size = little(data.size(), 1);
  return std::string("Rar!\x1a\x07\x01\0", 8) + rar5_block(std::string("\1\0\0", 3)) +
         rar5_block("\2\2" + size + "\4" + size + "\x24" + little(crc32(Bytes(data))) + std::string("\0\1", 2) +
                        little(name.size(), 1) + name,
                    data) +
         rar5_block(std::string("\5\0\0", 3));
}

TEST(Rar, StoredMembers) {
  for (const std::string id : {"rar", "rar5"}) {
    const std::string bytes = id == "rar" ? rar4("dir/f", "stored bytes") : rar5("dir/f", "stored bytes");
    const auto opened = open(id, bytes + "tail");
    EXPECT_EQ(opened->length, bytes.size());
    EXPECT_TRUE(opened->sink.problems.empty()) << opened->sink.problems[0].what;
    expect_file(opened->sink, "dir/f", "stored bytes");
    survives_damage(id, bytes);
  }
}

TEST(Rar, EncryptedOnesAreNamed) {
  const auto member = open("rar", rar4("f", "sixteen bytes...", 4));
  EXPECT_EQ(member->count(Range::kEncrypted), 16u);
  ASSERT_FALSE(member->sink.problems.empty());
  EXPECT_EQ(member->sink.problems[0].fault, Fault::kEncrypted);
  const std::string hidden = std::string("Rar!\x1a\x07\0", 7) + rar4_block(0x73, 0x80, std::string(6, '\0'));
  EXPECT_EQ(open("rar", hidden + std::string(100, 'x'))->count(Range::kEncrypted), 100u);
  const std::string hidden5 = std::string("Rar!\x1a\x07\x01\0", 8) + rar5_block(std::string("\4\0\0\0\0", 5));
  EXPECT_EQ(open("rar5", hidden5 + std::string(100, 'x'))->count(Range::kEncrypted), 100u);
}

TEST(RareArchives, SamplesOfOtherProjects) {
  const std::string root =
      std::string(std::getenv("ASSAY_SOURCE") ? std::getenv("ASSAY_SOURCE") : ".") + "/../shared/format-samples/";
  if (slurp(root + "patool/test.cab").empty()) GTEST_SKIP() << "no samples beside the checkout";
  for (const auto& [id, file] : {std::pair("cab", "patool/test.cab"),
                                 {"lha", "patool/test.lha"},
                                 {"7z", "sevenz/test.7z"},
                                 {"xar", "sevenz/test.xar"}}) {
    const std::string bytes = slurp(root + file);
    const auto opened = open(id, bytes);
    EXPECT_EQ(opened->length, bytes.size()) << file;
    EXPECT_TRUE(opened->sink.problems.empty()) << file;
    EXPECT_EQ(std::ranges::count_if(opened->sink.items, [](const auto& i) { return i.content.size() >= 20; }), 3)
        << file;
  }
  const auto iso = open("iso9660", slurp(root + "sevenz/test_zisofs.iso"));
  EXPECT_EQ(iso->sink.items.size(), 2u);
  EXPECT_FALSE(measured("7z", slurp(root + "generic_carver/fake_7z.7z")));
}

}  // namespace
}  // namespace assay::unpack
