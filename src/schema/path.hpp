// Lexical path names: what existing rules mean by fd.name, made from text alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coff::schema {

/// Joins `raw`, a path argument, with `base`, the absolute directory that it starts from, and
/// removes ".", ".." and repeated slashes as text: no symbolic link is followed. The rules are
/// those of libsinsp's fd.name:
///  - an absolute `raw` ignores `base`;
///  - `base` is taken as it is (never cleaned), one slash is put behind it when it has none;
///  - ".." removes the component before it, of `base` too, and nothing at the root;
///  - a trailing slash is dropped, except that of "/" itself;
///  - an empty `raw` gives "".
/// Where it differs: bytes are kept as they are (libsinsp replaces unprintable ones) and long
/// results are not replaced by "/DIR_TOO_LONG/FILENAME_TOO_LONG". A relative `raw` with an empty
/// `base` (not known) stays relative. Linear in the lengths, one allocation.
std::string lexical_path(std::string_view base, std::string_view raw);

/// Splits "a\0b\0" into {"a", "b"}. Empty elements are kept; a last element without NUL (cut at
/// a limit) is kept too.
std::vector<std::string> split_nul(std::string_view list);

}  // namespace coff::schema
