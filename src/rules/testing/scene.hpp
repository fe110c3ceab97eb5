// Makes one event of a process in a container or on the host, for tests of whole rules.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <string>
#include <string_view>
#include <vector>

#include "schema/testing/sample_events.hpp"

namespace coff::rules::testing {

/// A successful event of "app" (user 1000, from the image's lower layer) in the sample container.
/// Every call changes one thing; event() may be called often.
class Scene {
 public:
  Scene(coff_kind kind, long call) : builder_(kind), process_(*schema::testing::sample_process()) {
    builder_.header().syscall = static_cast<std::int32_t>(call);
    container_ = *schema::testing::sample_container();
    process_.credentials = {1000, 1000, 1000, 1000, kNoLogin, kNoLogin};
    name("app");
  }

  Scene& name(std::string_view name) {
    process_.name = name;
    program_.exe = "/usr/bin/" + std::string(name);
    program_.filename = program_.exe;
    program_.argv = {std::string(name)};
    program_.exe_flags = COFF_EXE_OVERLAY;
    return *this;
  }
  Scene& args(std::string_view text) {
    program_.argv.resize(1);
    program_.argv.emplace_back(text);
    return *this;
  }
  Scene& exe(std::string_view path) {
    program_.exe = program_.filename = path;
    return *this;
  }
  Scene& flags(std::uint32_t exe_flags) {
    program_.exe_flags = exe_flags;
    return *this;
  }
  Scene& upper() { return flags(COFF_EXE_OVERLAY | COFF_EXE_UPPER); }
  Scene& environment(std::string_view text) {
    program_.env = {std::string(text)};
    return *this;
  }
  Scene& parent(std::string_view name, std::string_view exe = "") {
    Process made = *schema::testing::sample_process();
    coff::Program program;
    program.argv = {std::string(name)};
    program.exe = exe.empty() ? "/usr/bin/" + std::string(name) : std::string(exe);
    made.name = name;
    made.program = std::make_shared<const coff::Program>(std::move(program));
    process_.parent = std::make_shared<const Process>(std::move(made));
    return *this;
  }
  Scene& terminal() {
    process_.tty = 0x8801;
    return *this;
  }
  Scene& root() { return user(0, 0); }
  Scene& user(std::uint32_t effective, std::uint32_t real) {
    builder_.header().euid = process_.credentials.euid = effective;
    builder_.header().uid = process_.credentials.uid = real;
    return *this;
  }
  Scene& capable(std::uint64_t effective) {
    process_.capabilities.effective = effective;
    return *this;
  }
  Scene& host() {
    on_host_ = true;
    program_.exe_flags &= ~std::uint32_t{COFF_EXE_OVERLAY | COFF_EXE_UPPER};
    return *this;
  }
  Scene& failed(std::int64_t error) {
    builder_.header().ret = -error;
    return *this;
  }
  Scene& thread(std::string_view name) {
    builder_.comm(name);
    return *this;
  }

  Scene& path(std::string_view path) {
    builder_.text(&coff_file::raw, path).text(&coff_file::resolved, path);
    return *this;
  }
  Scene& raw(std::string_view path, std::string_view resolved) {
    builder_.text(&coff_file::raw, path).text(&coff_file::resolved, resolved);
    return *this;
  }
  Scene& second(std::string_view path) {
    builder_.text(&coff_file::raw2, path);
    return *this;
  }
  Scene& file_system(std::string_view type) {
    builder_.text(&coff_file::base2, type);
    return *this;
  }
  Scene& file_mode(std::uint32_t mode) {
    builder_.file().mode = mode;
    return *this;
  }
  Scene& on_overlay(bool upper) {
    builder_.file().file_flags = upper ? COFF_FILE_OVERLAY | COFF_FILE_UPPER : COFF_FILE_OVERLAY;
    return *this;
  }
  Scene& file_argument(unsigned place, std::uint64_t value) {
    builder_.file().args[place] = value;
    return *this;
  }
  Scene& argument(unsigned place, std::uint64_t value) {
    builder_.call().args[place] = value;
    return *this;
  }
  Scene& namespaces(std::uint32_t flags) {
    builder_.call().ns_type = flags;
    return *this;
  }
  Scene& open_flags(std::uint32_t flags) {
    builder_.file().open_flags = flags;
    builder_.file().fd = 5;
    return *this;
  }

  Scene& peer(const char* address, std::uint16_t port) {
    coff_sock& sock = builder_.sock();
    const bool v6 = std::string_view(address).find(':') != std::string_view::npos;
    sock.family = v6 ? AF_INET6 : AF_INET;
    sock.type = SOCK_STREAM;
    sock.protocol = IPPROTO_TCP;
    inet_pton(sock.family, address, sock.remote);
    sock.remote_port = port;
    sock.fd = 3;
    return *this;
  }
  Scene& family(std::uint16_t family) {
    builder_.sock().family = family;
    return *this;
  }
  Scene& socket_path(std::string_view path) {
    builder_.sock().family = AF_UNIX;
    builder_.text(&coff_sock::path, path);
    return *this;
  }
  Scene& stdio(std::int32_t number) {
    builder_.sock().fd2 = number;
    return *this;
  }

  Scene& build_step() {
    container_.engine = "buildkit";
    return *this;
  }

  [[nodiscard]] Event event() const {
    RecordBuilder builder = builder_;
    Event event = schema::testing::sample_event(builder);
    Process process = process_;
    process.program = std::make_shared<const coff::Program>(program_);
    event.container = on_host_ ? nullptr : std::make_shared<const Container>(container_);
    process.container = event.container;
    event.process = std::make_shared<const Process>(std::move(process));
    return event;
  }

 private:
  using RecordBuilder = schema::testing::RecordBuilder;

  RecordBuilder builder_;
  Process process_;
  coff::Program program_;
  Container container_;
  bool on_host_ = false;
};

inline Scene run(std::string_view name) { return Scene(COFF_KIND_exec, SYS_execve).name(name); }
inline Scene opened(std::string_view path, std::uint32_t flags) {
  return Scene(COFF_KIND_open, SYS_openat).path(path).open_flags(flags);
}
inline Scene read_by(std::string_view name, std::string_view path) {
  return opened(path, O_RDONLY).name(name);
}
inline Scene wrote(std::string_view path) { return opened(path, O_WRONLY | O_CREAT); }
inline Scene file_call(coff_kind kind, long call, std::string_view path) {
  return Scene(kind, call).path(path);
}
inline Scene call(coff_kind kind, long number) { return {kind, number}; }
inline Scene connected(const char* address, std::uint16_t port) {
  return Scene(COFF_KIND_connect, SYS_connect).peer(address, port);
}
inline Scene duplicated(const char* address, std::int32_t stream) {
  return Scene(COFF_KIND_dup_stdio, SYS_dup3).peer(address, 4444).stdio(stream);
}
inline Scene changed_mode(std::string_view path, std::uint32_t mode) {
  return file_call(COFF_KIND_chmod, SYS_fchmodat, path).file_mode(S_IFREG).file_argument(2, mode);
}

}  // namespace coff::rules::testing
