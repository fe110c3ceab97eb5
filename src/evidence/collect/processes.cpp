// Each process as the kernel tells it: program, arguments, environment, rights, open files.
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

/// Copied as they are; what a kernel doesn't have is a gap.
constexpr std::string_view kTexts[] = {
    "status",  "stat",     "cmdline",   "environ", "smaps",        "limits",
    "cgroup",  "loginuid", "sessionid", "uid_map", "gid_map",      "wchan",
    "syscall", "stack",    "io",        "auxv",    "oom_score_adj"};
constexpr std::string_view kLinks[] = {"exe",    "cwd",       "root",    "ns/mnt",
                                       "ns/net", "ns/pid",    "ns/user", "ns/ipc",
                                       "ns/uts", "ns/cgroup", "ns/time"};
constexpr std::size_t kFilesOfProcessMax = 100'000;
constexpr std::size_t kSmallBytesMax = 65536;

std::string link_or_empty(Reader& reader, const std::string& path) {
  return reader.read_link(path).value_or("");
}

void write_files(Collection& collection, const Pinned& process, JsonWriter& json) {
  json.key("files").begin_array();
  const auto names = collection.reader.list(process.proc("fd"));
  std::size_t count = 0;
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (++count > kFilesOfProcessMax) {
      collection.bundle.gap(process.proc("fd"), "more open files than the limit");
      break;
    }
    json.begin_object()
        .member("fd", name)
        .member("to", link_or_empty(collection.reader, process.proc("fd/" + name)))
        .member("info", collection.reader.read_file(process.proc("fdinfo/" + name), kSmallBytesMax)
                            .value_or(""))
        .end_object();
  }
  json.end_array();
  if (!names) collection.bundle.gap(process.proc("fd"), names.error().message());
}

void write_threads(Collection& collection, const Pinned& process, JsonWriter& json) {
  json.key("threads").begin_array();
  for (const pid_t tid : threads_of(process.pid())) {
    const std::string folder = process.proc("task/" + std::to_string(tid) + "/");
    const std::string status =
        collection.reader.read_file(folder + "status", kSmallBytesMax).value_or("");
    json.begin_object()
        .member("tid", static_cast<std::int64_t>(tid))
        .member("inside", status_field(status, "NSpid"))
        .member("name", status_field(status, "Name"))
        .member("state", status_field(status, "State"))
        .member("cap_eff", status_field(status, "CapEff"))
        .member("wchan", collection.reader.read_file(folder + "wchan", kSmallBytesMax).value_or(""))
        .end_object();
  }
  json.end_array();
}

Result<void> collect_one(Collection& collection, const Pinned& process, std::string& table) {
  const std::string folder = "process/" + std::to_string(process.pid()) + "/";
  const std::string status =
      collection.reader.read_file(process.proc("status"), kSmallBytesMax).value_or("");
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("pid", static_cast<std::int64_t>(process.pid()))
      .member("inside", status_field(status, "NSpid"))
      .member("start_ticks", process.start_ticks())
      .member("ppid", status_field(status, "PPid"))
      .member("name", status_field(status, "Name"))
      .member("uid", status_field(status, "Uid"))
      .member("seccomp", status_field(status, "Seccomp"))
      .member("cap_eff", status_field(status, "CapEff"));
  for (const std::string_view link : kLinks) {
    json.member(link, link_or_empty(collection.reader, process.proc(link)));
  }
  table += text + "}\n";
  write_threads(collection, process, json);
  write_files(collection, process, json);
  json.end_object();
  TRY(collection.bundle.put(folder + "process.json", text + "\n", process.proc("")));
  for (const std::string_view name : kTexts) {
    TRY(collection.copy_text(process.proc(name), folder + std::string(name)));
  }
  if (!process.alive()) {
    collection.bundle.gap(process.proc(""), "the process ended while it was read");
  }
  return {};
}

}  // namespace

Result<void> collect_processes(Collection& collection) {
  std::string table;
  std::uint64_t done = 0;
  for (const Pinned& process : collection.processes) {
    if (!process.alive()) {
      collection.bundle.gap(process.proc(""), "the process ended before it was read");
      continue;
    }
    TRY(collect_one(collection, process, table));
    collection.progress(++done, collection.processes.size());
  }
  return collection.bundle.put("process/table.jsonl", table, "/proc");
}

}  // namespace coff::evidence
