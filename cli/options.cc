// The command line by CLI11 (https://cliutils.github.io/CLI11/book/); no other file includes it.
#include "cli/options.h"
#include "core/suggest.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <deque>

namespace assay::cli {
namespace {

// So that all commands fit a screen: no empty line above them, and the last line names the two options.
std::string help_of(const CLI::App* of, std::string name, CLI::AppFormatMode mode) {
  std::string help = CLI::Formatter().make_help(of, std::move(name), mode);
  if (const size_t at = help.find("\n\nSubcommands"); at != std::string::npos) help.erase(at, 1);
  return help;
}

// What was not understood, the nearest word that would be, and where all of them stand.
std::string failure(const CLI::App* app, const CLI::Error& error) {
  std::string name = app->get_name();
  for (auto below = app->get_subcommands(); !below.empty(); below = app->get_subcommands()) {
    app = below.front();
    name += " " + app->get_name();
  }
  const std::string more = "\n" + name + " --help says what it takes.\n";
  const std::vector<std::string> extra = app->remaining();
  const auto option = std::ranges::find_if(extra, [](const std::string& word) { return word.starts_with("-"); });
  std::vector<std::string> known;
  if (option != extra.end()) {
    for (const CLI::Option* one : app->get_options())
      for (const std::string& word : one->get_lnames()) known.push_back("--" + word);
  } else if (!extra.empty()) {
    for (const CLI::App* one : app->get_subcommands(nullptr)) known.push_back(one->get_name());
  }
  const std::vector<std::string_view> words(known.begin(), known.end());
  if (option != extra.end()) return name + ": there is no option " + *option + did_you_mean(*option, words) + more;
  if (!extra.empty() && !known.empty())
    return name + ": there is no command \"" + extra[0] + "\"" + did_you_mean(extra[0], words) + more;
  if (!extra.empty()) return name + ": \"" + extra[0] + "\" is one argument too many" + more;
  const std::string what = error.what();
  return name + ": " + (what.starts_with("A subcommand") ? "a command is required" : what) + more;
}

}  // namespace

struct App::Parts {
  std::unique_ptr<CLI::App> owned;  // the program; its subcommands belong to it
  CLI::App* of = nullptr;
  std::deque<Option> options;
  std::vector<std::unique_ptr<App>> subcommands;
};

Option* Option::required(bool yes) {
  of_->required(yes);
  return this;
}

Option* Option::type_name(const std::string& name) {
  of_->type_name(name);
  return this;
}

Option* Option::one_of(const std::vector<std::string>& values) {
  of_->check(CLI::IsMember(values).description(""));
  return this;
}

Option* Option::within(int64_t least, int64_t most) {
  // The library's own words differ between its releases.
  const auto check = [=](std::string& text) {
    int64_t value = 0;
    const bool good = CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
    return good ? std::string()
                : "Value " + text + " not in range " + std::to_string(least) + " to " + std::to_string(most);
  };
  of_->check(CLI::Validator(check, ""));
  return this;
}

App::App(const std::string& what, const std::string& name, const std::string& version)
    : parts_(std::make_unique<Parts>()) {
  parts_->owned = std::make_unique<CLI::App>(what, name);
  parts_->of = parts_->owned.get();
  parts_->of->set_version_flag("--version", version);
  parts_->of->failure_message(failure);
}

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;

Option* App::keep(CLI::Option* of) { return &parts_->options.emplace_back(of); }

App* App::add_subcommand(const std::string& name, const std::string& what) {
  auto parts = std::make_unique<Parts>();
  parts->of = parts_->of->add_subcommand(name, what);
  return parts_->subcommands.emplace_back(new App(std::move(parts))).get();
}

Option* App::add_option(const std::string& names, std::string& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_option(const std::string& names, std::vector<std::string>& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_option(const std::string& names, unsigned& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_option(const std::string& names, uint16_t& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_option(const std::string& names, uint64_t& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_option(const std::string& names, std::optional<uint64_t>& into, const std::string& what) {
  return keep(parts_->of->add_option(names, into, what));
}
Option* App::add_flag(const std::string& names, bool& into, const std::string& what) {
  return keep(parts_->of->add_flag(names, into, what));
}

Option* App::get_option(const std::string& name) { return keep(parts_->of->get_option(name)); }
void App::remove_option(const std::string& name) { parts_->of->remove_option(parts_->of->get_option(name)); }
void App::require_subcommand() { parts_->of->require_subcommand(1); }
void App::footer(const std::string& text) { parts_->of->footer(text); }
void App::callback(std::function<void()> run) { parts_->of->callback(std::move(run)); }

std::optional<int> App::parse(int argc, char** argv) {
  parts_->of->formatter_fn(help_of);
  parts_->of->get_help_ptr()->group("");  // not before: subcommands take their --help after this one's
  parts_->of->get_version_ptr()->group("");
  try {
    parts_->of->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parts_->of->exit(error);
  }
  return std::nullopt;
}

}  // namespace assay::cli
