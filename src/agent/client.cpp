// The command line's end of the control socket.
#include "agent/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/json.hpp>

#include "agent/calls.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

/// The agent sends an answer's lines within this.
constexpr std::size_t kLineBytesMax = kAnswerBytesMax + 1024;

Code code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (code_name(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  return Code::kInternal;
}

/// What one line of an answer is.
struct Line {
  enum class Type : unsigned char { kItem, kLost, kDone, kError } type = Type::kItem;
  std::uint64_t lost = 0;
  Error error;
};

Result<Line> read_end(std::string_view text) {
  return guard(Code::kInvalid, "the agent's answer", [&] {
    json::error_code problem;
    const json::value value = json::parse(text, problem);
    Line line;
    line.type = Line::Type::kError;
    line.error = Error{Code::kInvalid, "the agent's answer is malformed"};
    if (problem || !value.is_object()) return line;
    const json::object& object = value.get_object();
    if (const json::value* lost = object.if_contains("lost")) {
      json::error_code not_number;
      line.lost = lost->to_number<std::uint64_t>(not_number);
      if (!not_number) line.type = Line::Type::kLost;
    } else if (object.contains("done")) {
      line.type = Line::Type::kDone;
    } else if (const json::value* what = object.if_contains("error"); what && what->is_string()) {
      const json::value* code = object.if_contains("code");
      line.error.what = std::string(what->get_string());
      if (code != nullptr && code->is_string()) {
        line.error.code = code_of(std::string_view(code->get_string()));
      }
    }
    return line;
  });
}

}  // namespace

Result<ControlClient> ControlClient::connect(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return fail(Code::kInvalid, socket_path + " is too long for the name of a socket");
  }
  socket_path.copy(address.sun_path, socket_path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return fail(Code::kNotFound, "the agent is not running (nobody listens on " + socket_path +
                                       "); start it with: sudo cofferdam agent");
    }
    if (errno == EACCES) {
      return fail_errno(
          "you may not talk to the agent; ask for a role in its configuration, or "
          "use sudo (" +
          socket_path + ")");
    }
    return fail_errno("cannot connect to " + socket_path);
  }
  return ControlClient(std::move(socket));
}

Result<std::string> ControlClient::read_line(int timeout_ms) {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = input_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      return line;
    }
    searched = input_.size();
    if (searched > kLineBytesMax) return fail(Code::kLimit, "the agent's answer is too long");
    pollfd entry{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, timeout_ms);
    if (ready < 0 && errno != EINTR) return fail_errno("cannot wait for the agent");
    if (ready == 0) return fail(Code::kTimeout, "the agent doesn't answer");
    if (ready < 0) continue;
    char buffer[65536];
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read from the agent");
    if (got == 0) return fail(Code::kIo, "the agent closed the connection");
    input_.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<void> ControlClient::call(std::string_view name, std::string_view arguments,
                                 const ItemHandler& on_item, int timeout_ms,
                                 const LostHandler& on_lost) {
  std::string request = "{\"call\":\"";
  request.append(name).append("\"");
  if (arguments.size() > 2) request.append(",").append(arguments.substr(1));
  else request.append("}");
  request.append("\n");
  // An agent that takes no more clients says so and closes: its answer waits behind the EPIPE.
  if (::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size()) &&
      errno != EPIPE) {
    return fail_errno("cannot send to the agent");
  }
  constexpr std::string_view kItem = "{\"item\":";
  for (;;) {
    const std::string line = TRY(read_line(timeout_ms));
    if (line.starts_with(kItem) && line.ends_with('}')) {
      const std::string_view item =
          std::string_view(line).substr(kItem.size(), line.size() - kItem.size() - 1);
      if (!on_item(item)) return {};
      continue;
    }
    Line end = TRY(read_end(line));
    if (end.type == Line::Type::kDone) return {};
    if (end.type == Line::Type::kError) return std::unexpected(std::move(end.error));
    if (on_lost) on_lost(end.lost);
  }
}

}  // namespace coff::agent
