// What a client asked of a container engine: one request of the Docker API as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/message.hpp"

namespace coff::access {

/// One request, as far as it was read, with what is known of its answer. All texts are the
/// client's: redact before they are shown.
struct ApiRequest {
  std::string method;
  std::string path;    ///< As sent, with its query.
  std::string action;  ///< Our word: "exec_create", "create", "start", …; "read", "other".
  std::string target;  ///< Container, image, volume, network or exec as the path names it; "" none.
  bool on_container = false;  ///< `target` names a container.
  bool on_exec = false;       ///< `target` is the id of an exec.

  // From body and query, where the action has such.
  std::string name;   ///< create: the name that the container is to have.
  std::string image;  ///< create, pull, push, commit, build: the image.
  std::vector<std::string> command;
  std::string user;
  bool privileged = false;
  bool host_pid = false;
  bool host_network = false;
  std::vector<std::string> environment;  ///< "NAME=value".
  std::vector<std::string> mounts;       ///< create: binds, "source:destination".
  std::string file_path;                 ///< archive: path in the container.
  std::string signal;                    ///< kill.
  std::string registry_auth;             ///< A secret.
  std::string user_agent;
  std::uint64_t body_bytes = 0;
  bool body_unread = false;  ///< It should have been JSON, and isn't or wasn't seen whole.
  bool cut = false;          ///< Something was not forwarded, see Message.
  bool guessed = false;      ///< See Message.

  std::uint32_t status = 0;  ///< Of the answer; 0: none was seen.
  std::string made_id;       ///< create, exec_create, commit: what the answer names.
  bool hijacked = false;     ///< The connection became a stream of bytes.
};

/// Reads a request line and the headers: everything but the body.
ApiRequest request_of(const Message& head);
/// Adds what the body says. Bodies of actions that are not read (archives, builds) only count.
void take_body(ApiRequest& request, const Message& whole);
/// Adds the answer's code.
void take_answer_head(ApiRequest& request, const Message& answer);
/// Adds the id in the answer's body.
void take_answer_body(ApiRequest& request, const Message& answer);

/// Whether the answer's body is worth waiting for: it names what was made.
bool makes_something(const ApiRequest& request);
/// Whether this answer turns the connection into a stream of bytes.
bool ends_messages(const ApiRequest& request, const Message& answer);
/// The code of a status line; 0 when it is none.
std::uint32_t status_of(std::string_view status_line);

}  // namespace coff::access
