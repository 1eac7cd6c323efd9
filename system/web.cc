// Web servers and what they answer: document root, user, directory listing, CGI programs, pages.
//
// The root comes from the server's arguments or configuration; without one, a folder of the list below counts when it
// is in the image and the server's own program names it. Whether an address asks for a login is stated only where a
// configuration says so: busybox httpd.conf "/path:user:password", lighttpd auth.require, boa "Auth", .htpasswd.
// Sources: busybox networking/httpd.c, uhttpd's options, the configuration manuals of lighttpd, boa, thttpd,
// mini_httpd, nginx and Apache; CGI: RFC 3875; server side includes: Apache's mod_include.
#include "core/text.h"
#include "system/service_options.h"
#include "system/shell_walk.h"

#include <algorithm>
#include <array>

namespace assay::system::web {
namespace {

constexpr size_t kMaximumRoutes = 8192;

constexpr auto kRoots =
    std::to_array<std::string_view>({"/www", "/web", "/htdocs", "/var/www", "/usr/www", "/home/httpd", "/home/web",
                                     "/etc_ro/web", "/webs", "/usr/htdocs", "/usr/share/www", "/usr/local/www",
                                     "/var/www/html", "/srv/www", "/usr/web", "/opt/www", "/mnt/web", "/home/www"});

// How a server names things: options of its command line, directives of its configuration.
struct Manual {
  std::string_view names, root_option, root_key, configuration_option, configurations;
};
constexpr auto kManuals = std::to_array<Manual>({
    {"httpd", "-h", "", "-c", "/etc/httpd.conf"},
    {"uhttpd", "-h", "", "-c", "/etc/httpd.conf"},
    {"lighttpd", "", "server.document-root", "-f", "/etc/lighttpd/lighttpd.conf /etc/lighttpd.conf"},
    {"boa", "", "DocumentRoot", "-f", "/etc/boa/boa.conf /etc/boa.conf"},
    {"thttpd", "-d", "dir", "-C", "/etc/thttpd.conf /etc/thttpd/thttpd.conf"},
    {"mini_httpd mini_httpds", "-d", "dir", "-C", "/etc/mini_httpd.conf /etc/mini_httpd/mini_httpd.conf"},
    {"nginx", "", "root", "-c", "/etc/nginx/nginx.conf"},
    {"apache apache2", "", "DocumentRoot", "-f",
     "/etc/apache2/apache2.conf /etc/apache2/sites-enabled/000-default.conf"},
    {"goahead webs goahead-webs", "-w", "", "", ""},
});

const Manual* manual_of(std::string_view program) {
  for (const Manual& manual : kManuals) {
    for (const std::string_view name : words(manual.names)) {
      if (name == program) return &manual;
    }
  }
  return nullptr;
}

std::string_view extension_of(std::string_view path) {
  const std::string_view name = base_name(path);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}
bool one_of(std::string_view text, std::string_view list) {
  for (const std::string_view word : words(list)) {
    if (word == text) return true;
  }
  return false;
}

// By these extensions servers read includes; in other pages only where they are told to.
constexpr std::string_view kReadForIncludes = "shtml shtm stm";

struct Guard {
  std::string prefix;  // address below which a login is asked for
};

class Web {
 public:
  Web(Tree& tree, Facts& out) : tree_(tree), out_(out) {
    for (const Artifact& artifact : tree.artifacts()) ways_.emplace(artifact.way, &artifact);
  }

  void run() {
    std::set<std::string> seen;
    const std::vector<Service> services = out_.services;
    for (const Service& service : services) {
      if (service.name != "http" && service.name != "https") continue;
      if (seen.insert(service.resolves_to + "\n" + service.arguments).second) read(service);
    }
    for (const auto& [page, usual] : pages_) read_includes(*page, usual);
  }

 private:
  void read(const Service& service) {
    const auto program = ways_.find(service.resolves_to);
    if (program == ways_.end()) return;
    volume_ = -1;
    for (size_t i = 0; i < tree_.volumes().size(); ++i) {
      const std::string_view at = service.started_by.empty() ? service.resolves_to : service.started_by;
      if (at.starts_with(tree_.volumes()[i].prefix)) volume_ = static_cast<int>(i);
    }
    arguments_.clear();
    for (const std::string_view word : words(service.arguments)) arguments_.emplace_back(word);
    manual_ = manual_of(service.program);
    configuration_ =
        manual_ ? configuration_of(tree_, volume_, arguments_, manual_->configuration_option, manual_->configurations)
                : nullptr;
    text_ = configuration_ ? tree_.content(*configuration_).text() : std::string_view();
    WebServer server{
        .program = service.program, .resolves_to = service.resolves_to, .user = service.user, .at = service.at};
    read_uci();
    const Artifact* root = root_of(*program->second);
    if (root) server.root = root->way;
    set_user(server, *program->second);
    set_listing(server);
    guards_.clear();
    read_guards();
    if (root) read_files(server, *root);
    if (const std::string alias = script_folder(); !alias.empty()) {
      const Artifact* folder = tree_.find(volume_, escape(alias));
      if (folder && std::find(server.cgi.begin(), server.cgi.end(), folder->way) == server.cgi.end())
        server.cgi.push_back(folder->way);
    }
    for (const WebServer& old : out_.web_servers) {
      if (old.resolves_to == server.resolves_to && old.root == server.root) return;
    }
    out_.web_servers.push_back(std::move(server));
  }

