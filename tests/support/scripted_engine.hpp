// An engine that answers what a test tells it to: for answers that no real engine gives.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace coff::test {

/// Listens on a Unix socket of its own. `reply` is called on its thread with each request's
/// target and gives the raw bytes to send; the connection stays open and is read on, unless they
/// end in kClose. Connections that asked
/// for events are kept for say().
class ScriptedEngine {
 public:
  static constexpr std::string_view kClose = "<close>";
  using Reply = std::function<std::string(const std::string& target)>;

  explicit ScriptedEngine(Reply reply) : reply_(std::move(reply)) {
    std::string folder = "/tmp/coff-engine.XXXXXX";
    COFF_ASSERT(::mkdtemp(folder.data()) != nullptr);
    folder_ = folder;
    listen();
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~ScriptedEngine() {
    thread_.request_stop();
    thread_.join();
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  ScriptedEngine(const ScriptedEngine&) = delete;
  ScriptedEngine& operator=(const ScriptedEngine&) = delete;

  [[nodiscard]] std::string path() const { return folder_ + "/engine.sock"; }

  /// Sends `bytes` on every connection that asked for /…/events.
  void say(const std::string& bytes) {
    const std::scoped_lock lock(mutex_);
    for (const int stream : streams_) [[maybe_unused]]
      const ssize_t sent = ::send(stream, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Closes every connection.
  void drop() {
    const std::scoped_lock lock(mutex_);
    for (auto& [number, connection] : connections_) ::shutdown(number, SHUT_RDWR);
  }
  /// How often a target that starts so was asked for.
  [[nodiscard]] size_t asked(std::string_view target) const {
    const std::scoped_lock lock(mutex_);
    size_t count = 0;
    for (const std::string& seen : targets_) count += seen.starts_with(target) ? 1U : 0U;
    return count;
  }
  [[nodiscard]] std::vector<std::string> targets() const {
    const std::scoped_lock lock(mutex_);
    return targets_;
  }

  /// An answer with a body of known length.
  static std::string answer(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string stream_head() {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  }
  static std::string chunk(const std::string& bytes) {
    char size[20];
    ::snprintf(size, sizeof size, "%zx", bytes.size());
    return std::string(size) + "\r\n" + bytes + "\r\n";
  }

 private:
  struct Connection {
    Fd socket;
    std::string received;
  };

  void listen() {
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    COFF_ASSERT(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                0);
    COFF_ASSERT(::listen(listener_.get(), 64) == 0);
  }

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> waits{{.fd = listener_.get(), .events = POLLIN, .revents = 0}};
      for (const auto& [number, connection] : connections_)
        waits.push_back({.fd = number, .events = POLLIN, .revents = 0});
      ::poll(waits.data(), waits.size(), 20);
      if (waits[0].revents != 0) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::scoped_lock lock(mutex_);
        const int number = socket.get();
        if (number >= 0) connections_[number].socket = std::move(socket);
      }
      for (size_t at = 1; at < waits.size(); ++at)
        if (waits[at].revents != 0) read(waits[at].fd);
    }
  }

  void read(int number) {
    Connection& connection = connections_[number];
    char buffer[4096];
    const ssize_t size = ::recv(number, buffer, sizeof buffer, 0);
    bool close = size <= 0;
    if (size > 0) connection.received.append(buffer, static_cast<size_t>(size));
    size_t end = 0;
    while (!close && (end = connection.received.find("\r\n\r\n")) != std::string::npos) {
      const std::string line = connection.received.substr(4, connection.received.find('\r') - 4);
      connection.received.erase(0, end + 4);
      const std::string target = line.substr(0, line.find(' '));
      {
        const std::scoped_lock lock(mutex_);
        targets_.push_back(target);
      }
      std::string bytes = reply_(target);
      close = bytes.ends_with(kClose);
      if (close) bytes.erase(bytes.size() - kClose.size());
      [[maybe_unused]] const ssize_t sent =
          ::send(number, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      const std::scoped_lock lock(mutex_);
      if (target.find("/events") != std::string::npos) streams_.push_back(number);
    }
    if (!close) return;
    const std::scoped_lock lock(mutex_);
    std::erase(streams_, number);
    connections_.erase(number);
  }

  Reply reply_;
  std::string folder_;
  Fd listener_;
  mutable std::mutex mutex_;
  std::map<int, Connection> connections_;
  std::vector<int> streams_;
  std::vector<std::string> targets_;
  std::jthread thread_;
};

}  // namespace coff::test
