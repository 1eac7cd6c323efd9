// UEFI volumes, capsules and flash descriptors: the firmware that Debian builds from edk2, and inputs made here. EFI
// compression against codes written by hand: no package has its compressor.
#include "test/unpack/build.h"
#include "unpack/efi_compress.h"

#include <algorithm>

namespace assay::unpack {
namespace {

std::string fixed_sum16(std::string header, size_t at) {
  uint16_t sum = 0;
  for (size_t i = 0; i + 1 < header.size(); i += 2)
    sum = static_cast<uint16_t>(sum + (static_cast<uint8_t>(header[i]) | static_cast<uint8_t>(header[i + 1]) << 8));
  put(header, at, little(static_cast<uint16_t>(-sum), 2));
  return header;
}

const std::string kFfs2("\x78\xe5\x8c\x8c\x3d\x8a\x1c\x4f\x99\x35\x89\x61\x85\xc3\x2d\xd3", 16);
const std::string kNvram("\x8d\x2b\xf1\xff\x96\x76\x8b\x4c\xa9\x85\x27\x47\x07\x5b\x4f\x50", 16);

std::string volume(const std::string& system, const std::string& body, size_t size) {
  std::string header(72, '\0');
  put(header, 16, system), put(header, 32, little(size, 8)), put(header, 40, "_FVH"), put(header, 44, little(0x4feff));
  put(header, 48, little(72, 2)), put(header, 55, "\2"), put(header, 56, little(size / 512) + little(512));
  return filled(fixed_sum16(header, 50) + body, size, '\xff');
}

std::string section(int type, const std::string& body) {
  const std::string made = little(body.size() + 4, 3) + little(static_cast<uint64_t>(type), 1) + body;
  return filled(made, (made.size() + 3) / 4 * 4);
}

std::string file(char guid, int type, const std::string& body) {
  std::string header(24, '\0');
  put(header, 0, std::string(16, guid)), put(header, 18, little(static_cast<uint64_t>(type), 1)),
      put(header, 20, little(24 + body.size(), 3));
  uint8_t sum = 0;
  for (const char c : header) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  header[16] = static_cast<char>(-sum), header[17] = '\xaa', header[23] = '\xf8';
  const std::string made = header + body;
  return filled(made, (made.size() + 7) / 8 * 8, '\xff');
}

const std::string kName("D\0e\0m\0o\0\0\0", 10);

TEST(UefiVolume, FilesSectionsAndFreeSpace) {
  const std::string body = file('a', 7, section(0x15, kName) + section(0x13, "depends") + section(0x19, "raw bytes")) +
                           file('b', 1, "plain");
  const std::string bytes = volume(kFfs2, body, 4096);
  ASSERT_TRUE(measured("uefi-volume", bytes + "tail"));
  EXPECT_EQ(measured("uefi-volume", bytes + "tail")->length, 4096u);
  const Collect sink = unpacked("uefi-volume", bytes);
  EXPECT_TRUE(sink.problems.empty()) << sink.problems[0].what;
  const std::string guid = "61616161-6161-6161-6161-616161616161";
  ASSERT_TRUE(sink.find("driver/" + guid + "/Demo.raw"));
  EXPECT_TRUE(sink.find("driver/" + guid + "/Demo.raw")->content.starts_with("raw bytes"));
  ASSERT_TRUE(sink.find("raw/62626262-6262-6262-6262-626262626262"));
  EXPECT_EQ(sink.find("raw/62626262-6262-6262-6262-626262626262")->content, "plain");
  EXPECT_EQ(sink.notes.at("files"), "2");
  survives("uefi-volume", bytes.substr(0, 512));
  survives("uefi-volume", bytes);
}

TEST(UefiVolume, ChecksumsThatDoNotHold) {
  std::string bytes = volume(kFfs2, file('a', 1, "plain"), 4096);
  std::string bad = bytes;
  bad[33] ^= 1;
  EXPECT_FALSE(measured("uefi-volume", bad));
  bad = bytes;
  bad[72 + 3] ^= 1;  // in the file's header
  EXPECT_FALSE(unpacked("uefi-volume", bad).problems.empty());
}

TEST(UefiVolume, VariablesOfTheStore) {
  std::string store("\x16\x36\xcf\xdd\x75\x32\x64\x41\x98\xb6\xfe\x85\x70\x7f\xfe\x7d", 16);
  store += little(2048) + "\x5a\xfe" + std::string(6, '\0');
  const auto variable = [](int state, const std::string& data) {
    const std::string made = "\xaa\x55" + little(static_cast<uint64_t>(state), 1) + std::string(1, '\0') + little(7) +
                             little(kName.size()) + little(data.size()) + std::string(16, 'v') + kName + data;
    return filled(made, (made.size() + 3) / 4 * 4, '\xff');
  };
  const std::string bytes = volume(kNvram, store + variable(0x3f, "value") + variable(0x3c, "old"), 4096);
  const Collect sink = unpacked("uefi-volume", bytes);
  EXPECT_TRUE(sink.problems.empty()) << sink.problems[0].what;
  ASSERT_EQ(sink.items.size(), 2u);
  EXPECT_EQ(sink.items[0].node.path, "variables/76767676-7676-7676-7676-767676767676/Demo");
  EXPECT_EQ(sink.items[0].content, "value");
  EXPECT_TRUE(sink.items[1].node.path.starts_with("deleted-variables/"));
  survives("uefi-volume", bytes.substr(0, 400));
}

TEST(UefiVolume, FirmwareOfDebian) {
  int seen = 0;
  for (const std::string path :
       {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_CODE.fd"}) {
    const std::string bytes = slurp(path);
    if (bytes.empty()) continue;
    ++seen;
    const size_t magic = bytes.find("_FVH");
    ASSERT_GE(magic, 40u);
    const std::string from = bytes.substr(magic - 40);
    const auto length = measured("uefi-volume", from);
    ASSERT_TRUE(length) << path;
    EXPECT_TRUE(length->verified);
    const Collect outer = unpacked("uefi-volume", std::string_view(from).substr(0, length->length));
    EXPECT_TRUE(outer.problems.empty()) << outer.problems[0].what;
    uint64_t modules = 0, volumes = 0;
    for (const auto& item : outer.items) {
      if (!item.node.path.ends_with("/volume")) continue;
      ++volumes;
      const Collect inner = unpacked("uefi-volume", item.content);
      EXPECT_TRUE(inner.problems.empty()) << inner.problems[0].what;
      for (const auto& module : inner.items)
        if (module.node.path.ends_with(".efi")) {
          ++modules;
          EXPECT_TRUE(measured("pe", module.content)) << module.node.path;
        }
    }
    EXPECT_GE(volumes, 1u) << path;
    EXPECT_GT(modules, 80u) << path;
  }
  if (seen == 0) GTEST_SKIP() << "no ovmf, no qemu-efi-aarch64";
}

// Codes by hand: every character has nine bits, every distance the one symbol of its table.
class Codes {
 public:
  void put(uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i) bits_.push_back(value >> i & 1);
  }
  std::string bytes() const {
    std::string out((bits_.size() + 7) / 8, '\0');
    for (size_t i = 0; i < bits_.size(); ++i)
      if (bits_[i]) out[i / 8] = static_cast<char>(out[i / 8] | 0x80 >> i % 8);
    return out;
  }

 private:
  std::vector<bool> bits_;
};

std::string compressed(const std::vector<uint32_t>& characters, uint32_t distance_symbol, int position_bits,
                       size_t size) {
  Codes codes;
  codes.put(static_cast<uint32_t>(characters.size()), 16);
  codes.put(0, 5), codes.put(11, 5);  // extra set: always 11, a length of 9
  codes.put(510, 9);                  // characters: 510 lengths, each without a bit
  codes.put(0, position_bits), codes.put(distance_symbol, position_bits);
  for (const uint32_t c : characters) {
    codes.put(c, 9);
    if (c >= 256 && distance_symbol > 1) codes.put(0, static_cast<int>(distance_symbol) - 1);
  }
  const std::string packed = codes.bytes();
  return little(packed.size()) + little(size) + packed;
}

TEST(EfiCompression, LiteralsCopiesAndDamage) {
  for (const auto& [variant, bits] : {std::pair(EfiVariant::kEfi, 4), {EfiVariant::kTiano, 5}}) {
    const std::string packed = compressed({'a', 'b', 'c', 253 + 9, 'd'}, 2, bits, 13);  // distance 1 + 2
    MemoryOutput out(100);
    const auto used = decode_efi_compressed(Bytes(packed + "tail"), variant, out);
    ASSERT_TRUE(used) << used.error().what;
    EXPECT_EQ(*used, packed.size());
    EXPECT_EQ(out.bytes().text(), "abcabcabcabcd");
    for (size_t i = 0; i < packed.size(); ++i) {
      MemoryOutput any(1 << 20);
      std::string damaged = packed;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x11);
      (void)decode_efi_compressed(Bytes(damaged), variant, any);
      EXPECT_FALSE(decode_efi_compressed(Bytes(packed).head(i), variant, any));
    }
  }
  MemoryOutput out(100);
  EXPECT_FALSE(
      decode_efi_compressed(Bytes(compressed({'a', 253 + 3}, 2, 4, 4)), EfiVariant::kEfi, out));  // before the start
}

TEST(UefiVolume, CompressedSections) {
  const std::string inside = section(0x15, kName) + section(0x19, "raw bytes");
  std::vector<uint32_t> characters(inside.begin(), inside.end());
  for (uint32_t& c : characters) c &= 0xff;
  const std::string body = section(0x01, little(inside.size()) + "\1" + compressed(characters, 0, 4, inside.size()));
  const Collect sink = unpacked("uefi-volume", volume(kFfs2, file('a', 7, body), 4096));
  EXPECT_TRUE(sink.problems.empty()) << sink.problems[0].what;
  const auto* raw = sink.find("driver/61616161-6161-6161-6161-616161616161/Demo.raw");
  ASSERT_TRUE(raw);
  EXPECT_TRUE(raw->content.starts_with("raw bytes"));
  EXPECT_EQ(raw->codec, "efi");
}

TEST(UefiCapsule, BodyAndPayloads) {
  const std::string efi("\xbd\x86\x66\x3b\x76\x0d\x30\x40\xb7\x0e\xb5\x51\x9e\x2f\xc5\xa0", 16);
  const std::string plain =
      efi + little(28) + little(0x10000) + little(28 + 4096) + volume(kFfs2, file('a', 1, "x"), 4096);
  EXPECT_EQ(measured("uefi-capsule", plain + "tail")->length, plain.size());
  EXPECT_EQ(unpacked("uefi-capsule", plain).find("body")->content.size(), 4096u);
  const std::string fmp("\xed\xd5\xcb\x6d\x2d\xe8\x4c\x44\xbd\xa1\x71\x94\x19\x9a\xd9\x2a", 16);
  std::string body = little(1) + little(1, 2) + little(1, 2) + little(24, 8) + little(30, 8) + "driver";
  body += little(2) + std::string(16, 't') + "\1" + std::string(3, '\0') + little(5) + little(3) +
          std::string(8, '\0') + "imagevnd";
  const std::string capsule = fmp + little(28) + little(0) + little(28 + body.size()) + body;
  const Collect sink = unpacked("uefi-capsule", capsule);
  EXPECT_EQ(sink.find("driver0")->content, "driver");
  EXPECT_EQ(sink.find("payload0")->content, "image");
  EXPECT_EQ(sink.find("payload0-vendor-code")->content, "vnd");
  survives("uefi-capsule", capsule);
}

TEST(IntelFlash, Regions) {
  std::string bytes(64 << 10, '\xff');
  put(bytes, 16, little(0x0ff0a55a) + little(0x00040003));
  put(bytes, 0x40, little(0, 2) + little(0, 2) + little(8, 2) + little(15, 2) + little(1, 2) + little(3, 2));
  for (int i = 3; i < 9; ++i) put(bytes, 0x40 + 4 * static_cast<size_t>(i), little(0x7fff, 2) + little(0, 2));
  put(bytes, 0x8000, "bios"), put(bytes, 0x1000, "me"), put(bytes, 0x5000, "between");
  EXPECT_EQ(measured("intel-flash", bytes)->length, bytes.size());
  const Collect sink = unpacked("intel-flash", bytes);
  EXPECT_EQ(sink.find("bios")->content.size(), 0x8000u);
  EXPECT_EQ(sink.find("me")->content.size(), 0x3000u);
  EXPECT_TRUE(sink.find("unused-0x4000"));
  put(bytes, 0x48, little(2, 2));  // the management engine's region begins inside… the descriptor's end moves
  put(bytes, 0x44, little(3, 2));
  EXPECT_FALSE(measured("intel-flash", bytes));
}

TEST(Te, HeaderStandsForWhatWasStripped) {
  std::string te = "VZ" + little(0x8664, 2) + "\1\xb" + little(0x100, 2) + little(0x1000) + little(0x240) +
                   little(0, 8) + std::string(16, '\0');
  te += std::string(".text\0\0\0", 8) + little(16) + little(0x240) + little(16) + little(0x240) + std::string(16, '\0');
  te = filled(te, 0x240 - 0x100 + 40) + std::string(16, 'c');
  ASSERT_TRUE(measured("te", te));
  EXPECT_EQ(measured("te", te)->length, te.size());
  EXPECT_FALSE(measured("te", te.substr(0, te.size() - 1)));
}

}  // namespace
}  // namespace assay::unpack
