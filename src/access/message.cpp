// Finds HTTP/1 messages in the bytes of one direction of a connection, of which parts may be
// missing.
#include "access/message.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "access/text.hpp"

namespace coff::access {

namespace {

constexpr std::string_view kMethods[] = {"GET ",   "POST ",    "PUT ",     "DELETE ", "HEAD ",
                                         "PATCH ", "OPTIONS ", "CONNECT ", "TRACE "};

// More digits than a body can have; Go refuses them too.
constexpr size_t kChunkDigitsMax = 16;

}  // namespace

bool looks_like_start(std::string_view text, MessageReader::Side side) {
  if (side == MessageReader::Side::kAnswers) return text.starts_with("HTTP/1.");
  const auto* method = std::find_if(std::begin(kMethods), std::end(kMethods),
                                    [&](std::string_view m) { return text.starts_with(m); });
  if (method == std::end(kMethods)) return false;
  const std::string_view rest = text.substr(method->size());
  if (!rest.starts_with("/") && !rest.starts_with("http://")) return false;
  const size_t end = rest.find('\n');
  return end == std::string_view::npos || rest.substr(0, end).find(" HTTP/1.") != rest.npos;
}

void MessageReader::feed(std::uint64_t offset, std::string_view bytes, std::uint64_t carried) {
  if (offset > expected_) skip(offset - expected_);
  if (offset < expected_ && state_ != State::kRaw) lose();  // the kernel has forgotten it meanwhile
  read(bytes);
  if (carried > bytes.size()) skip(carried - bytes.size());
  expected_ = offset + std::max<std::uint64_t>(carried, bytes.size());
}

void MessageReader::skip(std::uint64_t count) {
  missing_bytes_ += count;
  switch (state_) {
    case State::kRaw:
    case State::kLost:
    case State::kUntilClose: message_.cut = true; return;
    case State::kLength: {
      const std::uint64_t of_body = std::min(count, remaining_);
      message_.cut = true;
      message_.body_bytes += of_body;
      remaining_ -= of_body;
      if (remaining_ == 0) end_message();
      if (count > of_body) lose();
      return;
    }
    case State::kChunk:
      if (count > remaining_) return lose();
      message_.cut = true;
      message_.body_bytes += count;
      remaining_ -= count;
      if (remaining_ == 0) state_ = State::kChunkEnd;
      return;
    default: lose(); return;
  }
}

// What is known of the message is handed out: its rest will not be recognised.
void MessageReader::lose() {
  const bool in_head = state_ == State::kHeaders;
  const bool in_body =
      state_ != State::kStart && state_ != State::kHeaders && state_ != State::kLost;
  message_.cut = true;
  if (in_head) handlers_.on_head(message_);
  if (state_ == State::kRaw) return;
  if (in_head || in_body) handlers_.on_end(message_);
  message_ = {};
  line_.clear();
  line_cut_ = false;
  state_ = State::kLost;
}

std::string_view MessageReader::find_start(std::string_view bytes) {
  for (size_t at = 0; at != std::string_view::npos && at < bytes.size();) {
    if (looks_like_start(bytes.substr(at), side_)) return bytes.substr(at);
    // Answers begin where a send begins; requests also behind another one in the same receive.
    if (side_ == Side::kAnswers) return {};
    at = bytes.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  return {};
}

void MessageReader::read(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::kRaw: return;
      case State::kLost:
        bytes = find_start(bytes);
        if (bytes.empty()) return;
        message_ = {.guessed = true};
        state_ = State::kStart;
        break;
      case State::kLength:
      case State::kChunk:
      case State::kUntilClose: take_body(bytes); break;
      default:
        if (take_line(bytes)) end_line();
        break;
    }
  }
}

// Whether a line is complete in line_, without its end.
bool MessageReader::take_line(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end);
  const size_t room = kLineBytesMax - line_.size();
  line_cut_ |= part.size() > room;
  line_.append(part.substr(0, room));
  bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  if (end == std::string_view::npos) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  message_.cut |= line_cut_;
  return true;
}

