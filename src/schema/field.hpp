// The field table: everything that a rule, a query or an output may ask of an event.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "schema/event.hpp"
#include "schema/user_names.hpp"

namespace coff::schema {

/// An address with its family.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4 in the first four.
  bool v6 = false;
  bool operator==(const Address&) const = default;
};

/// Type of a field, which decides the operators that it takes and the alternative of its values.
enum class Type : unsigned char {
  kBool,      ///< bool
  kInteger,   ///< std::int64_t
  kUnsigned,  ///< std::uint64_t
  kText,      ///< std::string_view (borrowed from the event) or std::string (made for the call)
  kPath,      ///< As kText; compared by components where an operator says so.
  kDuration,  ///< std::uint64_t, nanoseconds
  kTime,      ///< std::int64_t, nanoseconds since 1970-01-01 UTC
  kPort,      ///< std::uint64_t
  kAddress,   ///< Address
  kNetwork,   ///< Address, to be matched against networks
  kBytes,     ///< As kText; any bytes
};

using TextList = std::vector<std::string>;
using NumberList = std::vector<std::uint64_t>;
using AddressList = std::vector<Address>;
/// A value, or std::monostate: not known or not applicable. Rules treat any comparison with it as
/// false. Views live as long as the event and what it points to.
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string_view,
                           std::string, Address, TextList, NumberList, AddressList>;

/// What a field takes in brackets, "proc.aname[2]", "proc.env[PATH]".
enum class Takes : unsigned char {
  kNothing,
  kIndex,        ///< A number, required.
  kName,         ///< A name, required; may also be written behind a dot ("evt.arg.flags").
  kOptIndex,     ///< A number or nothing.
  kOptName,      ///< A name or nothing.
  kIndexOrName,  ///< A number or a name, required.
};

/// The argument as written; `index` is set when it is a decimal number.
struct Argument {
  std::optional<std::uint32_t> index;
  std::string_view name;  ///< The text, also when it is a number; "" without argument.
};

/// What fields are asked of: an event in its surroundings.
struct Subject {
  const Event& event;
  const UserNames* names = nullptr;  ///< Null: no user names.
  std::uint64_t number = 0;          ///< evt.num; 0 = not counted.
  std::string_view host;             ///< evt.hostname; "" = not known.
};

using Getter = Value (*)(const Subject& subject, const Argument& argument);

/// One row. All members are static text; the order is that of a readable table.
struct Field {            // NOLINT(clang-analyzer-optin.performance.Padding)
  std::string_view name;  ///< libsinsp's name wherever the meaning is the same.
  Type type;
  Getter get;
  std::string_view ecs;   ///< Field of the Elastic Common Schema 9.4, "" for none.
  std::string_view ocsf;  ///< Attribute path of OCSF 1.8, "" for none.
  std::string_view doc;   ///< Sentences; they say where libsinsp's field of that name differs.
  Takes takes = Takes::kNothing;
  bool list = false;  ///< Without an argument it yields several values; any may match.
};

// The rows by subject, in the order of the documentation.
std::span<const Field> event_fields();
std::span<const Field> process_fields();
std::span<const Field> ancestry_fields();
std::span<const Field> user_fields();
std::span<const Field> file_fields();
std::span<const Field> socket_fields();
std::span<const Field> flow_fields();
std::span<const Field> container_fields();
std::span<const Field> baseline_fields();
std::span<const Field> derived_fields();
std::span<const Field> unobserved_fields();

/// A named group of rows.
struct FieldGroup {
  std::string_view title;
  std::span<const Field> fields;
};
std::array<FieldGroup, 11> field_groups();

/// The row of that exact name (without argument), null when there is none. Logarithmic.
const Field* find_field(std::string_view name);

/// A field with its argument, as a rule or a query writes it. Borrows the text it was made from.
struct FieldReference {
  const Field* field = nullptr;
  Argument argument;

  [[nodiscard]] Value get(const Subject& subject) const { return field->get(subject, argument); }
};
/// Resolves "proc.name", "proc.aname[2]", "proc.env[PATH]", "evt.arg.flags". kNotFound for an
/// unknown field, kInvalid when the argument is missing, superfluous or malformed.
Result<FieldReference> resolve_field(std::string_view text);

std::string_view type_name(Type type);
/// For display: numbers in decimal, lists joined with ", ", "" for not known.
std::string value_text(const Value& value);

/// The reference of all fields and kinds as Markdown (docs/fields.md).
std::string fields_markdown();
/// The same as one JSON object: {"kinds":[…],"fields":[…]}.
std::string fields_json();

}  // namespace coff::schema
