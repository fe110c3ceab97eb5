// Benchmark: cost of one event from record to event, to JSON, to sentence, and of field reads.
#include <fcntl.h>

#include <chrono>
#include <cstdio>
#include <string_view>

#include "schema/event_json.hpp"
#include "schema/field.hpp"
#include "schema/sentence.hpp"
#include "schema/testing/sample_events.hpp"

namespace {

using namespace coff;
using schema::testing::RecordBuilder;

constexpr int kRounds = 200'000;

// Prints the median of several runs as one JSON line.
template <typename Work>
void measure(std::string_view name, size_t bytes, Work&& work) {
  constexpr int kRuns = 5;
  double best[kRuns];
  for (double& each : best) {
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < kRounds; ++round) work();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    each = took.count() / kRounds;
  }
  std::sort(std::begin(best), std::end(best));
  std::printf(R"({"bench":"schema","case":"%.*s","ns_per_event":%.1f,"bytes":%zu})"
              "\n",
              static_cast<int>(name.size()), name.data(), best[kRuns / 2], bytes);
}

size_t g_sink = 0;

void measure_record(std::string_view name, RecordBuilder& builder,
                    const schema::Redactor* redactor) {
  const auto bytes = builder.build();
  const ProcessPtr process = schema::testing::sample_process();
  const auto make = [&] {
    return schema::make_event(*schema::Record::parse(bytes), schema::testing::kSampleOffset,
                              {.process = process, .container = process->container});
  };
  const std::string prefix(name);
  measure(prefix + " decode", bytes.size(), [&] { g_sink += make().tid; });
  Event event = make();
  if (builder.header().kind == COFF_KIND_exec) {
    Process started = schema::make_process(*schema::Record::parse(bytes));
    started.parent = process;
    event.process = std::make_shared<const Process>(std::move(started));
  }
  schema::JsonOptions options{.redactor = redactor};
  options.commit = [](std::string_view) { return std::string("[secret]"); };
  std::string out;
  schema::append_json(out, event, options);
  measure(prefix + (redactor == nullptr ? " json" : " json redacted"), out.size(), [&] {
    out.clear();
    schema::append_json(out, event, options);
    g_sink += out.size();
  });
  measure(prefix + " sentence", 0, [&] {
    out.clear();
    schema::append_sentence(out, event, {});
    g_sink += out.size();
  });
  const schema::Field* field = schema::find_field("fd.name");
  measure(prefix + " field fd.name", 0,
          [&] { g_sink += field->get({.event = event}, {}).index(); });
}

}  // namespace

int main() {
  RecordBuilder open(COFF_KIND_open);
  open.file().open_flags = O_RDONLY | O_CLOEXEC;
  open.file().ino = 12345;
  open.text(&coff_file::raw, "/usr/lib/x86_64-linux-gnu/libcrypto.so.3");
  open.text(&coff_file::resolved, "/usr/lib/x86_64-linux-gnu/libcrypto.so.3");
  measure_record("open", open, nullptr);

  RecordBuilder exec(COFF_KIND_exec);
  exec.text(&coff_exec::exe, "/usr/bin/python3.11").text(&coff_exec::filename, "/usr/bin/python3");
  exec.text(&coff_exec::cwd, "/srv/app");
  exec.text(&coff_exec::argv, std::string_view("python3\0-m\0http.server\0--port\0"
                                               "8080\0",
                                               35));
  exec.text(&coff_exec::env,
            std::string_view("PATH=/usr/local/bin:/usr/bin:/bin\0LANG=C.UTF-8\0HOME=/root\0"
                             "DB_PASSWORD=hunter2\0",
                             79));
  exec.exec().ino = 99;
  measure_record("exec", exec, nullptr);
  const schema::Redactor redactor;
  measure_record("exec", exec, &redactor);

  RecordBuilder connect(COFF_KIND_connect);
  connect.sock().family = 2;
  connect.sock().type = 1;
  connect.sock().remote_port = 5432;
  connect.sock().remote[0] = 10;
  measure_record("connect", connect, nullptr);
  return g_sink == 0 ? 1 : 0;
}