void MessageReader::end_line() {
  switch (state_) {
    case State::kStart: end_start_line(); break;
    case State::kHeaders: end_header_line(); break;
    case State::kChunkSize: take_chunk_size(); break;
    case State::kChunkEnd: state_ = State::kChunkSize; break;
    case State::kTrailer:
      if (line_.empty()) end_message();
      break;
    default: break;
  }
  line_.clear();
  line_cut_ = false;
}

void MessageReader::end_start_line() {
  const bool guessed = message_.guessed;
  message_ = {.start = line_, .cut = line_cut_, .guessed = guessed};
  header_.clear();
  const bool plausible = side_ == Side::kAnswers ? line_.starts_with("HTTP/")
                                                 : line_.find(" HTTP/") != std::string::npos;
  // Engines answer anything else with an error and close.
  state_ = plausible ? State::kHeaders : State::kLost;
}

// A header may go on in the next line, which then begins with a blank.
void MessageReader::end_header_line() {
  const bool goes_on = line_.starts_with(' ') || line_.starts_with('\t');
  if (goes_on && header_.size() < kLineBytesMax) {
    header_ += ' ';
    header_ += trim(line_);
    return;
  }
  take_header();
  header_ = line_;
  if (line_.empty()) end_head();
}

void MessageReader::take_header() {
  const size_t colon = header_.find(':');
  if (colon == std::string::npos) return;
  const std::string name = lower_case(std::string_view(header_).substr(0, colon));
  const std::string_view value = trim(std::string_view(header_).substr(colon + 1));
  if (name == "content-type") message_.content_type = value;
  if (name == "user-agent") message_.user_agent = value;
  if (name == "upgrade") message_.upgrade = value;
  if (name == "x-registry-auth" || name == "x-registry-config") message_.registry_auth = value;
  if (name == "transfer-encoding" && lower_case(value) == "chunked") message_.chunked = true;
  if (name == "content-length") {
    const auto [end, problem] =
        std::from_chars(value.data(), value.data() + value.size(), remaining_);
    message_.has_length = problem == std::errc() && end == value.data() + value.size();
  }
}

void MessageReader::end_head() {
  const bool may_have_body = handlers_.on_head(message_);
  if (state_ == State::kRaw) return;  // the owner said so
  if (may_have_body && message_.chunked) {
    state_ = State::kChunkSize;
  } else if (may_have_body && message_.has_length && remaining_ > 0) {
    state_ = State::kLength;
  } else if (may_have_body && !message_.has_length && side_ == Side::kAnswers) {
    state_ = State::kUntilClose;
  } else {
    end_message();
  }
}

void MessageReader::take_body(std::string_view& bytes) {
  size_t size = bytes.size();
  if (state_ != State::kUntilClose) {
    size = static_cast<size_t>(std::min<std::uint64_t>(size, remaining_));
    remaining_ -= size;
  }
  const size_t room = kBodyBytesMax - message_.body.size();
  message_.cut |= size > room;
  message_.body.append(bytes.substr(0, std::min(size, room)));
  message_.body_bytes += size;
  bytes.remove_prefix(size);
  if (state_ == State::kUntilClose || remaining_ > 0) return;
  if (state_ == State::kChunk) state_ = State::kChunkEnd;
  else end_message();
}

// "1a3;extension": hexadecimal digits, then whatever.
void MessageReader::take_chunk_size() {
  std::string_view digits = std::string_view(line_).substr(0, line_.find(';'));
  digits = trim(digits);
  std::uint64_t size = 0;
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  if (digits.empty() || digits.size() > kChunkDigitsMax || problem != std::errc() ||
      end != digits.data() + digits.size()) {
    return lose();
  }
  remaining_ = size;
  state_ = size == 0 ? State::kTrailer : State::kChunk;
}

void MessageReader::end_message() {
  Message done = std::exchange(message_, {});
  state_ = State::kStart;
  handlers_.on_end(done);
}

}  // namespace coff::access
