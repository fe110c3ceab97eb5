// HTTP/1.1 over connected sockets: our own poll loop around Boost.Beast's parser.
//
// Not libcurl: its 7.88 (Debian 12) connects a second time even when told that a socket is
// connected already (CURL_SOCKOPT_ALREADY_CONNECTED), so it can't use a supervisor's sockets.
#include "runtime/http_client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/clock.hpp"

namespace coff::runtime {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint32_t kHeaderBytesMax = 64U << 10U;
constexpr size_t kReadBytes = 64U << 10U;
constexpr size_t kIdleConnectionsMax = kRequestsMax;
constexpr std::int64_t kMillisecondNs = 1'000'000;

// Takes the pieces of a body; false stops the transfer.
using BodySink = std::function<bool(std::string_view)>;

// Beast's idea of a body: where the parser puts it.
struct SinkBody {
  using value_type = BodySink;
  class reader {  // NOLINT(readability-identifier-naming): the name that Beast looks for
   public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>&, value_type& sink) : sink_(sink) {}
    static void init(const boost::optional<std::uint64_t>&, beast::error_code& problem) {
      problem = {};
    }
    template <class Buffers>
    size_t put(const Buffers& buffers, beast::error_code& problem) {
      size_t size = 0;
      for (auto piece = boost::asio::buffer_sequence_begin(buffers);
           piece != boost::asio::buffer_sequence_end(buffers); ++piece) {
        const boost::asio::const_buffer bytes(*piece);
        if (!sink_({static_cast<const char*>(bytes.data()), bytes.size()})) {
          problem = http::error::body_limit;
          return size;
        }
        size += bytes.size();
      }
      problem = {};
      return size;
    }
    static void finish(beast::error_code& problem) { problem = {}; }

   private:
    value_type& sink_;
  };
};

Error error_of(const beast::error_code& problem) {
  if (problem == http::error::body_limit || problem == http::error::header_limit)
    return {.code = Code::kLimit, .what = "the engine's answer is longer than the limit"};
  if (problem == http::error::end_of_stream || problem == http::error::partial_message)
    return {.code = Code::kIo, .what = "the engine closed the connection"};
  return {.code = Code::kInvalid, .what = "the engine does not speak HTTP: " + problem.message()};
}

Error error_of_errno(const char* doing) {
  return fail_errno(std::string("cannot ") + doing + " the engine").error();
}

}  // namespace

struct HttpClient::Transfer {
  Fd socket;
  bool reused = false;  // the socket has served before, so the engine may have closed it
  std::string request;
  size_t sent = 0;
  bool heard = false;
  std::int64_t deadline_ns = 0;  // 0 = none
  std::optional<http::response_parser<SinkBody>> parser;
  std::string received;  // not parsed yet
  std::optional<Error> failure;
  bool complete = false;

  // An ordinary request.
  size_t body_bytes_max = 0;
  std::string body;
  Done done;

  std::optional<std::string> content;  // of a POST

  // A stream.
  bool is_stream = false;
  bool open = false;
  HttpStream stream;
  std::string line;
  bool line_too_long = false;

  // Ready for (another) connection.
  void start_over(Fd connected, bool is_reused) {
    socket = std::move(connected);
    reused = is_reused;
    sent = 0;
    heard = false;
    received.clear();
    body.clear();
    failure.reset();
    parser.emplace();
    parser->eager(true);
    parser->header_limit(kHeaderBytesMax);
    // Limits are the sink's: Beast's own would also end a stream.
    parser->body_limit(boost::none);
    parser->get().body() = [this](std::string_view piece) { return take(piece); };
  }

  bool take(std::string_view piece) {
    if (!is_stream) {
      if (body.size() + piece.size() > body_bytes_max) return false;
      body += piece;
      return true;
    }
    if (parser->get().result_int() == 200) take_lines(piece);
    return true;
  }

  void take_lines(std::string_view bytes) {
    tell_open();
    while (!bytes.empty()) {
      const size_t newline = bytes.find('\n');
      const std::string_view part = bytes.substr(0, newline);
      if (line.size() + part.size() > stream.line_bytes_max) line_too_long = true;
      else if (!line_too_long) line += part;
      if (newline == std::string_view::npos) return;
      if (line_too_long) stream.line_left_out();
      else if (!line.empty()) stream.line(line);
      line.clear();
      line_too_long = false;
      bytes.remove_prefix(newline + 1);
    }
  }

  void tell_open() {
    if (!is_stream || open || !parser->is_header_done()) return;
    if (parser->get().result_int() != 200) return;
    open = true;
    stream.opened();
  }

  void send_some() {
    const ssize_t size =
        ::send(socket.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (size >= 0) sent += static_cast<size_t>(size);
    else if (errno != EAGAIN && errno != EINTR) failure = error_of_errno("write to");
  }

  void receive_some() {
    std::array<char, kReadBytes> buffer;
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) failure = error_of_errno("read from");
      return;
    }
    beast::error_code problem;
    if (size == 0) {
      // Beast wants to have seen something before its end.
      if (parser->got_some()) parser->put_eof(problem);
      else problem = http::error::end_of_stream;
      if (!problem && parser->is_done()) complete = true;
      else failure = error_of(problem ? problem : http::error::partial_message);
      return;
    }
    heard = true;
    received.append(buffer.data(), static_cast<size_t>(size));
    parse();
  }

  void parse() {
    beast::error_code problem;
    while (!received.empty() && !parser->is_done()) {
      const size_t used = parser->put(boost::asio::buffer(received), problem);
      received.erase(0, used);
      if (problem == http::error::need_more) break;
      if (problem) {
        failure = error_of(problem);
        return;
      }
      if (used == 0) break;
    }
    tell_open();
    complete = parser->is_done();
  }
};

