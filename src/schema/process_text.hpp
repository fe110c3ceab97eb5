// Private to the room: texts of a process that several fields show.
#pragma once

#include <string>
#include <string_view>

#include "schema/event.hpp"

namespace coff::schema {

std::string_view argv0(const Process& process);
/// argv[1..], joined with blanks.
std::string arguments_text(const Process& process);
/// Name and arguments.
std::string command_line_text(const Process& process);
/// All variables, joined with blanks.
std::string environment_text(const Process& process);
/// Value of one variable; "" when it is not set or the environment is not known.
std::string_view variable(const Process& process, std::string_view name);
/// 16 hexadecimal digits.
std::string process_id_text(std::uint64_t id);

}  // namespace coff::schema