  void read_uci() {
    home_.clear();
    cgi_prefix_ = "/cgi-bin";
    lists_ = Known::kUnknown;
    if (!manual_ || !one_of("uhttpd", manual_->names)) return;
    if (has_option(arguments_, "-D")) lists_ = Known::kNo;
    const Artifact* file = tree_.find(volume_, "/etc/config/uhttpd");
    if (!file || file->node.kind != Kind::kFile) return;
    for (const UciSection& section : uci_sections(tree_.content(*file).text())) {
      if (section.type != "uhttpd") continue;
      if (home_.empty()) home_ = section.value("home");
      if (const std::string prefix = section.value("cgi_prefix"); !prefix.empty()) cgi_prefix_ = prefix;
      if (section.value("no_dirlists") == "1") lists_ = Known::kNo;
    }
  }

  const Artifact* folder_at(std::string_view path) const {
    const Artifact* found = path.starts_with('/') ? tree_.find(volume_, escape(path)) : nullptr;
    return found && found->node.kind == Kind::kDirectory && path != "/" ? found : nullptr;
  }

  const Artifact* root_of(const Artifact& program) const {
    std::vector<std::string> stated;
    if (manual_ && !manual_->root_option.empty()) stated = option_values(arguments_, manual_->root_option);
    if (!home_.empty()) stated.push_back(home_);
    if (manual_ && !manual_->root_key.empty()) {
      if (Directive root = directive(text_, manual_->root_key); root.found) stated.push_back(std::move(root.value));
    }
    for (const std::string& path : stated) {
      if (const Artifact* folder = folder_at(path)) return folder;
    }
    if (!stated.empty()) return nullptr;  // the stated folder is not in the image: no other is assumed
    const std::string_view code = tree_.content(program).text();
    for (const std::string_view path : kRoots) {
      const Artifact* folder = folder_at(path);
      if (folder && names(code, path)) return folder;
    }
    return nullptr;
  }
  // The path as a whole text in a program, with or without what follows a '/'.
  static bool names(std::string_view code, std::string_view path) {
    for (size_t at = code.find(path); at != std::string_view::npos; at = code.find(path, at + 1)) {
      const char before = at > 0 ? code[at - 1] : '\0',
                 after = at + path.size() < code.size() ? code[at + path.size()] : '\0';
      if (before == '\0' && (after == '\0' || after == '/')) return true;
    }
    return false;
  }

  void set_user(WebServer& server, const Artifact& program) const {
    if (!server.user.empty()) {
      server.runs_as_root = server.user == "root" || server.user == "0" ? Known::kYes : Known::kNo;
      return;
    }
    const Elf* elf = tree_.elf(program);
    if (!elf || server.at.artifact.empty()) return;
    const bool can_change = std::find(elf->traits.begin(), elf->traits.end(), "sets-uid") != elf->traits.end();
    if (!can_change && !server.at.shows.empty()) server.runs_as_root = Known::kYes;  // started by init, and stays so
  }

  void set_listing(WebServer& server) const {
    server.directory_listing = lists_;
    const auto state = [&](std::string_view key, std::string_view yes) {
      const Directive found = directive(text_, key);
      if (!found.found) return;
      const bool on = yes.empty() || found.value.find(yes) != std::string::npos;
      server.directory_listing = on ? Known::kYes : Known::kNo;
      if (on) server.at = evidence_at(*configuration_, found.offset, found.line);
    };
    if (!configuration_ || !manual_) return;
    if (manual_->names == "lighttpd") {
      state("server.dir-listing", "enable");
      state("dir-listing.activate", "enable");
    } else if (manual_->names == "nginx") {
      state("autoindex", "on");
    } else if (manual_->names == "boa") {
      state("DirectoryMaker", "");
    } else if (one_of("apache2", manual_->names)) {
      state("Options", "Indexes");
    }
  }

  void read_guards() {
    for (const Line& line : lines(text_.substr(0, 1 << 16))) {
      const std::string_view plain = trim(line.text);
      const std::vector<std::string_view> field = words(plain);
      if (field.empty() || plain.starts_with('#')) continue;
      if (plain.starts_with('/') && std::count(plain.begin(), plain.end(), ':') >= 2)
        guards_.push_back({std::string(plain.substr(0, plain.find(':')))});
      else if (field[0] == "Auth" && field.size() > 2)
        guards_.push_back({std::string(field[1])});
      else
        read_lighttpd_guard(plain);
    }
  }
  void read_lighttpd_guard(std::string_view plain) {
    if (plain.starts_with("auth.require")) in_require_ = true;
    if (!in_require_) return;
    const size_t open = plain.find("\"/");
    const size_t close = open == std::string_view::npos ? open : plain.find('"', open + 1);
    if (close != std::string_view::npos) guards_.push_back({std::string(plain.substr(open + 1, close - open - 1))});
    if (plain.ends_with(')')) in_require_ = false;
  }

