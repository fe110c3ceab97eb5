// Follows the connections to container engines: from bytes to requests with their answers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/api_request.hpp"
#include "access/message.hpp"
#include "schema/event.hpp"

namespace coff::access {

/// The other end of a connection, as the kernel knows it.
struct Client {
  std::uint32_t pid = 0;            ///< Process that connected.
  std::uint64_t start_boot_ns = 0;  ///< 0: it had ended.
  std::uint32_t uid = kNoLogin;     ///< When it connected; kNoLogin: not known.
  std::uint32_t loginuid = kNoLogin;
  std::uint32_t sessionid = kNoLogin;
  std::uint32_t sender_pid = 0;  ///< Process that sent last; 0: not known.
  std::uint64_t sender_start_boot_ns = 0;
};

/// Bytes of one receive or send of an engine. Borrows them.
struct Carried {
  std::uint64_t connection = 0;
  std::string_view socket;
  bool answer = false;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;  ///< What really came; `bytes` is its beginning. Requests: 0 ends them.
  std::string_view bytes;
  std::uint64_t boot_ns = 0;
  std::int64_t wall_ns = 0;
  Client client;
};

/// One request and what became of it.
struct Exchange {
  ApiRequest request;
  std::uint64_t connection = 0;
  std::string socket;
  Client client;
  std::uint64_t boot_ns = 0;  ///< When the engine had read its head.
  std::int64_t wall_ns = 0;
  std::uint64_t answered_boot_ns = 0;  ///< 0: no answer was seen.

  // Set by the owner in on_request.
  ProcessPtr process;  ///< Of the client; null when not known.
  PersonPtr person;
  std::string container_id;
  std::string engine_name;
};

/// Not thread-safe. Memory is bounded: kConnectionsMax connections, of which the least recently
/// used goes first, and kPendingMax unanswered requests on each.
class Connections {
 public:
  static constexpr size_t kConnectionsMax = 512;
  static constexpr size_t kPendingMax = 64;

  struct Handlers {
    /// The head of a request was read; its body and answer come later.
    std::function<void(Exchange&)> on_request;
    /// Answered, or given up. Called once for each request.
    std::function<void(Exchange&)> on_done;
    /// The connection is a stream of bytes from here on, or speaks another protocol.
    std::function<void(std::uint64_t connection)> on_raw;
  };

  explicit Connections(Handlers handlers) : handlers_(std::move(handlers)) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void take(const Carried& carried);
  /// Gives up what was unanswered at `boot_ns`. For the end.
  void finish();
  [[nodiscard]] size_t size() const { return connections_.size(); }

 private:
  struct Connection {
    std::uint64_t id = 0;
    std::unique_ptr<MessageReader> requests;
    std::unique_ptr<MessageReader> answers;
    std::deque<std::shared_ptr<Exchange>> pending;  ///< Oldest first.
    std::shared_ptr<Exchange> reading;              ///< Whose body comes.
    bool answer_counts = false;  ///< The answer that comes belongs to the first pending one.
    bool closed = false;         ///< The client sends nothing more.
  };
  using Order = std::list<Connection>;

  Connection& connection_of(const Carried& carried);
  void make_readers(Connection& connection);
  bool begin_request(Connection& connection, Message& head);
  bool begin_answer(Connection& connection, Message& head);
  void end_answer(Connection& connection, const Message& answer);
  void finish_first(Connection& connection);
  void become_raw(Connection& connection);
  void give_up(Connection& connection);

  Handlers handlers_;
  Order order_;  ///< Most recently used first.
  std::unordered_map<std::uint64_t, Order::iterator> connections_;
  const Carried* now_ = nullptr;  ///< What take() was called with.
};

}  // namespace coff::access
