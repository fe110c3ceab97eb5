// Compiles parsed conditions into a program.
#include <algorithm>
#include <utility>

#include "rules/compile_operand.hpp"
#include "rules/parser.hpp"
#include "rules/program.hpp"

namespace coff::rules {

/// One condition on its way into a program.
class Compilation {
 public:
  Compilation(Program& program, const Macros& macros, std::vector<CompileWarning>& warnings)
      : program_(program), macros_(macros), warnings_(warnings) {}

  using Outcome = std::expected<NodeId, CompileError>;

  Outcome node(const Expression& expression) {
    if (++depth_ > kHeightMax) return refuse("conditions are nested too deeply", expression.place);
    Outcome outcome = by_type(expression);
    --depth_;
    return outcome;
  }

 private:
  std::unexpected<CompileError> refuse(std::string message, const Place& place,
                                       CompileError::Kind kind = CompileError::Kind::kOther) const {
    return std::unexpected(CompileError{
        .kind = kind, .message = std::move(message), .place = place, .macro = current_});
  }

  Outcome by_type(const Expression& expression) {
    switch (expression.type) {
      case Expression::Type::kCheck: return check(expression);
      case Expression::Type::kIdentifier: return macro(expression);
      case Expression::Type::kNot: return compound(expression, Node::Type::kNot);
      case Expression::Type::kAnd: return compound(expression, Node::Type::kAnd);
      case Expression::Type::kOr: break;
    }
    return compound(expression, Node::Type::kOr);
  }

  Outcome compound(const Expression& expression, Node::Type type) {
    Node made{.type = type, .check = kNone, .children = {}};
    unsigned height = 0;
    for (const Expression& child : expression.children) {
      const Outcome compiled = node(child);
      if (!compiled) return compiled;
      height = std::max(height, program_.height(*compiled));
      made.children.push_back(*compiled);
    }
    if (height >= kHeightMax) {
      return refuse("macros are nested deeper than " + std::to_string(kHeightMax),
                    expression.place);
    }
    if (program_.nodes().size() >= kNodesMax) {
      return refuse("more than " + std::to_string(kNodesMax) + " parts of conditions",
                    expression.place);
    }
    return program_.intern_node(std::move(made));
  }

  Outcome macro(const Expression& expression) {
    const std::string& name = expression.name;
    const auto done = program_.macro_of_.find(name);
    if (done != program_.macro_of_.end()) return done->second;
    const auto found = macros_.find(name);
    if (found == macros_.end()) {
      return refuse("Undefined macro '" + name + "' used in filter.", expression.place,
                    CompileError::Kind::kUnknownMacro);
    }
    if (std::ranges::find(open_, name) != open_.end()) {
      return refuse("reference loop in macro '" + name + "'", expression.place);
    }
    open_.push_back(name);
    std::string outer = std::exchange(current_, name);
    const Outcome compiled = node(found->second);
    current_ = std::move(outer);
    open_.pop_back();
    if (compiled) program_.macro_of_.emplace(name, *compiled);
    return compiled;
  }

  void warn(std::string message, const Place& place,
            std::string_view code = "LOAD_COMPILE_CONDITION") {
    warnings_.push_back(
        {.code = code, .message = std::move(message), .place = place, .macro = current_});
  }

  void warn_of_deprecated(const Operand& operand) {
    if (operand.type == Operand::Type::kField) {
      const auto meaning = find_meaning(operand);
      if (meaning && meaning->deprecated) {
        warn("usage of deprecated field '" + operand.text +
                 "' has been detected in the rule condition",
             operand.place, "LOAD_DEPRECATED_ITEM");
      }
    }
    for (const Operand& item : operand.items) warn_of_deprecated(item);
  }

  // Text on the right that is the name of a field, or looks like a transformer.
  void warn_of_misuse(const Operand& operand) {
    const std::string& text = operand.text;
    size_t length = 0;
    if (text.find('.') == text.npos || text.find(' ') != text.npos) return;
    const auto parsed = parse_operand(text, length);
    if (!parsed || length != text.size()) return;
    if (parsed->type == Operand::Type::kTransform) {
      warn("'" + text + "' may be a valid field transformer misused as a const string value",
           operand.place);
    } else if (field_is_known(*parsed)) {
      warn("'" + text + "' may be a valid field misused as a const string value", operand.place);
    }
  }

  Outcome check(const Expression& expression) {
    warn_of_deprecated(expression.left);
    const auto left = compile_operand(program_, expression.left, Side::kLeft, adder());
    if (!left) return refused(left.error());
    const Source& source = program_.sources()[*left];
    if (const auto why = refuse_operator(source, expression.op, expression.modifier)) {
      return refuse(*why, expression.place);
    }
    Check made{
        .left = *left, .op = expression.op, .modifier = expression.modifier, .constants = {}};
    if (expression.op != Operator::kExists) {
      const bool has_value = expression.right.type == Operand::Type::kTransform;
      const auto done =
          has_value ? value_right(expression, made) : constant_right(expression, made);
      if (!done) return std::unexpected(done.error());
    }
    Expression plain = expression;
    plain.doubled = false;
    const CheckId id = program_.intern_check(to_text(plain), std::move(made));
    return program_.intern_node({.type = Node::Type::kCheck, .check = id, .children = {}});
  }

