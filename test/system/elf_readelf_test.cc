// ELF facts of whole systems against readelf: every program and library of the sample images and of this machine.
// Images are unpacked by unsquashfs into a temporary directory; nothing in them is executed.
#include "core/text.h"
#include "test/system/run_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace assay::system {
namespace {

namespace fs = std::filesystem;

struct Expected {
  std::string machine, type, interpreter, soname;
  uint32_t bits = 0;
  bool little = false, relro = false, now = false, has_stack = false, stack_executes = false, dynamic = false;
  std::vector<std::string> needed;
  std::set<std::string> imports;
};

std::string bracketed(std::string_view line) {
  const size_t open = line.find('['), close = line.rfind(']');
  return open == line.npos || close == line.npos ? "" : std::string(line.substr(open + 1, close - open - 1));
}

void read_line(std::string_view line, Expected& e) {
  const auto value = [&](std::string_view name) {
    return trim(line).starts_with(name) ? trim(line.substr(line.find(name) + name.size())) : std::string_view{};
  };
  if (const auto v = value("Class:"); !v.empty()) e.bits = v == "ELF64" ? 64 : 32;
  if (const auto v = value("Data:"); !v.empty()) e.little = v.find("little") != v.npos;
  if (const auto v = value("Type:"); !v.empty()) e.type = words(v)[0];
  if (const auto v = value("Machine:"); !v.empty()) e.machine = v;
  if (line.find("program interpreter:") != line.npos) {
    e.interpreter = bracketed(line);
    e.interpreter = e.interpreter.substr(e.interpreter.find(": ") + 2);
  }
  if (trim(line).starts_with("GNU_RELRO")) e.relro = true;
  if (trim(line).starts_with("GNU_STACK")) e.has_stack = true, e.stack_executes = line.find("E ") != line.npos;
  if (line.find("(NEEDED)") != line.npos) e.needed.push_back(bracketed(line));
  if (line.find("(SONAME)") != line.npos) e.soname = bracketed(line);
  if (line.find("(STRTAB)") != line.npos) e.dynamic = true;
  if (line.find("(BIND_NOW)") != line.npos) e.now = true;
  if (line.find("(FLAGS") != line.npos && line.find("NOW") != line.npos) e.now = true;
  // "5: 00400 0 FUNC GLOBAL DEFAULT [MIPS PLT] UND strcmp": the note in brackets is not always there.
  const auto columns = words(line);
  const auto undefined = std::ranges::find(columns, "UND");
  if (columns.size() >= 8 && undefined - columns.begin() >= 6 && undefined + 1 < columns.end() &&
      columns[3] != "SECTION" && columns[4] != "LOCAL")
    e.imports.emplace(undefined[1].substr(0, undefined[1].find('@')));
}

std::string machine_word(std::string_view readelf, uint32_t bits) {
  if (readelf.find("MIPS") != readelf.npos) return bits == 64 ? "mips64" : "mips";
  if (readelf.find("X86-64") != readelf.npos) return "x86-64";
  if (readelf.find("80386") != readelf.npos) return "x86";
  if (readelf == "AArch64") return "aarch64";
  return readelf == "ARM" ? "arm" : std::string(readelf);
}

int compare(const std::string& path) {
  const std::string content = read_file(path);
  if (!content.starts_with("\x7f"
                           "ELF"))
    return 0;
  // -D: symbols through the dynamic table, as files without sections need it.
  Expected e;
  const std::string text = output_of("LC_ALL=C readelf -h -l -d -s -D -W '" + path + "'");
  for (const Line& line : lines(text)) read_line(line.text, e);
  if (e.bits == 0 || e.type == "CORE") return 0;
  const Facts out = run_file("elf_facts", content);
  if (out.elf.empty()) {
    ADD_FAILURE() << path << ": no facts";
    return 1;
  }
  const Elf& f = out.elf[0];
  EXPECT_EQ(f.machine, machine_word(e.machine, e.bits)) << path;
  EXPECT_EQ(f.bits, e.bits) << path;
  EXPECT_EQ(f.byte_order == "little", e.little) << path;
  EXPECT_EQ(f.type, e.type == "EXEC" ? "executable" : e.type == "DYN" ? "shared" : "relocatable") << path;
  EXPECT_EQ(f.interpreter, e.interpreter) << path;
  if (e.has_stack) {
    EXPECT_EQ(f.nx == Known::kNo, e.stack_executes) << path;
  }
  // A stripping tool left PT_DYNAMIC with a file size too small: loaders read it by its address, and so do we; readelf
  // does not.
  if ((!e.dynamic || std::ranges::count(e.needed, "")) && !f.needed.empty()) return 1;
  EXPECT_EQ(f.soname, e.soname) << path;
  EXPECT_EQ(f.needed, e.needed) << path;
  if (f.type == "relocatable") return 1;
  if (e.dynamic && !f.is_static) {
    EXPECT_EQ(f.relro, !e.relro ? "none" : e.now ? "full" : "partial") << path;
  }
  if (e.imports.size() <= 4096) {
    EXPECT_EQ(std::set<std::string>(f.imports.begin(), f.imports.end()), e.imports) << path;
  }
  return 1;
}

// Every nth file below root, until `most` of them were ELF files.
int compare_tree(const fs::path& root, int nth, int most) {
  int count = 0, seen = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator i(root, fs::directory_options::skip_permission_denied, error), end;
       i != end && !error && count < most; i.increment(error))
    if (!i->is_symlink(error) && i->is_regular_file(error) && ++seen % nth == 0) count += compare(i->path().string());
  return count;
}

