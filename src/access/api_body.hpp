// Private to the room: JSON bodies of the Docker API, read as its engine reads them.
#pragma once

#include <string>
#include <string_view>

#include "access/api_request.hpp"

namespace coff::access {

/// Adds what the body of a request says; false when it is no JSON object. Names of members have
/// any case, and the last of equal ones counts, as in Go.
bool read_body(std::string_view body, ApiRequest& request);
/// The "Id" of an answer, if it looks like one; "" otherwise.
std::string id_in(std::string_view body);

}  // namespace coff::access
