// One question or change to a container engine, with its answer waited for.
#include "response/engine_client.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "runtime/connector.hpp"
#include "runtime/docker_json.hpp"
#include "runtime/http_client.hpp"

namespace coff::response {
namespace {

namespace json = boost::json;

/// An engine that is busy must not hold an action up for long.
constexpr int kAnswerTimeMs = 4000;
constexpr std::size_t kInfoBytesMax = 1U << 20U;

/// Runs one request to its end.
Result<runtime::HttpAnswer> wait_for(
    const std::string& socket,
    const std::function<Result<void>(runtime::HttpClient&, runtime::HttpClient::Done)>& start) {
  runtime::HttpClient client(runtime::connect_to(socket), kAnswerTimeMs);
  std::optional<Result<runtime::HttpAnswer>> answer;
  TRY(start(client, [&](Result<runtime::HttpAnswer> got) { answer = std::move(got); }));
  const std::int64_t deadline_ns = boot_now_ns() + std::int64_t{2} * kAnswerTimeMs * 1'000'000;
  while (!answer && boot_now_ns() < deadline_ns) client.run(kAnswerTimeMs, -1);
  if (!answer) return fail(Code::kTimeout, "the engine did not answer in time");
  return std::move(*answer);
}

Result<std::string> get(const std::string& socket, const std::string& target, std::size_t max) {
  const runtime::HttpAnswer answer =
      TRY(wait_for(socket, [&](runtime::HttpClient& client, runtime::HttpClient::Done done) {
        return client.get(target, max, std::move(done));
      }));
  if (answer.status == 404) return fail(Code::kNotFound, "the engine knows no such container");
  if (answer.status != 200) {
    return fail(Code::kIo, "the engine answered with status " + std::to_string(answer.status));
  }
  return answer.body;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) out += c;
    else out.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return out;
}

}  // namespace

bool is_container_word(std::string_view word) { return runtime::is_engine_id(word); }

Result<Container> inspect(const std::string& socket, const std::string& container) {
  const std::string body =
      TRY(get(socket, "/containers/" + container + "/json", runtime::kInspectBytesMax));
  return runtime::parse_inspect(body);
}

Result<std::vector<std::string>> running_with_labels(const std::string& socket,
                                                     const std::vector<std::string>& labels) {
  std::string filter;
  JsonWriter writer(filter);
  writer.begin_object().key("label").begin_array();
  for (const std::string& label : labels) writer.string(label);
  writer.end_array().key("status").begin_array().string("running").end_array().end_object();
  const std::string body = TRY(
      get(socket, "/containers/json?filters=" + percent_encoded(filter), runtime::kListBytesMax));
  return TRY(runtime::parse_list(body)).ids;
}

Result<void> set_restart_policy(const std::string& socket, const std::string& id,
                                const std::string& policy) {
  const std::size_t colon = policy.find(':');
  std::int64_t retries = 0;
  if (colon != std::string::npos) {
    const char* end = policy.data() + policy.size();
    const auto [stop, problem] = std::from_chars(policy.data() + colon + 1, end, retries);
    if (problem != std::errc() || stop != end) {
      return fail(Code::kInvalid, "a malformed restart policy");
    }
  }
  std::string body;
  JsonWriter(body)
      .begin_object()
      .key("RestartPolicy")
      .begin_object()
      .member("Name", policy.empty() ? "no" : std::string_view(policy).substr(0, colon))
      .member("MaximumRetryCount", retries)
      .end_object()
      .end_object();
  const runtime::HttpAnswer answer =
      TRY(wait_for(socket, [&](runtime::HttpClient& client, runtime::HttpClient::Done done) {
        return client.post("/containers/" + id + "/update", body, kInfoBytesMax, std::move(done));
      }));
  if (answer.status == 200) return {};
  return fail(Code::kIo, "the engine refused to change the restart policy, with status " +
                             std::to_string(answer.status));
}

Result<bool> has_live_restore(const std::string& socket) {
  const std::string body = TRY(get(socket, "/info", kInfoBytesMax));
  return guard(Code::kInvalid, "a malformed answer of the engine", [&] {
    json::error_code problem;
    const json::value value = json::parse(body, problem);
    const json::object* object = problem ? nullptr : value.if_object();
    const json::value* member = object ? object->if_contains("LiveRestoreEnabled") : nullptr;
    return member != nullptr && member->is_bool() && member->get_bool();
  });
}

}  // namespace coff::response