std::string firmware_folder() {
  const char* source = getenv("ASSAY_SOURCE");
  for (fs::path at = fs::path(source ? source : "."); !at.empty(); at = at.parent_path()) {
    const fs::path folder = at.parent_path() / "shared" / "firmware";
    if (fs::is_directory(folder)) return folder.string();
    if (at == at.parent_path()) break;
  }
  return {};
}

// Unpacks the squashfs of an image; empty when it has none that unsquashfs reads.
std::string unsquash(const std::string& image, const std::string& into) {
  const std::string bytes = read_file(image);
  const size_t at = bytes.find("hsqs");
  if (at == bytes.npos) return {};
  output_of("unsquashfs -no -q -no-xattrs -o " + std::to_string(at) + " -d " + into + " " + image);
  return fs::is_directory(into) ? into : "";
}

// The trees of all sample images, unpacked once for the tests here.
struct Trees {
  Scratch scratch;
  std::vector<std::string> roots;
  Trees() {
    std::vector<std::string> images;
    for (const auto& entry : fs::directory_iterator(firmware_folder())) images.push_back(entry.path().string());
    std::ranges::sort(images);
    for (const std::string& image : images) {
      const std::string root = unsquash(image, scratch.path + "/" + fs::path(image).filename().string());
      if (!root.empty()) roots.push_back(root);
    }
  }
};
const Trees& trees() {
  static const Trees all;
  return all;
}

TEST(ElfReadelf, AgreesOnTheSampleImages) {
  if (firmware_folder().empty()) GTEST_SKIP() << "no folder shared/firmware beside the checkout";
  if (!has_tool("readelf") || !has_tool("unsquashfs")) GTEST_SKIP() << "readelf or unsquashfs is not installed";
  int count = 0;
  for (const std::string& root : trees().roots) count += compare_tree(root, 20, 1 << 20);
  EXPECT_GT(count, 25);
  printf("compared %d files\n", count);
}

TEST(ElfReadelf, AgreesOnThisMachine) {
  if (!has_tool("readelf")) GTEST_SKIP() << "readelf is not installed";
  const int count = compare_tree("/usr/bin", 7, 25) + compare_tree("/usr/lib", 7, 25);
  EXPECT_GT(count, 20);
  printf("compared %d files\n", count);
}

// The one pair of images that differ by an implant: what it does shows in its traits, and no stock program of the pair
// that asks for no secret has the same three.
TEST(ElfReadelf, TheImplantStandsOut) {
  if (firmware_folder().empty()) GTEST_SKIP() << "no folder shared/firmware beside the checkout";
  if (!has_tool("unsquashfs")) GTEST_SKIP() << "unsquashfs is not installed";
  std::vector<std::string> found;
  for (const std::string& root : trees().roots) {
    if (!root.contains("wr841nv14")) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_symlink() || !entry.is_regular_file()) continue;
      for (const Elf& e : run_file("elf_facts", read_file(entry.path().string())).elf) {
        const auto has = [&](std::string_view trait) { return std::ranges::find(e.traits, trait) != e.traits.end(); };
        const bool asks = has("asks-web-login") || has("checks-key") || has("checks-password");
        if (has("listens") && has("starts-shell") && has("redirects-descriptors") && !asks)
          found.push_back(fs::relative(entry.path(), trees().scratch.path).string());
      }
    }
  }
  EXPECT_EQ(found, std::vector<std::string>{"tplink-wr841nv14-backdoored.bin/bin/backdoor"});
}

}  // namespace
}  // namespace assay::system