  // boa: ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/
  std::string script_folder() const {
    const Directive alias = directive(text_, "ScriptAlias");
    const std::vector<std::string_view> field = words(alias.value);
    return field.size() == 2 ? std::string(field[1]) : std::string();
  }

  Known guard_of(std::string_view path) const {
    for (const Guard& guard : guards_) {
      std::string_view prefix = guard.prefix;
      while (prefix.size() > 1 && prefix.ends_with('/')) prefix.remove_suffix(1);
      if (prefix == "/" || path == prefix || (path.starts_with(prefix) && path[prefix.size()] == '/'))
        return Known::kYes;
    }
    return Known::kUnknown;
  }

  bool is_program(const Artifact& artifact) const {
    const std::string_view content = tree_.content(artifact).text();
    return content.starts_with("#!") || content.starts_with(
                                            "\x7f"
                                            "ELF");
  }

  // "": no page of a server, but a picture, a style or a script of the browser.
  std::string kind_of(const Artifact& file, std::string_view path) const {
    const std::string_view extension = extension_of(path);
    const bool in_cgi = path.starts_with(cgi_prefix_ + "/") || path.find("/cgi-bin/") != std::string_view::npos;
    if (in_cgi || extension == "cgi") return "cgi";
    if (one_of(extension, "php lua pl py rb sh php3 lsp")) return "script";
    if (one_of(extension, "html htm asp shtml shtm xhtml stm jsp xgi")) return "page";
    return extension.empty() && is_program(file) ? "script" : "";
  }

  // Where a page's first <!--#exec is; Apache reads the name of a directive in either case.
  static size_t find_exec(std::string_view text) {
    constexpr std::string_view kStart = "<!--#", kName = "exec";
    const auto equal = [](char a, char b) { return (a | 0x20) == b; };
    for (size_t at = text.find(kStart); at != std::string_view::npos; at = text.find(kStart, at + 1)) {
      if (std::ranges::equal(text.substr(at + kStart.size(), kName.size()), kName, equal)) return at;
    }
    return std::string_view::npos;
  }

  // The first command of a page that a server side include runs: <!--#exec cmd="..." -->
  void read_includes(const Artifact& page, bool usual) {
    constexpr size_t kLongest = 200;
    const std::string_view text = tree_.content(page).text();
    const size_t at = find_exec(text);
    if (at == std::string_view::npos) return;
    std::string_view shown = text.substr(at, kLongest);
    shown = shown.substr(0, std::min(shown.find("-->"), shown.find('\n')));
    out_.settings.push_back({.kind = "web",
                             .name = usual ? "ssi.exec" : "ssi.exec.where_told",
                             .value = std::string(trim(shown)),
                             .at = evidence_at(page, at, shown)});
  }

  void read_files(WebServer& server, const Artifact& root) {
    const std::string prefix = root.way + "/";
    std::vector<const Artifact*> below;
    for (const Artifact& artifact : tree_.artifacts()) {
      if (artifact.way.starts_with(prefix)) below.push_back(&artifact);
    }
    for (const Artifact* file : below) {
      if (base_name(file->way) != ".htpasswd") continue;
      const std::string_view folder = std::string_view(file->way).substr(root.way.size());
      guards_.push_back({std::string(folder.substr(0, std::max<size_t>(folder.rfind('/'), 1)))});
    }
    for (const Artifact* entry : below) {
      const std::string path = entry->way.substr(root.way.size());
      if (entry->node.kind == Kind::kDirectory && path == cgi_prefix_) server.cgi.push_back(entry->way);
      const Artifact* file =
          entry->node.kind == Kind::kSymlink ? tree_.find(volume_, tree_.path_in_volume(*entry)) : entry;
      if (!file || file->node.kind != Kind::kFile) continue;
      const std::string kind = kind_of(*file, path);
      if (kind == "page") pages_[file] |= one_of(extension_of(path), kReadForIncludes);
      if (kind.empty() || out_.web_routes.size() >= kMaximumRoutes) continue;
      if (kind == "cgi" && !path.starts_with(cgi_prefix_ + "/") && is_program(*file)) server.cgi.push_back(entry->way);
      out_.web_routes.push_back(
          {.path = path, .kind = kind, .authenticated = guard_of(path), .at = evidence_of(*entry, path)});
    }
  }

  Tree& tree_;
  Facts& out_;
  std::map<std::string_view, const Artifact*> ways_;
  int volume_ = -1;
  std::vector<std::string> arguments_;
  const Manual* manual_ = nullptr;
  const Artifact* configuration_ = nullptr;
  std::string_view text_;
  std::string home_, cgi_prefix_;
  Known lists_ = Known::kUnknown;
  std::vector<Guard> guards_;
  std::map<const Artifact*, bool> pages_;  // in stored order; whether a name they are served by is read for includes
  bool in_require_ = false;
};

void run(Tree& tree, Facts& out) { Web(tree, out).run(); }

}  // namespace

extern const TreeAnalysis kWeb;
const TreeAnalysis kWeb = {.id = "web", .version = 3, .run = run};

}  // namespace assay::system::web
