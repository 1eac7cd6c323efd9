// A subcommand's options, without the library that reads them (CLI11, in options.cc alone): its headers cost each file
// that includes them some seconds to compile.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;     // NOLINT(bugprone-forward-declaration-namespace): the library's; ours has the same name
class Option;  // NOLINT(bugprone-forward-declaration-namespace)
}  // namespace CLI

namespace assay::cli {

// One option ("-o,--output") or positional argument ("IMAGE"). Each call gives the same option back.
class Option {
 public:
  explicit Option(CLI::Option* of) : of_(of) {}
  Option* required(bool yes = true);
  Option* type_name(const std::string& name);              // as --help shows its value
  Option* one_of(const std::vector<std::string>& values);  // another value is a usage error
  Option* within(int64_t least, int64_t most);

 private:
  CLI::Option* of_;
};

// The program, or a subcommand. What is given to add_option is written when the command line is parsed; it must live
// until then.
class App {
 public:
  App(const std::string& what, const std::string& name, const std::string& version);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  App* add_subcommand(const std::string& name, const std::string& what);
  Option* add_option(const std::string& names, std::string& into, const std::string& what);
  Option* add_option(const std::string& names, std::vector<std::string>& into, const std::string& what);
  Option* add_option(const std::string& names, unsigned& into, const std::string& what);
  Option* add_option(const std::string& names, uint16_t& into, const std::string& what);
  Option* add_option(const std::string& names, uint64_t& into, const std::string& what);
  Option* add_option(const std::string& names, std::optional<uint64_t>& into, const std::string& what);
  Option* add_flag(const std::string& names, bool& into, const std::string& what);
  Option* get_option(const std::string& name);
  void remove_option(const std::string& name);
  void require_subcommand();
  void footer(const std::string& text);
  void callback(std::function<void()> run);

  // Parses and runs. The exit status where the command line ends the program, for --help and for errors; else nothing.
  std::optional<int> parse(int argc, char** argv);

 private:
  struct Parts;
  explicit App(std::unique_ptr<Parts> parts);
  Option* keep(CLI::Option* of);
  std::unique_ptr<Parts> parts_;
};

}  // namespace assay::cli
