// Facts of one ELF file: hardening, libraries, symbols, and traits.
//
// Traits say what a file can do, by mechanism. They come from the functions it imports (of a static program: from its
// symbols, or from system call numbers before trap instructions) and from strings that name a partner of the mechanism:
//   asks-web-login         has "WWW-Authenticate" and compares strings: HTTP authentication
//   changes-firewall       names iptables or ebtables and can run programs or set socket options
//   checks-key             compares bytes and names a keyed hash (HMAC-MD5, hmac-sha…) or authorized_keys
//   checks-password        crypt, getspnam, PAM; or compares strings and names an account file and a password; or
//                          compares strings and says "Login incorrect"
//   command-interpreter    can exec and holds six of ten words that only a shell's own command table holds together
//   connects               socket, connect
//   executes               system, popen, exec*, posix_spawn
//   hands-to-login         can exec and names /bin/login
//   hooks-packets          kernel module that registers with netfilter or as a packet handler
//   listens                socket, bind, listen, accept (any address family: a local socket looks the same)
//   listens-udp            socket, bind, recvfrom or recvmsg
//   loads-code             dlopen            loads-modules     init_module, finit_module
//   maps-memory-device     opens or maps, and names /dev/mem or /dev/kmem
//   mounts                 mount             multi-call        says it is a multi-call binary: traits of many programs
//   opens-terminal         openpty, forkpty, grantpt, /dev/ptmx
//   packet-socket          libpcap or libnet, or socket beside the text PF_PACKET/AF_PACKET/"packet socket"
//   reads-accounts         getpwnam …, or opens files and names /etc/passwd or /etc/shadow
//   reads-web-request      getenv beside REQUEST_METHOD or QUERY_STRING: a CGI program
//   reboots                reboot            redirects-descriptors   dup2, dup3
//   runs-command-lines     system, popen: a shell reads the text
//   sets-preload           can exec and names LD_PRELOAD
//   sets-uid               setuid, setgid and relatives
//   starts-shell           can exec and holds the path of a shell as a string, and is not itself a command interpreter:
//                          a shell runs what its script names, so its own path there says nothing
//   traces                 ptrace            writes-flash      opens, writes and names /dev/mtd
//
// Four of them ask for something secret before they go on: asks-web-login, checks-key, checks-password, hands-to-login.
//
// Misses: calls made through function pointers from dlsym, inlined system calls of dynamic programs, strings put
// together at run time or held encrypted, what a library does for its caller (libcrypt is named by import only),
// socketcall(2), Thumb-2 and BE8 system calls. Traits are of the file: two of them together do not prove one path
// through the code, least of all in a multi-call program. A command interpreter gets no starts-shell.
#include "elf/elf.h"
#include "system/elf_traits.h"
#include "system/file.h"

#include <algorithm>

namespace assay::system::elf_facts {
namespace {

constexpr size_t kMostNames = 4096;
constexpr uint64_t kNeeded = 1, kSoname = 14, kRpath = 15, kBindNow = 24, kRunpath = 29, kFlags = 30,
                   kFlags1 = 0x6ffffffb;  // DT_*
constexpr uint64_t kFlagBindNow = 8, kFlag1Now = 1, kFlag1Pie = 0x08000000;

void note_problem(Facts& out, const Error& error) {
  out.problems.push_back({"", error.fault, "elf: " + error.what, error.offset});
}

std::vector<std::string> texts(const elf::File& file, uint64_t tag, std::string_view field, Facts& out) {
  std::vector<std::string> found;
  for (const elf::Dynamic& d : file.dynamic) {
    if (d.tag != tag) continue;
    if (found.size() == kMostNames) break;
    const auto text = file.dynamic_text(d.value, field);
    if (!text) {
      note_problem(out, text.error());
      break;
    }
    found.emplace_back(*text);
  }
  return found;
}

std::vector<std::string> paths(const elf::File& file, uint64_t tag, std::string_view field, Facts& out) {
  std::vector<std::string> found;
  for (const std::string& list : texts(file, tag, field, out)) {
    size_t from = 0;
    for (size_t end; (end = list.find(':', from)) != list.npos; from = end + 1)
      found.push_back(list.substr(from, end - from));
    found.push_back(list.substr(from));
  }
  return found;
}

using Names = std::vector<std::string_view>;

void sort_unique(Names& names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
}

std::vector<std::string> kept(const Names& names, std::string_view field, Facts& out) {
  if (names.size() > kMostNames)
    note_problem(out, {Fault::kLimit, std::string(field) + ": " + std::to_string(names.size()) + ", 4096 kept", 0});
  return {names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostNames))};
}

