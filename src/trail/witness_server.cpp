// HTTP in front of a witness, with Boost.Beast; the only file that knows it.
#include "trail/witness_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <optional>

#include "base/log.hpp"

namespace coff::trail {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;

constexpr auto kRequestTime = std::chrono::seconds(10);
constexpr std::string_view kPath = "/add-checkpoint";
// Requests on one connection, so that nobody holds a place for ever.
constexpr int kRequestsMax = 1000;

/// One connection. Owned by the operation that is under way on it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, Witness& witness, size_t& count)
      : stream_(std::move(socket)), witness_(witness), count_(count) {
    ++count_;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { --count_; }

  void read() {
    parser_.emplace();
    parser_->body_limit(kWitnessBodyBytesMax);
    stream_.expires_after(kRequestTime);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code problem, size_t) { self->answer(problem); });
  }

 private:
  void answer(beast::error_code problem) {
    if (problem && problem != http::error::body_limit) return;  // Closed, late or no HTTP.
    const auto& request = parser_->get();
    WitnessAnswer answer;
    if (problem) {
      answer = {.status = 413, .body = "the request is too long\n"};
    } else if (!std::string_view(request.target()).ends_with(kPath)) {
      answer = {.status = 404, .body = "only add-checkpoint is served here\n"};
    } else if (request.method() != http::verb::post) {
      answer = {.status = 405, .body = "POST it\n"};
    } else {
      answer = witness_.add_checkpoint(request.body());
    }
    keep_ = !problem && request.keep_alive() && ++requests_ < kRequestsMax;
    response_ = {};
    response_.version(11);
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.content_type);
    response_.keep_alive(keep_);
    response_.body() = std::move(answer.body);
    response_.prepare_payload();
    stream_.expires_after(kRequestTime);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code failed, size_t) {
                        if (!failed && self->keep_) self->read();
                      });
  }

  beast::tcp_stream stream_;
  Witness& witness_;
  size_t& count_;
  beast::flat_buffer buffer_{kWitnessBodyBytesMax + 16384};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool keep_ = false;
  int requests_ = 0;
};

}  // namespace

struct WitnessServer::State {
  explicit State(Witness& served) : witness(served), acceptor(context) {}

  void accept() {
    acceptor.async_accept([this](beast::error_code problem, Tcp::socket socket) {
      if (problem == asio::error::operation_aborted) return;
      if (!problem && connections < kWitnessConnectionsMax) {
        std::make_shared<Session>(std::move(socket), witness, connections)->read();
      }
      accept();
    });
  }

  Witness& witness;
  size_t connections = 0;
  asio::io_context context{1};
  Tcp::acceptor acceptor;
};

WitnessServer::WitnessServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
WitnessServer::~WitnessServer() = default;

Result<std::unique_ptr<WitnessServer>> WitnessServer::listen(Witness& witness,
                                                             const std::string& address,
                                                             std::uint16_t port) {
  return guard(Code::kIo, "cannot listen on " + address, [&] {
    auto state = std::make_unique<State>(witness);
    const Tcp::endpoint endpoint(asio::ip::make_address(address), port);
    state->acceptor.open(endpoint.protocol());
    state->acceptor.set_option(asio::socket_base::reuse_address(true));
    state->acceptor.bind(endpoint);
    state->acceptor.listen();
    state->accept();
    return std::unique_ptr<WitnessServer>(new WitnessServer(std::move(state)));
  });
}

std::uint16_t WitnessServer::port() const { return state_->acceptor.local_endpoint().port(); }

Result<void> WitnessServer::run(bool stop_on_signals) {
  return guard(Code::kIo, "the witness stopped", [&] {
    asio::signal_set signals(state_->context);
    if (stop_on_signals) {
      signals.add(SIGINT);
      signals.add(SIGTERM);
      signals.async_wait([this](beast::error_code, int) { state_->context.stop(); });
    }
    state_->context.run();
  });
}

void WitnessServer::stop() { state_->context.stop(); }

}  // namespace coff::trail
