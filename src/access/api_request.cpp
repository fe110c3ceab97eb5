// What a client asked of a container engine: one request of the Docker API as a value.
#include "access/api_request.hpp"

#include <algorithm>
#include <charconv>

#include "access/api_body.hpp"
#include "access/text.hpp"

namespace coff::access {

namespace {

/// A row matches when the method is equal and the path's segments are: "*" is any one segment,
/// "**" any number of them, but at least one.
struct Action {
  std::string_view method;  ///< "" = any.
  std::string_view path;
  std::string_view name;
};

// clang-format off
constexpr Action kActions[] = {
    {"POST", "containers/create", "create"},
    {"POST", "containers/prune", "container_prune"},
    {"POST", "containers/*/exec", "exec_create"},
    {"POST", "exec/*/start", "exec_start"},
    {"POST", "exec/*/resize", "exec_resize"},
    {"GET", "exec/*/json", "exec_inspect"},
    {"POST", "containers/*/attach", "attach"},
    {"GET", "containers/*/attach/ws", "attach"},
    {"POST", "containers/*/start", "start"},
    {"POST", "containers/*/stop", "stop"},
    {"POST", "containers/*/restart", "restart"},
    {"POST", "containers/*/kill", "kill"},
    {"POST", "containers/*/pause", "pause"},
    {"POST", "containers/*/unpause", "unpause"},
    {"POST", "containers/*/rename", "rename"},
    {"POST", "containers/*/update", "update"},
    {"POST", "containers/*/wait", "wait"},
    {"POST", "containers/*/resize", "resize"},
    {"POST", "containers/*/copy", "archive_get"},
    {"GET", "containers/*/archive", "archive_get"},
    {"HEAD", "containers/*/archive", "archive_stat"},
    {"PUT", "containers/*/archive", "archive_put"},
    {"GET", "containers/*/export", "export"},
    {"GET", "containers/*/logs", "logs"},
    {"DELETE", "containers/*", "remove"},
    {"POST", "containers/*/checkpoints", "checkpoint_create"},
    {"POST", "commit", "commit"},
    {"POST", "build", "build"},
    {"POST", "build/prune", "build_prune"},
    {"POST", "session", "build_session"},
    {"POST", "grpc", "build_session"},
    {"POST", "images/create", "pull"},
    {"POST", "images/load", "image_load"},
    {"GET", "images/get", "image_save"},
    {"GET", "images/**/get", "image_save"},
    {"POST", "images/prune", "image_prune"},
    {"POST", "images/**/push", "push"},
    {"POST", "images/**/tag", "image_tag"},
    {"DELETE", "images/**", "image_remove"},
    {"POST", "volumes/create", "volume_create"},
    {"POST", "volumes/prune", "volume_prune"},
    {"PUT", "volumes/*", "volume_update"},
    {"DELETE", "volumes/*", "volume_remove"},
    {"POST", "networks/create", "network_create"},
    {"POST", "networks/prune", "network_prune"},
    {"POST", "networks/*/connect", "network_connect"},
    {"POST", "networks/*/disconnect", "network_disconnect"},
    {"DELETE", "networks/*", "network_remove"},
    {"POST", "auth", "login"},
};
// clang-format on

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

/// The segments that the pattern's stars stand for, joined; whether it matches at all.
bool matches(std::string_view pattern, std::string_view path, std::string& stars) {
  const auto wanted = split(pattern, '/');
  const auto given = split(path, '/');
  const auto many = std::find(wanted.begin(), wanted.end(), std::string_view("**"));
  const size_t extra = given.size() - wanted.size();
  if (given.size() < wanted.size() || (many == wanted.end() && extra != 0)) return false;
  size_t at = 0;
  for (const std::string_view part : wanted) {
    const size_t count = part == "**" ? extra + 1 : 1;
    for (size_t each = 0; each < count; ++each, ++at) {
      if (!part.starts_with('*') && part != given[at]) return false;
      if (!part.starts_with('*')) continue;
      if (!stars.empty()) stars += '/';
      stars += given[at];
    }
  }
  return true;
}

/// Without scheme and host, version, and podman's own prefix: "containers/web/exec".
std::string plain_path(std::string_view target) {
  if (const size_t scheme = target.find("://"); scheme < 8) {
    const size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view{} : target.substr(slash);
  }
  std::string path = percent_decoded(target.substr(0, target.find_first_of("?#")));
  while (path.starts_with('/')) path.erase(0, 1);
  const auto is_version = [](std::string_view segment) {
    return segment.size() > 1 && segment[0] == 'v' &&
           segment.find_first_not_of("0123456789.", 1) == std::string_view::npos;
  };
  const size_t first = path.find('/');
  if (first != std::string::npos && is_version(std::string_view(path).substr(0, first))) {
    path.erase(0, first + 1);
  }
  if (path.starts_with("libpod/")) path.erase(0, 7);
  return path;
}

std::string query_value(std::string_view target, std::string_view wanted) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  std::string_view query = target.substr(mark + 1);
  query = query.substr(0, query.find('#'));
  for (const std::string_view pair : split(query, '&')) {
    const size_t equals = pair.find('=');
    if (percent_decoded(pair.substr(0, equals), true) != wanted) continue;
    return equals == std::string_view::npos ? "" : percent_decoded(pair.substr(equals + 1), true);
  }
  return {};
}

void take_query(ApiRequest& request) {
  const auto value = [&](std::string_view name) { return query_value(request.path, name); };
  if (request.action == "create" || request.action == "rename") request.name = value("name");
  if (request.action == "kill") request.signal = value("signal");
  if (request.action.starts_with("archive")) request.file_path = value("path");
  if (request.action == "build") request.image = value("t");
  if (request.action == "push" || request.action == "image_tag") request.image = request.target;
  if (request.action == "commit") {
    request.target = value("container");
    request.on_container = true;
    request.image = value("repo");
    if (const auto tag = value("tag"); !tag.empty()) request.image += ":" + tag;
  }
  if (request.action == "pull") {
    request.image = value("fromImage");
    if (request.image.empty()) request.action = "image_import";
    else if (const auto tag = value("tag"); !tag.empty()) request.image += ":" + tag;
  }
}

}  // namespace