struct Symbols {
  Names imports, defined;  // dynamic; of a relocatable file: of its symbol table
  Names functions;         // defined in the symbol table, of static programs
};

Symbols symbols_of(const elf::File& file, const Elf& facts, Facts& out) {
  Symbols symbols;
  const bool relocatable = file.header.type == elf::kRelocatable;
  auto table = relocatable ? elf::section_symbols(file) : elf::dynamic_symbols(file);
  if (!table) note_problem(out, table.error());
  if (table)
    for (const elf::Symbol& s : *table) {
      if (s.name.empty() || s.type == elf::kTypeSection || s.bind == elf::kBindLocal) continue;
      (s.section == 0 ? symbols.imports : symbols.defined).push_back(s.name);
    }
  if (facts.is_static) {
    if (auto all = elf::section_symbols(file))
      for (const elf::Symbol& s : *all)
        if (s.type == elf::kTypeFunction && s.section != 0) symbols.functions.push_back(s.name);
  }
  sort_unique(symbols.imports);
  sort_unique(symbols.defined);
  sort_unique(symbols.functions);
  return symbols;
}

bool contains(const Names& names, std::string_view name) { return std::ranges::binary_search(names, name); }

// Without PT_GNU_STACK the kernel decides by architecture (Linux, elf_read_implies_exec and VM_STACK_FLAGS of each):
// mips, arm, x86 (32 bits), ppc (32 bits), sh, sparc, m68k: executable (mips: on cores without RIXI always). aarch64,
// riscv, loongarch: not executable. x86-64: executable up to Linux 5.7, not since. Others: not known here.
Known stack_is_data(const elf::File& file, const std::string& machine) {
  if (file.header.type != elf::kExecutable && file.header.type != elf::kShared) return Known::kUnknown;
  if (file.segments.empty()) return Known::kUnknown;
  if (const elf::Segment* stack = file.segment(elf::kGnuStack))
    return stack->flags & elf::kExecute ? Known::kNo : Known::kYes;
  for (const std::string_view executable : {"mips", "mips64", "arm", "x86", "ppc", "sh", "sparc", "m68k"})
    if (machine == executable) return Known::kNo;
  for (const std::string_view data : {"aarch64", "riscv", "loongarch"})
    if (machine == data) return Known::kYes;
  return Known::kUnknown;
}

std::string relro_of(const elf::File& file) {
  if (file.dynamic.empty() || file.header.type == elf::kRelocatable || file.header.type == elf::kCore) return "";
  if (!file.segment(elf::kGnuRelro)) return "none";
  const bool now = file.tag(kBindNow) || (file.tag(kFlags).value_or(0) & kFlagBindNow) ||
                   (file.tag(kFlags1).value_or(0) & kFlag1Now);
  return now ? "full" : "partial";
}

bool any_of(const Names& names, std::span<const std::string_view> wanted) {
  return std::ranges::any_of(wanted, [&](std::string_view name) { return contains(names, name); });
}

// Imports of the guard prove it; a dynamic file without them has no guarded function (or none with an array in it).
// A file that defines the guard itself (a C library) uses it without importing it: not known.
Known canary_of(const Symbols& symbols, bool has_imports) {
  constexpr std::string_view kGuards[] = {"__stack_chk_fail", "__stack_chk_guard", "__stack_smash_handler",
                                          "__stack_chk_fail_local"};
  if (any_of(symbols.imports, kGuards) || any_of(symbols.functions, kGuards)) return Known::kYes;
  if (any_of(symbols.defined, kGuards)) return Known::kUnknown;
  return has_imports || !symbols.functions.empty() ? Known::kNo : Known::kUnknown;
}

