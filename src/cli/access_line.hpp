// Entries about who does what, for people: one line each, and which of them somebody asked for.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace coff::cli {

/// Appends "alice from 192.0.2.7 via docker exec with curl: exec_create in web: id -> 201", or what
/// a session's beginning or end says; nothing of it reaches a terminal unescaped.
void append_access(std::string& line, const boost::json::object& entry, std::string_view kind);

/// Whether an entry is about this person, login, user or component ("" = any) by the names in its
/// `by` and `user`, and, with `changes`, is no request that only reads. False for what is no entry.
bool entry_matches(std::string_view entry, std::string_view user, bool changes);

}  // namespace coff::cli