ApiRequest request_of(const Message& head) {
  ApiRequest request{.user_agent = head.user_agent, .cut = head.cut, .guessed = head.guessed};
  request.registry_auth = head.registry_auth;
  const std::string_view line = head.start;
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  request.method = line.substr(0, first);
  if (first != std::string_view::npos && last > first) {
    request.path = line.substr(first + 1, last - first - 1);
  }
  const std::string path = plain_path(request.path);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  request.action = reads ? "read" : "other";
  for (const Action& action : kActions) {
    std::string stars;
    if (action.method != request.method || !matches(action.path, path, stars)) continue;
    request.action = action.name;
    request.target = std::move(stars);
    break;
  }
  const auto segments = split(path, '/');
  const bool named = segments.size() > 2 && segments[0] != "images";
  if (request.target.empty() && named) request.target = segments[1];
  if (!segments.empty()) {
    request.on_container = segments[0] == "containers" && !request.target.empty();
    request.on_exec = segments[0] == "exec" && !request.target.empty();
  }
  take_query(request);
  return request;
}

void take_body(ApiRequest& request, const Message& whole) {
  request.body_bytes = whole.body_bytes;
  request.cut |= whole.cut;
  const bool is_read = request.action == "create" || request.action == "exec_create" ||
                       request.action == "commit" || request.action == "volume_create" ||
                       request.action == "network_create" || request.action.starts_with("network_");
  if (!is_read || whole.body_bytes == 0) return;
  request.body_unread = whole.body.size() < whole.body_bytes || !read_body(whole.body, request);
}

void take_answer_head(ApiRequest& request, const Message& answer) {
  request.status = status_of(answer.start);
}

void take_answer_body(ApiRequest& request, const Message& answer) {
  if (makes_something(request) && request.status < 300) request.made_id = id_in(answer.body);
}

bool makes_something(const ApiRequest& request) {
  return request.action == "create" || request.action == "exec_create" ||
         request.action == "commit" || request.action == "network_create";
}

bool ends_messages(const ApiRequest& request, const Message& answer) {
  const std::uint32_t status = status_of(answer.start);
  if (status == 101) return true;
  const bool may_stream = request.action == "exec_start" || request.action == "attach" ||
                          request.action == "build_session";
  return may_stream && status == 200 && !answer.chunked && !answer.has_length;
}

std::uint32_t status_of(std::string_view status_line) {
  const size_t blank = status_line.find(' ');
  if (blank == std::string_view::npos) return 0;
  std::uint32_t status = 0;
  const char* from = status_line.data() + blank + 1;
  std::from_chars(from, status_line.data() + status_line.size(), status);
  return status < 1000 ? status : 0;
}

}  // namespace coff::access