HttpClient::HttpClient(Connector connector, int request_time_ms)
    : connector_(std::move(connector)), request_time_ms_(request_time_ms) {}
HttpClient::~HttpClient() = default;

Result<Fd> HttpClient::connect() {
  Fd socket = TRY(connector_());
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    return fail_errno("cannot set up the engine's socket");
  return socket;
}

Result<void> HttpClient::start(std::unique_ptr<Transfer> transfer, const std::string& target) {
  const bool post = transfer->content.has_value();
  transfer->request = (post ? "POST " : "GET ") + target +
                      " HTTP/1.1\r\nHost: engine\r\nUser-Agent: cofferdam\r\n"
                      "Accept: application/json\r\n";
  if (post) {
    transfer->request += "Content-Type: application/json\r\nContent-Length: " +
                         std::to_string(transfer->content->size()) + "\r\n\r\n" +
                         *transfer->content;
  } else {
    transfer->request += "\r\n";
  }
  if (!transfer->is_stream && !idle_.empty()) {
    transfer->start_over(std::move(idle_.back()), true);
    idle_.pop_back();
  } else {
    transfer->start_over(TRY(connect()), false);
  }
  if (transfer->is_stream) stream_peer_ = peer_of(transfer->socket);
  (transfer->is_stream ? streams_ : requests_) += 1;
  transfers_.push_back(std::move(transfer));
  return {};
}

Result<void> HttpClient::get(const std::string& target, size_t body_bytes_max, Done done) {
  if (requests_ >= kRequestsMax) return fail(Code::kBusy, "too many requests at once");
  auto transfer = std::make_unique<Transfer>();
  transfer->body_bytes_max = body_bytes_max;
  transfer->done = std::move(done);
  transfer->deadline_ns = boot_now_ns() + request_time_ms_ * kMillisecondNs;
  return start(std::move(transfer), target);
}

Result<void> HttpClient::post(const std::string& target, std::string content, size_t body_bytes_max,
                              Done done) {
  if (requests_ >= kRequestsMax) return fail(Code::kBusy, "too many requests at once");
  auto transfer = std::make_unique<Transfer>();
  transfer->content = std::move(content);
  transfer->body_bytes_max = body_bytes_max;
  transfer->done = std::move(done);
  transfer->deadline_ns = boot_now_ns() + request_time_ms_ * kMillisecondNs;
  return start(std::move(transfer), target);
}

Result<void> HttpClient::stream(HttpStream stream) {
  if (streaming()) return fail(Code::kBusy, "a stream is open already");
  auto transfer = std::make_unique<Transfer>();
  transfer->is_stream = true;
  transfer->stream = std::move(stream);
  const std::string target = transfer->stream.target;
  return start(std::move(transfer), target);
}

bool HttpClient::try_again(Transfer& transfer) {
  // The engine may close an idle connection just when it is used again.
  // A change might have been made by it, so only questions are asked again.
  if (!transfer.reused || transfer.heard || transfer.content) return false;
  auto socket = connect();
  if (!socket) return false;
  transfer.start_over(std::move(*socket), false);
  return true;
}

void HttpClient::finish(Transfer& transfer) {
  const unsigned status =
      transfer.parser->is_header_done() ? transfer.parser->get().result_int() : 0;
  if (transfer.is_stream) {
    --streams_;
    stream_peer_ = 0;
    Error why = transfer.failure.value_or(
        Error{.code = Code::kIo, .what = "the engine ended the event stream"});
    if (status != 0 && status != 200)
      why.what = "the engine refused the event stream with status " + std::to_string(status);
    return transfer.stream.closed(why);
  }
  --requests_;
  if (transfer.failure) return transfer.done(std::unexpected<Error>(*transfer.failure));
  if (transfer.parser->keep_alive() && transfer.received.empty() &&
      idle_.size() < kIdleConnectionsMax)
    idle_.push_back(std::move(transfer.socket));
  transfer.done(HttpAnswer{.status = status, .body = std::move(transfer.body)});
}

void HttpClient::run(int wait_ms, int wake_fd) {
  std::vector<pollfd> waits{{.fd = wake_fd, .events = POLLIN, .revents = 0}};
  for (const auto& transfer : transfers_) {
    const bool sending = transfer->sent < transfer->request.size();
    const short events = static_cast<short>(POLLIN | (sending ? POLLOUT : 0));
    waits.push_back({.fd = transfer->socket.get(), .events = events, .revents = 0});
  }
  if (::poll(waits.data(), waits.size(), wait_ms) < 0) return;
  const std::int64_t now_ns = boot_now_ns();
  // Callbacks may start transfers, so what is due is taken out of the list first.
  std::vector<std::unique_ptr<Transfer>> due;
  size_t number = 0;
  for (auto place = transfers_.begin(); place != transfers_.end();) {
    Transfer& transfer = **place;
    const short ready = waits[++number].revents;
    const bool late = transfer.deadline_ns != 0 && now_ns > transfer.deadline_ns;
    if (ready == 0 && !late) {
      ++place;
      continue;
    }
    due.push_back(std::move(*place));
    place = transfers_.erase(place);
    if (ready == 0)
      transfer.failure = Error{.code = Code::kTimeout, .what = "the engine did not answer in time"};
    else if ((ready & POLLOUT) != 0) transfer.send_some();
    else transfer.receive_some();
  }
  for (auto& transfer : due) {
    if (!transfer->complete && (!transfer->failure || try_again(*transfer)))
      transfers_.push_back(std::move(transfer));
    else finish(*transfer);
  }
}

}  // namespace coff::runtime
