// What the subcommands that talk to the running agent share: finding its socket.
#include "cli/control.hpp"

#include "config/config.hpp"

namespace coff::cli {

Result<agent::ControlClient> connect_to_agent(const Global& global, const std::string& socket) {
  if (!socket.empty()) return agent::ControlClient::connect(socket);
  auto loaded = config::load_config(global.config_path);
  if (!loaded && loaded.error().code != Code::kDenied) return std::unexpected(loaded.error());
  const config::Config settings = loaded ? std::move(*loaded) : config::Config();
  return agent::ControlClient::connect(settings.control_socket());
}

}  // namespace coff::cli
