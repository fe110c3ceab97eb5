// What the container's engine knows of it, and what the container wrote to its output.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <optional>

#include "base/clock.hpp"
#include "evidence/collect/step.hpp"
#include "runtime/connector.hpp"
#include "runtime/docker_json.hpp"
#include "runtime/http_client.hpp"

namespace coff::evidence {
namespace {

namespace json = boost::json;

constexpr int kEngineTimeMs = 10'000;
constexpr std::size_t kChunkBytes = std::size_t{1} << 20U;

Result<std::string> ask(const std::string& socket, const std::string& target) {
  runtime::HttpClient client(runtime::connect_to(socket), kEngineTimeMs);
  std::optional<Result<runtime::HttpAnswer>> answer;
  TRY(client.get(target, runtime::kInspectBytesMax,
                 [&](Result<runtime::HttpAnswer> given) { answer = std::move(given); }));
  const std::int64_t deadline_ns = boot_now_ns() + std::int64_t{kEngineTimeMs} * 1'100'000;
  while (!answer && boot_now_ns() < deadline_ns) client.run(200, -1);
  if (!answer) return fail(Code::kTimeout, "the engine did not answer");
  const runtime::HttpAnswer given = TRY(std::move(*answer));
  if (given.status != 200) {
    return fail(Code::kNotFound, "the engine answered with status " + std::to_string(given.status));
  }
  return given.body;
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
  const json::value* at = &value;
  for (const std::string_view name : path) {
    const json::object* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(name);
    if (at == nullptr) return {};
  }
  return at->is_string() ? std::string(std::string_view(at->get_string())) : std::string();
}

/// The end of a log file of the engine's own, named by the engine.
Result<void> copy_log(Collection& collection, const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status{};
  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    collection.bundle.gap(path, file ? "it is no regular file" : file.error().message());
    return {};
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::uint64_t at = 0;
  if (size > collection.options.log_bytes_max) {
    at = size - collection.options.log_bytes_max;
    collection.bundle.gap(path, "its first " + std::to_string(at) + " bytes are left out");
  }
  ItemWriter writer = TRY(collection.bundle.start("runtime/logs.jsonl"));
  std::string chunk(kChunkBytes, '\0');
  while (at < size) {
    const ssize_t got =
        ::pread(file->get(), chunk.data(), std::min<std::uint64_t>(chunk.size(), size - at),
                static_cast<off_t>(at));
    if (got <= 0) break;
    TRY(writer.write(std::string_view(chunk).substr(0, static_cast<std::size_t>(got))));
    at += static_cast<std::uint64_t>(got);
  }
  TRY(writer.finish(path));
  return {};
}

}  // namespace

Result<std::string> ask_container_id(const std::string& engine_socket, const std::string& name) {
  if (!runtime::is_engine_id(name)) return fail(Code::kInvalid, "that is no name of a container");
  const std::string answer = TRY(ask(engine_socket, "/containers/" + name + "/json"));
  json::error_code problem;
  const json::value value = json::parse(answer, problem);
  std::string id = problem ? std::string() : text_at(value, {"Id"});
  if (!runtime::is_engine_id(id)) return fail(Code::kInvalid, "the engine's answer is malformed");
  return id;
}

Result<void> collect_engine(Collection& collection) {
  const std::string& socket = collection.options.engine_socket;
  const std::string& id = collection.target.container;
  if (socket.empty() || !runtime::is_engine_id(id)) {
    collection.bundle.gap("engine", "no engine was asked about it");
    return {};
  }
  const auto inspected = ask(socket, "/containers/" + id + "/json?size=0");
  if (!inspected) {
    collection.bundle.gap("engine at " + socket, inspected.error().message());
    return {};
  }
  TRY(collection.bundle.put("runtime/inspect.json", *inspected, "engine at " + socket));
  json::error_code problem;
  const json::value value = json::parse(*inspected, problem);
  if (problem) {
    collection.bundle.gap("runtime/inspect.json", "the engine's answer is no JSON");
    return {};
  }
  std::string name = text_at(value, {"Name"});
  if (name.starts_with('/')) name.erase(0, 1);
  collection.collected.container_name = name;
  collection.collected.image = text_at(value, {"Config", "Image"});
  const std::string image = text_at(value, {"Image"});
  const std::string image_id = image.starts_with("sha256:") ? image.substr(7) : image;
  if (runtime::is_engine_id(image_id)) {
    const auto told = ask(socket, "/images/" + image_id + "/json");
    if (told) TRY(collection.bundle.put("runtime/image.json", *told, "engine at " + socket));
    else collection.bundle.gap("image " + image, told.error().message());
  }
  const std::string log = text_at(value, {"LogPath"});
  if (log.empty()) {
    collection.bundle.gap("log", "the engine keeps no file of it: log driver " +
                                     text_at(value, {"HostConfig", "LogConfig", "Type"}));
    return {};
  }
  return copy_log(collection, log);
}

Result<void> collect_supplied(Collection& collection) {
  for (const Supplied& one : collection.options.supplied) {
    ItemWriter writer = TRY(collection.bundle.start(one.path));
    const auto written = one.write([&](std::string_view bytes) { return writer.write(bytes); });
    if (!written) {
      TRY(collection.gap_unless_full(one.source, written.error()));
      continue;
    }
    TRY(writer.finish(one.source));
  }
  return {};
}

}  // namespace coff::evidence
