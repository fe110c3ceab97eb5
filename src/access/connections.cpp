// Follows the connections to container engines: from bytes to requests with their answers.
#include "access/connections.hpp"

#include <utility>

namespace coff::access {

namespace {

/// Codes whose answers are interim: another one follows.
bool is_interim(std::uint32_t status) { return status >= 100 && status < 200 && status != 101; }
bool has_no_body(std::uint32_t status) { return status == 204 || status == 304; }

}  // namespace

void Connections::make_readers(Connection& connection) {
  connection.requests = std::make_unique<MessageReader>(
      MessageReader::Side::kRequests,
      MessageReader::Handlers{
          .on_head = [this, &connection](Message& head) { return begin_request(connection, head); },
          .on_end =
              [&connection](Message& whole) {
                if (connection.reading != nullptr) take_body(connection.reading->request, whole);
                connection.reading.reset();
              }});
  connection.answers = std::make_unique<MessageReader>(
      MessageReader::Side::kAnswers,
      MessageReader::Handlers{
          .on_head = [this, &connection](Message& head) { return begin_answer(connection, head); },
          .on_end = [this, &connection](Message& whole) { end_answer(connection, whole); }});
}

Connections::Connection& Connections::connection_of(const Carried& carried) {
  const auto known = connections_.find(carried.connection);
  if (known != connections_.end()) {
    order_.splice(order_.begin(), order_, known->second);
    return order_.front();
  }
  if (connections_.size() >= kConnectionsMax) {
    give_up(order_.back());
    connections_.erase(order_.back().id);
    order_.pop_back();
  }
  order_.emplace_front();
  order_.front().id = carried.connection;
  make_readers(order_.front());
  connections_[carried.connection] = order_.begin();
  return order_.front();
}

void Connections::take(const Carried& carried) {
  now_ = &carried;
  Connection& connection = connection_of(carried);
  if (carried.answer) {
    connection.answers->feed(carried.offset, carried.bytes, carried.count);
  } else if (carried.count > 0) {
    connection.requests->feed(carried.offset, carried.bytes, carried.count);
  } else {
    connection.closed = true;
  }
  if (connection.closed && connection.pending.empty()) {
    connections_.erase(connection.id);
    order_.pop_front();  // connection_of() has put it there
  }
  now_ = nullptr;
}

bool Connections::begin_request(Connection& connection, Message& head) {
  auto exchange = std::make_shared<Exchange>();
  exchange->request = request_of(head);
  exchange->connection = connection.id;
  exchange->socket = now_->socket;
  exchange->client = now_->client;
  exchange->boot_ns = now_->boot_ns;
  exchange->wall_ns = now_->wall_ns;
  const bool other_protocol = head.start.starts_with("PRI * HTTP/2");
  if (other_protocol) exchange->request.action = "http2";
  if (connection.pending.size() >= kPendingMax) finish_first(connection);
  connection.pending.push_back(exchange);
  connection.reading = exchange;
  handlers_.on_request(*exchange);
  if (!other_protocol) return true;
  become_raw(connection);
  finish_first(connection);
  return false;
}

bool Connections::begin_answer(Connection& connection, Message& head) {
  const std::uint32_t status = status_of(head.start);
  connection.answer_counts = false;
  if (is_interim(status)) return false;
  if (connection.pending.empty()) {
    // An answer to a request that was not seen: that there was one is told at least.
    if (connection.requests->missing_bytes() == 0) return !has_no_body(status);
    Message unseen{.cut = true, .guessed = true};
    begin_request(connection, unseen);
    connection.pending.back()->request.action = "unseen";
    connection.reading.reset();
  }
  ApiRequest& request = connection.pending.front()->request;
  connection.pending.front()->answered_boot_ns = now_->boot_ns;
  take_answer_head(request, head);
  if (ends_messages(request, head)) {
    request.hijacked = true;
    become_raw(connection);
    finish_first(connection);
    return false;
  }
  const bool has_body = request.method != "HEAD" && !has_no_body(status);
  if (has_body && makes_something(request) && status < 300) connection.answer_counts = true;
  else finish_first(connection);
  return has_body;
}

void Connections::end_answer(Connection& connection, const Message& answer) {
  if (!std::exchange(connection.answer_counts, false) || connection.pending.empty()) return;
  take_answer_body(connection.pending.front()->request, answer);
  finish_first(connection);
}

void Connections::finish_first(Connection& connection) {
  const std::shared_ptr<Exchange> done = std::move(connection.pending.front());
  connection.pending.pop_front();
  if (connection.reading == done) connection.reading.reset();  // answered before its body came
  handlers_.on_done(*done);
}

void Connections::become_raw(Connection& connection) {
  connection.requests->become_raw();
  connection.answers->become_raw();
  connection.reading.reset();
  handlers_.on_raw(connection.id);
}

void Connections::give_up(Connection& connection) {
  while (!connection.pending.empty()) finish_first(connection);
}

void Connections::finish() {
  for (Connection& connection : order_) give_up(connection);
  order_.clear();
  connections_.clear();
}

}  // namespace coff::access