  std::expected<void, CompileError> value_right(const Expression& expression, Check& made) {
    warn_of_deprecated(expression.right);
    const auto right = compile_operand(program_, expression.right, Side::kRight, adder());
    if (!right) return refused(right.error());
    const Source& a = program_.sources()[made.left];
    const Source& b = program_.sources()[*right];
    if (made.op == Operator::kPmatch || made.op == Operator::kRegex ||
        made.op == Operator::kSearch) {
      return refuse(
          "operator '" + std::string(operator_name(made.op)) + "' can't compare with another field",
          expression.right.place);
    }
    const auto is_text = [](schema::Type type) {
      return type == schema::Type::kText || type == schema::Type::kPath;
    };
    const bool same = a.type == b.type || (is_text(a.type) && is_text(b.type));
    const bool lists = (a.reach == Reach::kList) == (b.reach == Reach::kList);
    if (!same || !lists || a.type == schema::Type::kNetwork) {
      return refuse("'" + a.name + "' and '" + b.name + "' have types that can't be compared: " +
                        std::string(schema::type_name(a.type)) + " and " +
                        std::string(schema::type_name(b.type)),
                    expression.right.place);
    }
    made.right = *right;
    return {};
  }

  std::expected<void, CompileError> constant_right(const Expression& expression, Check& made) {
    std::vector<std::string> texts;
    if (expression.right.type == Operand::Type::kList) {
      texts.reserve(expression.right.items.size());
      for (const Operand& item : expression.right.items) {
        warn_of_misuse(item);
        texts.push_back(item.text);
      }
    } else {
      warn_of_misuse(expression.right);
      texts.push_back(expression.right.text);
    }
    const Source& source = program_.sources()[made.left];
    if (source.name == "evt.type" && is_exact(made.op)) {
      for (const std::string& text : texts) {
        if (is_event_type(text)) continue;
        return refuse("unknown event type '" + text.substr(0, 64) + "'", expression.right.place,
                      CompileError::Kind::kUnknownField);
      }
    }
    auto constants = parse_constants(source, made.op, texts);
    if (!constants) return refuse(constants.error(), expression.right.place);
    if (made.op == Operator::kRegex) warn_of_regex(texts.front(), expression);
    made.constants = std::move(*constants);
    if (made.modifier != Modifier::kNone) {
      made.constants.set.insert(made.constants.texts.begin(), made.constants.texts.end());
    }
    return {};
  }

  void warn_of_regex(const std::string& pattern, const Expression& expression) {
    std::string_view core = pattern;
    if (core.starts_with("^")) core.remove_prefix(1);
    if (core.ends_with("$")) core.remove_suffix(1);
    if (core.starts_with(".*")) core.remove_prefix(2);
    if (core.ends_with(".*")) core.remove_suffix(2);
    if (core.find_first_of("\\^$.|?*+()[]{}") != core.npos) return;
    warn(
        "a regular expression without need may be optimized: '=', 'contains', 'startswith' or "
        "'endswith' do the same",
        expression.right.place);
  }

  static bool is_exact(Operator op) {
    return op == Operator::kEqual || op == Operator::kNotEqual || op == Operator::kIn ||
           op == Operator::kIntersects;
  }

  std::unexpected<CompileError> refused(CompileError error) const {
    error.macro = current_;
    return std::unexpected(std::move(error));
  }

  SourceAdder adder() {
    return {.extra = program_.extra_,
            .add = [this](Source source) { return program_.intern_source(std::move(source)); }};
  }

  Program& program_;
  const Macros& macros_;
  std::vector<CompileWarning>& warnings_;
  std::vector<std::string> open_;
  std::string current_;
  unsigned depth_ = 0;
};

std::expected<NodeId, CompileError> Program::add(const Expression& expression, const Macros& macros,
                                                 std::vector<CompileWarning>& warnings) {
  return Compilation(*this, macros, warnings).node(expression);
}

std::expected<SourceId, CompileError> Program::add_source(const Operand& operand) {
  return compile_operand(
      *this, operand, Side::kOutput,
      {.extra = extra_, .add = [this](Source source) { return intern_source(std::move(source)); }});
}

SourceId Program::intern_source(Source source) {
  std::string key = source.name;
  if (source.kind == Source::Kind::kLiteral) key += "\x01literal";
  const auto [found, fresh] =
      source_of_.try_emplace(std::move(key), static_cast<SourceId>(sources_.size()));
  if (!fresh) return found->second;
  Source& kept = sources_.emplace_back(std::move(source));
  // The argument's name points into the text that stays with the source.
  if (!kept.argument.empty()) kept.field.argument.name = kept.argument;
  return found->second;
}

CheckId Program::intern_check(const std::string& text, Check check) {
  const auto [found, fresh] = check_of_.try_emplace(text, static_cast<CheckId>(checks_.size()));
  if (fresh) checks_.push_back(std::move(check));
  return found->second;
}

NodeId Program::intern_node(Node node) {
  std::string key(1, static_cast<char>(node.type));
  key.append(reinterpret_cast<const char*>(&node.check), sizeof node.check);
  key.append(reinterpret_cast<const char*>(node.children.data()),
             node.children.size() * sizeof(NodeId));
  const auto [found, fresh] =
      node_of_.try_emplace(std::move(key), static_cast<NodeId>(nodes_.size()));
  if (!fresh) return found->second;
  unsigned height = 0;
  for (const NodeId child : node.children) height = std::max(height, heights_[child]);
  heights_.push_back(height + 1);
  nodes_.push_back(std::move(node));
  return found->second;
}

}  // namespace coff::rules
