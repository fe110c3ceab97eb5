// Private to the room: conditions in the form in which they run. Equal parts of different rules
// are one part, so that they are computed once for each event.
#pragma once

#include <re2/re2.h>

#include <array>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/ast.hpp"
#include "rules/names.hpp"
#include "rules/owner.hpp"
#include "rules/path_prefixes.hpp"
#include "rules/text_index.hpp"

namespace coff::rules {

using SourceId = std::uint32_t;
using CheckId = std::uint32_t;
using NodeId = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// Nodes of one program: bounds the work of an event and the memory of a rule set.
inline constexpr size_t kNodesMax = 1'000'000;
/// Longest chain of nodes within nodes, macros included.
inline constexpr unsigned kHeightMax = 2000;

/// Where a value comes from: a field, a literal, or a transformer over others.
struct Source {
  enum class Kind : unsigned char { kField, kLiteral, kList, kTransform };
  Kind kind = Kind::kLiteral;
  Transform transform = Transform::kVal;
  Reach reach = Reach::kOne;
  schema::Type type = schema::Type::kText;
  bool output = true;               ///< May stand in an output.
  schema::FieldReference field;     ///< Its argument borrows `argument`.
  std::string argument;             ///< Of the field, or of getopt().
  std::optional<std::string> pick;  ///< getopt(…)[c].
  schema::Value literal;
  std::vector<SourceId> inputs;
  std::string name;  ///< Canonical text.
};

/// A network: an address and how many of its bits count.
struct Network {
  schema::Address address;
  unsigned bits = 0;
};

/// What a value is compared with, parsed for its type.
struct Constants {
  std::vector<std::string> texts;
  TextSet set;  ///< The same, for "in".
  std::vector<std::int64_t> numbers;
  std::vector<std::uint64_t> unsigneds;
  std::vector<bool> flags;
  std::vector<schema::Address> addresses;
  std::vector<Network> networks;
  std::vector<std::unique_ptr<re2::RE2>> patterns;
  PathPrefixes prefixes;
};

struct Check {
  SourceId left = 0;
  SourceId right = kNone;  ///< kNone: compared with `constants`.
  Operator op = Operator::kExists;
  Modifier modifier = Modifier::kNone;
  Constants constants;
};

struct Node {
  enum class Type : unsigned char { kFalse, kTrue, kCheck, kNot, kAnd, kOr };
  Type type = Type::kFalse;
  CheckId check = kNone;
  std::vector<NodeId> children;
};

/// Why a condition or an output can't be compiled.
struct CompileError {
  enum class Kind : unsigned char { kOther, kUnknownField, kUnknownMacro };
  Kind kind = Kind::kOther;
  std::string message;
  Place place;
  std::string macro;  ///< The place is in this macro's condition; "" for the rule's own.
};
/// Something that is probably a mistake.
struct CompileWarning {
  std::string_view code;
  std::string message;
  Place place;
  std::string macro;
};

/// Where the answer of a check stands among the answers of its owner. Those are words: a flag
/// "known" for each slot, then one "is so" for each, then the bits of the indexes.
struct CheckPlace {
  Owner owner = Owner::kEvent;
  bool negated = false;         ///< Of an indexed check: it holds where the bit is not set.
  std::uint32_t slot = 0;       ///< Of the check, or of its index ("is so": the text is known).
  std::uint32_t index = kNone;  ///< kNone: the check is computed by itself.
  std::uint32_t bit = 0;        ///< Of an indexed check, counted from the owner's first word.
};
/// An index with the source whose text it reads.
struct SourceIndex {
  schema::Getter get = nullptr;  ///< Of a plain field, whose argument borrows the source's.
  schema::Argument argument;
  SourceId source = kNone;
  Owner owner = Owner::kEvent;
  std::uint32_t slot = 0;
  std::uint32_t word = 0;  ///< The first of texts.words() ones.
  TextIndex texts;
};
/// How many words one owner's answers take.
struct AnswerWords {
  std::uint32_t flags = 0;  ///< Of each of the two flags.
  std::uint32_t all = 0;
};

/// Macros by name, as parsed.
using Macros = std::map<std::string, Expression, std::less<>>;

class Program {
 public:
  explicit Program(std::vector<schema::Field> extra = {}) : extra_(std::move(extra)) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Adds a condition; its warnings are appended to `warnings`. All conditions of one program
  /// share one table of macros: a macro is compiled once.
  std::expected<NodeId, CompileError> add(const Expression& expression, const Macros& macros,
                                          std::vector<CompileWarning>& warnings);
  /// Adds a value for an output.
  std::expected<SourceId, CompileError> add_source(const Operand& operand);

  /// Makes indexes over the texts that checks look at and gives every answer its place; to be
  /// called once, after the last add.
  void index_texts();
  [[nodiscard]] const std::vector<SourceIndex>& indexes() const { return indexes_; }
  /// By check.
  [[nodiscard]] const std::vector<CheckPlace>& places() const { return places_; }
  [[nodiscard]] const AnswerWords& words(Owner owner) const {
    return words_[static_cast<size_t>(owner)];
  }

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] const std::deque<Source>& sources() const { return sources_; }
  [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }

 private:
  friend class Compilation;

  SourceId intern_source(Source source);
  NodeId intern_node(Node node);
  [[nodiscard]] unsigned height(NodeId node) const { return heights_[node]; }
  CheckId intern_check(const std::string& text, Check check);
  [[nodiscard]] Owner owner(SourceId source) const;
  void add_index(SourceId source, bool fold_case, const std::vector<CheckId>& checks);
  void place_answers();

  std::vector<schema::Field> extra_;
  std::vector<Node> nodes_;
  std::vector<unsigned> heights_;
  std::deque<Source> sources_;
  std::vector<Check> checks_;
  std::vector<SourceIndex> indexes_;
  std::vector<CheckPlace> places_;
  std::array<AnswerWords, kOwners> words_{};
  std::unordered_map<std::string, SourceId> source_of_;
  std::unordered_map<std::string, CheckId> check_of_;
  std::unordered_map<std::string, NodeId> node_of_;
  std::unordered_map<std::string, NodeId> macro_of_;
};

/// Parses the right side of a check for the type of its left side.
std::expected<Constants, std::string> parse_constants(const Source& left, Operator op,
                                                      const std::vector<std::string>& texts);
/// Nothing when the operator suits the type, otherwise why not.
std::optional<std::string> refuse_operator(const Source& left, Operator op, Modifier modifier);

/// True for names that evt.type can have, here or in libsinsp.
bool is_event_type(std::string_view name);
/// All such names: what a condition that does not look at evt.type may match.
const std::vector<std::string_view>& event_types();

/// Event types with which the node can be true, as flags in the order of event_types().
std::vector<bool> possible_types(const Program& program, NodeId node);

}  // namespace coff::rules
