// Complete events for tests, benchmarks and documentation: one web container under attack.
#pragma once

#include <memory>

#include "schema/make_event.hpp"
#include "schema/testing/record_builder.hpp"

namespace coff::schema::testing {

inline ContainerPtr sample_container() {
  Container container;
  container.id = "4f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef012345678";
  container.engine = "docker";
  container.metadata = Metadata::kComplete;
  container.name = "web";
  container.image = "shop/web:1.2";
  container.image_id = "sha256:aa11";
  container.labels = {{"com.docker.compose.project", "shop"}, {"tier", "front"}};
  container.compose_project = "shop";
  container.compose_service = "web";
  container.mounts = {{"bind", "/srv/www", "/www", "ro", "rprivate", false}};
  container.networks = {{"shop_net", "172.18.0.2", "", "02:42:ac:12:00:02"}};
  container.ports = {{"0.0.0.0", "tcp", 8080, 80}};
  container.started_wall_ns = 1'764'000'000'000'000'000;
  return std::make_shared<const Container>(std::move(container));
}

/// nginx, process 412 of the container, child of a shim.
inline ProcessPtr sample_process() {
  Program program;
  program.exe = "/usr/sbin/nginx";
  program.argv = {"nginx", "-g", "daemon off;"};
  Process shim;
  shim.id = 0x11;
  shim.pid = 300;
  shim.name = "containerd-shim";
  Process process;
  process.id = 0xABCD;
  process.pid = 412;
  process.vpid = 7;
  process.ppid = 300;
  process.start_boot_ns = 3'000'000'000;
  process.name = "nginx";
  process.program = std::make_shared<const Program>(std::move(program));
  process.cwd = "/";
  process.container = sample_container();
  process.parent = std::make_shared<const Process>(std::move(shim));
  process.depth = 1;
  return std::make_shared<const Process>(std::move(process));
}

constexpr std::int64_t kSampleOffset = 1'764'000'100'000'000'000;  // 2025-11-24T16:01:40Z

/// The event of a builder's record, in the sample process and container.
inline Event sample_event(RecordBuilder& builder, ProcessPtr other = nullptr) {
  ProcessPtr process = sample_process();
  ContainerPtr container = process->container;
  return make_event(*Record::parse(builder.build()), kSampleOffset,
                    {std::move(process), std::move(other), std::move(container), nullptr});
}

/// nginx executed sh -c id: the process is the shell already.
inline Event sample_exec() {
  RecordBuilder builder(COFF_KIND_exec);
  builder.comm("sh");
  builder.text(&coff_exec::exe, "/bin/dash").text(&coff_exec::filename, "/bin/sh");
  builder.text(&coff_exec::cwd, "/tmp").text(&coff_exec::argv, std::string_view("sh\0-c\0id\0", 9));
  builder.text(&coff_exec::env, std::string_view("PATH=/bin\0DB_PASSWORD=hunter2\0", 30));
  builder.header().uid = builder.header().euid = 0;
  builder.header().gid = builder.header().egid = 0;
  builder.header().loginuid = 1000;
  builder.exec().exe_flags = COFF_EXE_OVERLAY;
  builder.exec().ino = 99;
  Event event = sample_event(builder);
  Process shell = make_process(*Record::parse(builder.build()));
  shell.id = 0xBEEF;
  shell.parent = event.process;
  shell.container = event.container;
  event.process = std::make_shared<const Process>(std::move(shell));
  return event;
}

}  // namespace coff::schema::testing
