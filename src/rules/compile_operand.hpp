// Private to the room: compiles one side of a check, or a value of an output.
#pragma once

#include <expected>
#include <functional>
#include <span>

#include "rules/program.hpp"

namespace coff::rules {

enum class Side : unsigned char { kLeft, kRight, kOutput };

/// Where sources go, and which fields there are beside the schema's.
struct SourceAdder {
  std::span<const schema::Field> extra;
  std::function<SourceId(Source)> add;
};

std::expected<SourceId, CompileError> compile_operand(const Program& program,
                                                      const Operand& operand, Side side,
                                                      const SourceAdder& adder);

}  // namespace coff::rules
