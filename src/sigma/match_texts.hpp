// Private to the room: values of a rule as checks of a text.
#pragma once

#include "sigma/item.hpp"
#include "sigma/part.hpp"

namespace coff::sigma {

/// That the text of one field fits some of the patterns. Without `cased` letters of either case are
/// equal. An empty pattern means that the field is not known or empty.
Part match_texts(const std::string& field, const std::vector<const Pattern*>& patterns, bool cased);

/// What must be so of an open's path for it to fit some of the patterns, in words that the kernel
/// knows: names as they are written and in lower case.
Part match_opened(const std::vector<const Pattern*>& patterns);

/// That the field is not known, or empty.
Part is_absent(const std::string& field);
Part is_known(const std::string& field);

}  // namespace coff::sigma