Known fortify_of(const Names& imports) {
  constexpr std::string_view kUnchecked[] = {
      "memcpy",    "memmove", "memset",  "strcpy", "strncpy", "strcat", "strncat", "sprintf",  "snprintf", "vsprintf",
      "vsnprintf", "printf",  "fprintf", "gets",   "fgets",   "read",   "recv",    "recvfrom", "readlink", "getcwd"};
  for (const std::string_view name : imports)
    if (name.starts_with("__") && name.ends_with("_chk")) return Known::kYes;
  return any_of(imports, kUnchecked) ? Known::kNo : Known::kUnknown;
}

std::string interpreter_of(const elf::File& file) {
  const elf::Segment* segment = file.segment(elf::kInterpreter);
  if (!segment) return {};
  const std::string_view text =
      file.bytes.head(std::min<uint64_t>(segment->file_size, elf::kMaxName), segment->offset).text();
  return std::string(text.substr(0, text.find('\0')));
}

void set_kind(const elf::File& file, Elf& e, Facts& out) {
  const elf::Header& h = file.header;
  const std::vector<std::string> soname = texts(file, kSoname, "DT_SONAME", out);
  if (!soname.empty()) e.soname = soname.front();
  e.interpreter = interpreter_of(file);
  e.needed = texts(file, kNeeded, "DT_NEEDED", out);
  const bool pie = file.tag(kFlags1).value_or(0) & kFlag1Pie;
  const bool library = h.type == elf::kShared && !pie && (!e.soname.empty() || e.interpreter.empty());
  e.position_independent = h.type == elf::kShared;
  e.is_program =
      (h.type == elf::kExecutable || h.type == elf::kShared) && !library && (h.entry != 0 || !e.interpreter.empty());
  e.is_static = e.is_program && e.interpreter.empty() && e.needed.empty();
  e.stripped = std::ranges::none_of(file.sections, [](const auto& s) { return s.type == elf::kSymbolTable; });
}

Names names_for_traits(const elf::File& file, const Elf& e, const Symbols& symbols) {
  Names names = symbols.imports;
  if (!e.is_static) return names;
  names.insert(names.end(), symbols.functions.begin(), symbols.functions.end());
  const Names calls = system_calls(file);
  names.insert(names.end(), calls.begin(), calls.end());
  sort_unique(names);
  return names;
}

void run(Bytes content, const Marks& marks, Facts& out) {
  if (!content.starts_with("\x7f"
                           "ELF"))
    return;
  const auto file = elf::read(content);
  if (!file) return note_problem(out, file.error());
  for (const Error& problem : file->problems) note_problem(out, problem);
  Elf e;
  e.machine = elf::machine_name(file->header);
  e.bits = file->header.bits;
  e.byte_order = file->header.order == Order::kLittle ? "little" : "big";
  e.type = elf::type_name(file->header.type);
  set_kind(*file, e, out);
  const Symbols symbols = symbols_of(*file, e, out);
  e.nx = stack_is_data(*file, e.machine);
  e.relro = e.is_static ? "" : relro_of(*file);
  const bool linked = e.type == "executable" || e.type == "shared";
  e.canary = canary_of(symbols, linked && !symbols.imports.empty());
  e.fortify = linked ? fortify_of(symbols.imports) : Known::kUnknown;
  e.rpath = paths(*file, kRpath, "DT_RPATH", out);
  e.runpath = paths(*file, kRunpath, "DT_RUNPATH", out);
  e.imports = kept(symbols.imports, "imports", out);
  if (e.type == "shared" && !e.is_program) e.exports = kept(symbols.defined, "exports", out);
  e.traits = traits_of(names_for_traits(*file, e, symbols), marks);
  e.at.length = std::min<uint64_t>(file->header.header_size, content.size());
  e.at.shows = e.machine + " " + e.byte_order + "-endian " + e.type;
  out.elf.push_back(std::move(e));
}

}  // namespace

extern const FileAnalysis kElfFacts;
const FileAnalysis kElfFacts = {"elf_facts", 1, run, trait_words};

}  // namespace assay::system::elf_facts
