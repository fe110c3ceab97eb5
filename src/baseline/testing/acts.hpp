// Makes events of a container, one deed each, for tests and benchmarks of learned behaviour.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "schema/testing/sample_events.hpp"

namespace coff::baseline::testing {

/// A successful deed of root's /usr/bin/app, of the image, in the sample container "shop/web".
class Act {
 public:
  static Act exec(std::string_view exe) { return Act(COFF_KIND_exec).by(exe); }
  static Act call(coff_kind kind) { return Act(kind); }
  static Act open(std::string_view path, std::uint32_t flags) {
    Act act(COFF_KIND_open);
    act.builder_.file().open_flags = flags;
    act.builder_.text(&coff_file::raw, path).text(&coff_file::resolved, path);
    return act;
  }
  static Act file(coff_kind kind, std::string_view path) {
    Act act(kind);
    act.builder_.text(&coff_file::raw, path);
    return act;
  }
  static Act socket(coff_kind kind, std::uint16_t type, std::uint16_t port) {
    Act act(kind);
    act.builder_.sock().family = 2;  // AF_INET
    act.builder_.sock().type = type;
    act.builder_.sock().local_port = port;
    return act;
  }

  Act& by(std::string_view exe, std::uint32_t flags = COFF_EXE_OVERLAY) {
    program_.exe = program_.filename = exe;
    program_.exe_flags = flags;
    return *this;
  }
  /// The program that started it, of the same container.
  Act& from(std::string_view exe, std::uint32_t flags = COFF_EXE_OVERLAY) {
    Program program;
    program.exe = exe;
    program.exe_flags = flags;
    parent_ = std::make_shared<const Program>(std::move(program));
    return *this;
  }
  Act& script(std::string_view filename, std::string_view cwd) {
    program_.filename = filename;
    program_.interp = program_.exe;
    cwd_ = cwd;
    return *this;
  }
  Act& upper() {
    program_.exe_flags |= COFF_EXE_UPPER;
    return *this;
  }
  Act& user(std::uint32_t uid) {
    builder_.header().uid = builder_.header().euid = uid;
    return *this;
  }
  Act& capable(std::uint64_t set) {
    capabilities_ = set;
    return *this;
  }
  Act& mode(std::uint32_t mode) {
    builder_.file().mode = mode;
    return *this;
  }
  Act& namespaces(std::uint32_t flags) {
    builder_.call().ns_type = flags;
    return *this;
  }
  Act& failed(int error) {
    builder_.header().ret = -error;
    return *this;
  }
  /// In this container instead of the sample.
  Act& in(ContainerPtr container) {
    container_ = std::move(container);
    return *this;
  }

  [[nodiscard]] Event event() const {
    schema::testing::RecordBuilder builder = builder_;
    Event event = schema::testing::sample_event(builder);
    event.container = container_;
    Process process = *event.process;
    process.program = std::make_shared<const Program>(program_);
    process.capabilities.effective = capabilities_;
    process.container = container_;
    process.cwd = cwd_;
    Process parent = *process.parent;
    parent.program = parent_;
    parent.container = parent_ == nullptr ? nullptr : container_;
    process.parent = std::make_shared<const Process>(std::move(parent));
    event.process = std::make_shared<const Process>(std::move(process));
    return event;
  }

 private:
  explicit Act(coff_kind kind) : builder_(kind), container_(schema::testing::sample_container()) {
    by("/usr/bin/app");
    user(0);
  }

  schema::testing::RecordBuilder builder_;
  ContainerPtr container_;
  Program program_;
  ProgramPtr parent_;
  std::string cwd_ = "/";
  std::uint64_t capabilities_ = 0;
};

/// The sample container as another one.
inline ContainerPtr container(std::string_view id, std::string_view service,
                              std::string_view image_id = "sha256:aa11") {
  Container made = *schema::testing::sample_container();
  made.id = id;
  made.name = std::string(service) + "-1";
  made.compose_service = service;
  made.image_id = image_id;
  return std::make_shared<const Container>(std::move(made));
}

}  // namespace coff::baseline::testing
