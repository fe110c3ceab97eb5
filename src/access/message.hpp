// Finds HTTP/1 messages in the bytes of one direction of a connection, of which parts may be
// missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coff::access {

/// What is kept of one line of a head, in bytes; the rest of the line is thrown away.
inline constexpr size_t kLineBytesMax = 8192;
/// What is kept of a body, in bytes.
inline constexpr size_t kBodyBytesMax = size_t{64} << 10;

/// One request or answer, as far as it was read.
struct Message {
  std::string start;         ///< Request or status line, without its end.
  std::string content_type;  ///< Values of those headers; "" when absent.
  std::string user_agent;
  std::string upgrade;
  std::string registry_auth;     ///< X-Registry-Auth: a secret.
  std::string body;              ///< Its beginning, at most kBodyBytesMax.
  std::uint64_t body_bytes = 0;  ///< All of it, as far as it came.
  bool chunked = false;
  bool has_length = false;  ///< A Content-Length that counts.
  bool cut = false;         ///< Something of it was not forwarded, or exceeded a limit.
  bool guessed = false;     ///< Its beginning was found by its looks after a hole.
};

/// Reads as the engines do (Go's net/http), never stricter: lines may end without CR, the header
/// names have any case, Transfer-Encoding wins over Content-Length. So that what an engine obeys is
/// never overlooked; what it refuses may be read all the same, and its answer tells.
///
/// After a hole in a place where the length of a body is not known, the next message is looked for
/// by its looks and marked `guessed`. Memory is bounded whatever comes. Not thread-safe.
class MessageReader {
 public:
  enum class Side : unsigned char { kRequests, kAnswers };
  /// What the owner does with messages. on_head: the head is complete; returns whether a body may
  /// follow (answers to HEAD have none). on_end: the body is complete too.
  struct Handlers {
    std::function<bool(Message&)> on_head;
    std::function<void(Message&)> on_end;
  };

  MessageReader(Side side, Handlers handlers) : side_(side), handlers_(std::move(handlers)) {}

  /// The next bytes: `bytes` from `offset` of the stream on, of `carried` that really came.
  void feed(std::uint64_t offset, std::string_view bytes, std::uint64_t carried);
  /// Everything that follows is something else than messages.
  void become_raw() { state_ = State::kRaw; }
  [[nodiscard]] bool is_raw() const { return state_ == State::kRaw; }
  /// Bytes that were missing so far.
  [[nodiscard]] std::uint64_t missing_bytes() const { return missing_bytes_; }

 private:
  enum class State : unsigned char {
    kStart,  // before or in the start line
    kHeaders,
    kLength,  // in a body of remaining_ bytes
    kChunkSize,
    kChunk,  // in a chunk of remaining_ bytes
    kChunkEnd,
    kTrailer,
    kUntilClose,  // an answer without a length
    kLost,        // somewhere after a hole
    kRaw,
  };

  void skip(std::uint64_t count);
  void read(std::string_view bytes);
  std::string_view find_start(std::string_view bytes);
  bool take_line(std::string_view& bytes);
  void end_line();
  void end_start_line();
  void end_header_line();
  void take_header();
  void end_head();
  void take_body(std::string_view& bytes);
  void take_chunk_size();
  void end_message();
  void lose();

  Side side_;
  Handlers handlers_;
  State state_ = State::kStart;
  Message message_;
  std::string line_;
  std::string header_;  ///< The last one, which the next line may continue.
  bool line_cut_ = false;
  std::uint64_t expected_ = 0;
  std::uint64_t remaining_ = 0;
  std::uint64_t missing_bytes_ = 0;
};

/// Whether the text begins like a request line of an engine's client, or like a status line.
bool looks_like_start(std::string_view text, MessageReader::Side side);

}  // namespace coff::access
