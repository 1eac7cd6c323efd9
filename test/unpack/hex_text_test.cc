// Intel HEX, S-record and Tektronix HEX against objcopy and the samples of another project.
#include "test/unpack/build.h"

namespace assay::unpack {
namespace {

struct Case {
  const char *id, *target, *address;
};

class ObjcopyHex : public testing::TestWithParam<Case> {};

TEST_P(ObjcopyHex, GivesBackWhatObjcopyWrote) {
  const auto [id, target, address] = GetParam();
  const std::string made = through(
      std::string("cat > /dev/null; d=$(mktemp -d); cd $d; awk 'BEGIN{for(i=0;i<3000;i++)printf \"%c\", 33+i%90}' "
                  "> in; objcopy -I binary -O ") +
          target + " --change-addresses " + address + " in out && cat out; rm -r $d",
      "");
  if (made.empty()) GTEST_SKIP() << "objcopy is not installed";
  std::string want;
  for (int i = 0; i < 3000; ++i) want.push_back(static_cast<char>(33 + i % 90));
  const auto m = measured(id, made);
  ASSERT_TRUE(m) << m.error().what;
  EXPECT_EQ(m->length, made.size());
  EXPECT_TRUE(m->verified);
  const Collect got = unpacked(id, made);
  ASSERT_GE(got.items.size(), 1u);
  EXPECT_EQ(got.items[0].node.path, address);
  EXPECT_EQ(got.items[0].content.substr(0, 3000), want);
  EXPECT_TRUE(got.problems.empty());
  EXPECT_EQ(got.integrities.at(0).state, "valid");
  survives(id, made.substr(0, 400));
  for (size_t i = 0; i + 2 < made.size(); i += 37) EXPECT_FALSE(measured(id, made.substr(0, i))) << i;
}

INSTANTIATE_TEST_SUITE_P(Targets, ObjcopyHex,
                         testing::Values(Case{"intel-hex", "ihex", "0x8000"}, Case{"intel-hex", "ihex", "0x80010000"},
                                         Case{"srec", "srec", "0x100"}, Case{"srec", "srec", "0x80010000"},
                                         Case{"tekhex", "tekhex", "0x4000"}));

TEST(HexText, LyingFieldsAndWrongSums) {
  const std::string good = ":0400100041424344E2\n:00000001FF\n";
  ASSERT_TRUE(measured("intel-hex", good));
  EXPECT_EQ(unpacked("intel-hex", good).find("0x10")->content, "ABCD");
  EXPECT_FALSE(measured("intel-hex", ":0500100041424344E1\n:00000001FF\n"));  // count
  EXPECT_FALSE(measured("intel-hex", ":0400100041424344E3\n:00000001FF\n"));  // sum of the first record
  EXPECT_FALSE(measured("intel-hex", ":00000001FF\n"));                       // nothing in it
  const std::string damaged = good.substr(0, 20) + ":0100200041FF\n:00000001FF\n";
  ASSERT_TRUE(measured("intel-hex", damaged));
  EXPECT_FALSE(measured("intel-hex", damaged)->verified);
  const Collect got = unpacked("intel-hex", damaged);
  EXPECT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.integrities.at(0).state, "invalid");
  ASSERT_EQ(got.items.size(), 2u);  // two addresses, two parts
  EXPECT_EQ(got.find("0x20")->content, "A");
}

// The last line of those named objcopy, crc and failed_slicing lacks its last digit.
TEST(HexText, Samples) {
  struct Sample {
    const char *file, *id;
    bool verified;
    uint64_t tail, size;
  };
  for (const Sample& s : {Sample{"srec/additional_data.srec", "srec", true, 100, 70},
                          Sample{"srec/bad_testfile.srec", "srec", false, 0, 70},
                          Sample{"intel_hex/testfile.hex", "intel-hex", true, 0, 19},
                          Sample{"tektronix/testfile.tek", "tekhex", true, 0, 70},
                          Sample{"tektronix/testfile_crc.tek", "tekhex", false, 0, 70},
                          Sample{"tektronix/testfile.xtek", "tekhex", true, 0, 70},
                          Sample{"tektronix/testfile_crc.xtek", "tekhex", false, 0, 95},
                          Sample{"tektronix/objcopy.xtek", "tekhex", false, 0, 96}}) {
    const std::string bytes = shared_file(std::string("format-samples/") + s.file);
    if (bytes.empty()) GTEST_SKIP() << "no samples beside the checkout";
    const auto m = measured(s.id, bytes);
    ASSERT_TRUE(m) << s.file << ": " << m.error().what;
    EXPECT_EQ(m->verified, s.verified) << s.file;
    EXPECT_EQ(bytes.size() - m->length, s.tail) << s.file;
    const Collect got = unpacked(s.id, std::string_view(bytes).substr(0, m->length));
    uint64_t size = 0;
    for (const auto& item : got.items) size += item.content.size();
    EXPECT_EQ(size, s.size) << s.file;  // the address of testfile_crc.xtek is damaged: three digits instead of one
    EXPECT_EQ(got.problems.empty(), s.verified) << s.file;
  }
}

}  // namespace
}  // namespace assay::unpack
