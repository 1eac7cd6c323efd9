#include "certify/http.h"

#include "certify/files.h"

#include <httplib.h>

#include <memory>
#include <mutex>

namespace assay::certify {
namespace {

constexpr size_t kLongestFile = kTileWidth * 65537;
constexpr int kSeconds = 20;  // for a request to arrive or an answer to come

bool is_digits(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "x001/x234/067", with ".p/N" behind it for a partial tile.
bool is_tile_number(std::string_view path) {
  while (path.size() > 5 && path[0] == 'x' && is_digits(path.substr(1, 3), 3, 3) && path[4] == '/')
    path.remove_prefix(5);
  if (!is_digits(path.substr(0, 3), 3, 3)) return false;
  path.remove_prefix(3);
  return path.empty() || (path.starts_with(".p/") && is_digits(path.substr(3), 1, 3));
}

bool is_digest_file(std::string_view name) {
  return name.size() == 69 && name.ends_with(".json") &&
         name.substr(0, 64).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct UrlPlace {
  std::string server, path;  // "http://host:port", "/path" without a last slash
};
Result<UrlPlace> place_of(const std::string& url) {
  const size_t host = url.find("://") + 3, slash = url.find('/', host);
  UrlPlace out{url.substr(0, slash), slash == std::string::npos ? "" : url.substr(slash)};
  while (out.path.ends_with('/')) out.path.pop_back();
  if (slash == host || host >= url.size()) return fail(Fault::kMalformed, url + ": no host");
  return out;
}

Result<std::string> get(httplib::Client& client, const std::string& path, const std::string& url) {
  std::string body;
  const auto answer = client.Get(path, [&](const char* data, size_t size) {
    body.append(data, size);
    return body.size() <= kLongestFile;
  });
  if (!answer && body.size() > kLongestFile) return fail(Fault::kIo, url + ": longer than a tile can be");
  if (!answer && answer.error() == httplib::Error::Connection)
    return fail(Fault::kIo, url + ": cannot connect; is the log served there?");
  if (!answer) return fail(Fault::kIo, url + ": no answer: " + httplib::to_string(answer.error()));
  if (answer->status != 200) return fail(Fault::kIo, url + ": HTTP status " + std::to_string(answer->status));
  return body;
}

void answer(const std::string& folder, const httplib::Request& request, httplib::Response& response) {
  const std::string path = request.path.empty() ? "" : request.path.substr(1);
  const auto bytes = is_served(path) ? read_file(folder + "/" + path, kLongestFile)
                                     : Result<std::string>(fail(Fault::kIo, "not served"));
  if (!bytes) {
    response.status = 404;
    response.set_content("not here\n", "text/plain");
    return;
  }
  const bool changes = path == "checkpoint";
  response.set_header("Cache-Control", changes ? "no-cache" : "public, max-age=31536000, immutable");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_content(*bytes, changes ? "text/plain; charset=utf-8" : "application/octet-stream");
}

}  // namespace

bool is_url(const std::string& where) { return where.starts_with("http://") || where.starts_with("https://"); }

bool is_served(std::string_view path) {
  if (path == "checkpoint") return true;
  if (path.starts_with("status/")) return is_digest_file(path.substr(7));
  if (!path.starts_with("tile/")) return false;
  path.remove_prefix(5);
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view level = path.substr(0, slash);
  return (level == "entries" || is_digits(level, 1, 2)) && is_tile_number(path.substr(slash + 1));
}

Result<TileReader> files_at(const std::string& url) {
  const UrlPlace place = TRY(place_of(url));
  struct Connection {
    explicit Connection(const std::string& server) : client(server) {}
    httplib::Client client;
  };
  const auto connection = std::make_shared<Connection>(place.server);  // the function below is copied
  httplib::Client& client = connection->client;
  if (!client.is_valid()) return fail(Fault::kMalformed, url + ": not a URL of a log");
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_follow_location(false);
  client.set_connection_timeout(kSeconds);
  client.set_read_timeout(kSeconds);
  return [connection, place](const std::string& path) {
    return get(connection->client, place.path + "/" + path, place.server + place.path + "/" + path);
  };
}

Result<void> serve(const std::string& folder, const std::string& host, int port,
                   const std::function<void(int)>& ready) {
  httplib::Server server;
  server.set_tcp_nodelay(true);
  server.set_read_timeout(kSeconds);
  server.set_write_timeout(kSeconds);
  server.set_payload_max_length(1024);
  server.Get(".*",
             [&](const httplib::Request& request, httplib::Response& response) { answer(folder, request, response); });
  if (port == 0)
    port = server.bind_to_any_port(host);
  else if (!server.bind_to_port(host, port))
    port = -1;
  if (port < 0)
    return fail(Fault::kIo, "cannot listen on " + host + ": is the port free and the address this machine's?");
  ready(port);
  if (!server.listen_after_bind()) return fail(Fault::kIo, "cannot serve on " + host + ":" + std::to_string(port));
  return {};
}

}  // namespace assay::certify
