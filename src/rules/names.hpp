// Private to the room: the fields that conditions and outputs may name. Each is a row of the
// schema's table; what libsinsp allows of a field beyond its type is stated here.
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"
#include "rules/ast.hpp"
#include "schema/field.hpp"

namespace coff::rules {

/// How a field with several values compares.
enum class Reach : unsigned char {
  kOne,   ///< It has one value.
  kAny,   ///< Some value must hold: ancestors of a process.
  kEnds,  ///< As kAny, but for "!=" all must hold: the two ends of a connection.
  kList,  ///< "in" wants every value in the set, "intersects" one of them.
};

struct FieldMeaning {
  schema::FieldReference reference;  ///< Borrows the operand's text.
  Reach reach = Reach::kOne;
  bool right_side = true;  ///< May stand on the right of an operator.
  bool transform = true;   ///< May be given to a transformer.
  bool output = true;      ///< May stand in an output.
  bool deprecated = false;
};

/// Meaning of a field operand. `extra` holds fields of the caller beside the schema's own. Errors:
/// kNotFound for a name that is no field, kInvalid for a wrong argument.
Result<FieldMeaning> find_meaning(const Operand& operand,
                                  std::span<const schema::Field> extra = {});
bool field_is_known(const Operand& operand);

}  // namespace coff::rules
