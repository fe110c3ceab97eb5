// Walks over a large JSON object or array without having all of it in memory as values.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.hpp"

namespace coff::exposure {

/// Calls `take` with the name (escapes undone) and the bytes of each member of the one object in
/// `text`. The bytes are balanced, not checked: `take` parses them. kInvalid: no such object.
Result<void> each_member(
    std::string_view text,
    const std::function<Result<void>(std::string_view name, std::string_view bytes)>& take);

/// The same with the elements of the one array in `text`.
Result<void> each_element(std::string_view text,
                          const std::function<Result<void>(std::string_view bytes)>& take);

}  // namespace coff::exposure
