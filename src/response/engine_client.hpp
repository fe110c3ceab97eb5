// One question or change to a container engine, with its answer waited for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schema/event.hpp"

namespace coff::response {

/// True for what may name a container: an id or a name as engines make them.
bool is_container_word(std::string_view word);

/// GET /containers/<id or name>/json. kNotFound: the engine doesn't know it.
Result<Container> inspect(const std::string& socket, const std::string& container);
/// Ids of running containers that have all these labels, each "name=value".
Result<std::vector<std::string>> running_with_labels(const std::string& socket,
                                                     const std::vector<std::string>& labels);
/// POST /containers/<id>/update: another restart policy, as "no", "always", "unless-stopped" or
/// "on-failure:3".
Result<void> set_restart_policy(const std::string& socket, const std::string& id,
                                const std::string& policy);
/// Whether containers outlive a restart of the engine (GET /info: LiveRestoreEnabled).
Result<bool> has_live_restore(const std::string& socket);

}  // namespace coff::response
