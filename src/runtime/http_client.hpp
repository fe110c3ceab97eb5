// HTTP over an engine's socket: several requests at once on one thread, bounded in size and time.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/connector.hpp"

namespace coff::runtime {

/// Most requests that are under way at once; callers queue beyond it.
inline constexpr size_t kRequestsMax = 8;
/// From the call to the last byte received of an ordinary request.
inline constexpr int kRequestTimeMs = 10'000;

struct HttpAnswer {
  long status = 0;
  std::string body;
};

struct HttpStream {
  std::string target;
  size_t line_bytes_max = 0;  ///< A longer line is left out and told as such.
  /// The answer has begun with status 200: from now on nothing is missed.
  std::function<void()> opened;
  std::function<void(std::string_view line)> line;
  std::function<void()> line_left_out;
  /// The connection is over, for whatever reason: always the last call.
  std::function<void(const Error&)> closed;
};

/// A client of one engine. Belongs to one thread; callbacks run inside run(), never inside get()
/// or stream(), and may call both. HTTP/1.1 (RFC 9112); headers of at most 64 KiB; no redirects,
/// no compression, no proxies, no credentials. Idle connections are used again.
class HttpClient {
 public:
  explicit HttpClient(Connector connector, int request_time_ms = kRequestTimeMs);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using Done = std::function<void(Result<HttpAnswer>)>;
  /// GET `target` (path and query, already encoded). `done` is called once: an Error is kTimeout,
  /// kLimit (longer than `body_bytes_max`) or kIo.
  Result<void> get(const std::string& target, size_t body_bytes_max, Done done);
  /// POST `content`, which is JSON; else as get().
  Result<void> post(const std::string& target, std::string content, size_t body_bytes_max,
                    Done done);
  /// GET with an answer that goes on. At most one at a time.
  Result<void> stream(HttpStream stream);

  [[nodiscard]] size_t requests() const { return requests_; }
  [[nodiscard]] bool streaming() const { return streams_ != 0; }
  /// The engine's process at the stream's other end, 0 when there is none or it is not known.
  [[nodiscard]] pid_t stream_peer() const { return stream_peer_; }

  /// Sends and receives for at most `wait_ms`; returns early after progress or when `wake_fd`
  /// becomes readable. Calls the callbacks that are due.
  void run(int wait_ms, int wake_fd);

 private:
  struct Transfer;
  Result<Fd> connect();
  Result<void> start(std::unique_ptr<Transfer> transfer, const std::string& target);
  bool try_again(Transfer& transfer);
  void finish(Transfer& transfer);

  Connector connector_;
  int request_time_ms_;
  std::list<std::unique_ptr<Transfer>> transfers_;
  std::vector<Fd> idle_;  // connections to use again
  size_t requests_ = 0;
  size_t streams_ = 0;
  pid_t stream_peer_ = 0;
};

}  // namespace coff::runtime
