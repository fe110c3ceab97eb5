// Private to the room: JSON bodies of the Docker API, read as its engine reads them.
#include "access/api_body.hpp"

#include <boost/json.hpp>

#include "access/text.hpp"
#include "base/result.hpp"

namespace coff::access {

namespace json = boost::json;

namespace {

constexpr size_t kDepthMax = 64;
/// Elements of one list and bytes of one text that are kept.
constexpr size_t kListMax = 256;
constexpr size_t kTextBytesMax = 4096;
constexpr size_t kIdBytesMax = 128;

const json::value* member(const json::object& object, std::string_view name) {
  const json::value* last = nullptr;
  const std::string wanted = lower_case(name);
  for (const auto& [key, value] : object) {
    if (key.size() == wanted.size() && lower_case(key) == wanted) last = &value;
  }
  return last;
}

std::string text_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return std::string(std::string_view(value->get_string()).substr(0, kTextBytesMax));
}

bool is_true(const json::value* value) {
  return value != nullptr && value->is_bool() && value->get_bool();
}

// A command may be one string, too.
std::vector<std::string> list_of(const json::value* value) {
  std::vector<std::string> list;
  if (value == nullptr) return list;
  if (value->is_string()) list.push_back(text_of(value));
  if (!value->is_array()) return list;
  for (const json::value& element : value->get_array()) {
    if (list.size() == kListMax) break;
    list.push_back(text_of(&element));
  }
  return list;
}

void read_host_config(const json::object& host, ApiRequest& request) {
  request.privileged |= is_true(member(host, "Privileged"));
  request.host_pid = text_of(member(host, "PidMode")) == "host";
  request.host_network = text_of(member(host, "NetworkMode")) == "host";
  request.mounts = list_of(member(host, "Binds"));
  const json::value* mounts = member(host, "Mounts");
  if (mounts == nullptr || !mounts->is_array()) return;
  for (const json::value& mount : mounts->get_array()) {
    if (!mount.is_object() || request.mounts.size() >= kListMax) continue;
    const std::string source = text_of(member(mount.get_object(), "Source"));
    request.mounts.push_back(source + ":" + text_of(member(mount.get_object(), "Target")));
  }
}

void read_object(const json::object& body, ApiRequest& request) {
  if (request.action == "exec_create" || request.action == "create") {
    request.command = list_of(member(body, "Entrypoint"));
    for (auto& word : list_of(member(body, "Cmd"))) request.command.push_back(std::move(word));
    request.environment = list_of(member(body, "Env"));
    request.user = text_of(member(body, "User"));
    request.privileged = is_true(member(body, "Privileged"));
  }
  if (request.action == "create") {
    request.image = text_of(member(body, "Image"));
    const json::value* host = member(body, "HostConfig");
    if (host != nullptr && host->is_object()) read_host_config(host->get_object(), request);
  }
  if (request.action == "volume_create" || request.action == "network_create") {
    request.name = text_of(member(body, "Name"));
  }
  if (request.action == "network_connect" || request.action == "network_disconnect") {
    request.name = text_of(member(body, "Container"));
  }
}

Result<json::value> parse(std::string_view text) {
  return guard(Code::kInvalid, "JSON", [&]() -> json::value {
    json::parse_options options;
    options.max_depth = kDepthMax;
    options.allow_invalid_utf8 = true;
    json::error_code problem;
    json::value value = json::parse(text, problem, {}, options);
    return problem ? json::value() : std::move(value);
  });
}

}  // namespace

bool read_body(std::string_view body, ApiRequest& request) {
  const auto value = parse(body);
  if (!value || !value->is_object()) return false;
  return guard(Code::kInvalid, "JSON",
               [&] {
                 read_object(value->get_object(), request);
                 return true;
               })
      .value_or(false);
}

std::string id_in(std::string_view body) {
  const auto value = parse(body);
  if (!value || !value->is_object()) return {};
  std::string id = text_of(member(value->get_object(), "Id"));
  const bool plain = id.size() <= kIdBytesMax &&
                     id.find_first_not_of("0123456789abcdefABCDEF:sh") == std::string::npos;
  return plain ? id : std::string();
}

}  // namespace coff::access
