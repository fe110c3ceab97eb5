// Compiles one side of a check, or a value of an output: fields, literals, transformers.
#include "rules/compile_operand.hpp"

namespace coff::rules {

namespace {

using Outcome = std::expected<SourceId, CompileError>;
using schema::Type;

std::unexpected<CompileError> refuse(std::string message, const Operand& operand) {
  return std::unexpected(
      CompileError{.message = std::move(message), .place = operand.place, .macro = {}});
}

class OperandCompiler {
 public:
  OperandCompiler(const Program& program, Side side, const SourceAdder& adder)
      : program_(program), side_(side), adder_(adder) {}

  Outcome operand(const Operand& operand) {
    switch (operand.type) {
      case Operand::Type::kField: return field(operand, false);
      case Operand::Type::kTransform: return transform(operand);
      case Operand::Type::kList: return list(operand);
      default: return literal(operand);
    }
  }

 private:
  [[nodiscard]] const Source& source(SourceId id) const { return program_.sources()[id]; }

  Outcome field(const Operand& operand, bool inside) {
    const auto meaning = find_meaning(operand, adder_.extra);
    if (!meaning) {
      const bool unknown = meaning.error().code == Code::kNotFound;
      return std::unexpected(CompileError{
          .kind = unknown ? CompileError::Kind::kUnknownField : CompileError::Kind::kOther,
          .message = meaning.error().what,
          .place = operand.place,
          .macro = {}});
    }
    if (side_ == Side::kRight && !meaning->right_side) {
      return refuse("field '" + operand.text + "' can't stand on the right of an operator",
                    operand);
    }
    if (side_ == Side::kOutput && !meaning->output) {
      return refuse("field '" + operand.text + "' can't be printed", operand);
    }
    if (inside && !meaning->transform) {
      return refuse("field '" + operand.text + "' can't be given to a transformer", operand);
    }
    Source made{.kind = Source::Kind::kField};
    made.field = meaning->reference;
    made.argument = std::string(meaning->reference.argument.name);
    made.type = meaning->reference.field->type;
    made.reach = meaning->reach;
    made.name = to_text(operand);
    return adder_.add(std::move(made));
  }

  Outcome literal(const Operand& operand) {
    Source made{.kind = Source::Kind::kLiteral};
    made.type = operand.type == Operand::Type::kNumber ? Type::kInteger : Type::kText;
    made.literal = operand.text;
    made.name = to_text(operand);
    return adder_.add(std::move(made));
  }

  Outcome list(const Operand& operand) {
    Source made{.kind = Source::Kind::kList, .reach = Reach::kList};
    for (const Operand& item : operand.items) {
      const Outcome input = argument(item);
      if (!input) return input;
      if (!is_text(*input)) return refuse("a list here holds text only", item);
      made.inputs.push_back(*input);
    }
    made.name = to_text(operand);
    return adder_.add(std::move(made));
  }

  Outcome argument(const Operand& operand) {
    return operand.type == Operand::Type::kField ? field(operand, true) : this->operand(operand);
  }

  [[nodiscard]] bool is_text(SourceId id) const {
    const Source& input = source(id);
    return (input.type == Type::kText || input.type == Type::kPath) && input.reach == Reach::kOne;
  }

  Outcome transform(const Operand& operand) {
    if (operand.transform == Transform::kVal) return field(operand.items.front(), false);
    const std::string name(transform_name(operand.transform));
    Source made{.kind = Source::Kind::kTransform, .transform = operand.transform};
    for (const Operand& item : operand.items) {
      const Outcome input = argument(item);
      if (!input) return input;
      made.inputs.push_back(*input);
    }
    if (operand.argument && operand.transform != Transform::kGetopt) {
      return refuse("transformer '" + name + "' takes nothing in brackets", operand);
    }
    if (const auto why = refuse_inputs(made)) {
      return refuse("transformer '" + name + "' " + *why, operand);
    }
    if (operand.transform == Transform::kLen) made.type = Type::kUnsigned;
    if (operand.transform == Transform::kGetopt) {
      made.pick = operand.argument;
      if (!made.pick) made.reach = Reach::kList;
    }
    made.name = to_text(operand);
    return adder_.add(std::move(made));
  }

  // Why the inputs do not suit the transformer, nothing when they do.
  [[nodiscard]] std::optional<std::string> refuse_inputs(const Source& made) const {
    const auto& inputs = made.inputs;
    const auto text = [&](size_t at) { return is_text(inputs[at]); };
    const auto bytes = [&](size_t at) { return source(inputs[at]).type == Type::kBytes; };
    const auto several = [&](size_t at) { return source(inputs[at]).reach == Reach::kList; };
    switch (made.transform) {
      case Transform::kJoin:
        if (inputs.size() != 2) return "takes a separator and a list";
        if (!text(0) || !several(1)) return "takes a text and a list";
        return std::nullopt;
      case Transform::kGetopt:
        if (inputs.size() != 2) return "takes a list and the option letters";
        if ((!several(0) && !text(0)) || !text(1)) return "takes a list and a text";
        return std::nullopt;
      case Transform::kConcat:
        if (inputs.size() < 2) return "takes two texts or more";
        for (size_t at = 0; at < inputs.size(); ++at) {
          if (!text(at)) return "takes only texts";
        }
        return std::nullopt;
      case Transform::kLen:
        if (inputs.size() != 1) return "takes one value";
        if (!text(0) && !bytes(0) && !several(0)) return "takes a text or a list";
        return std::nullopt;
      case Transform::kB64:
        if (inputs.size() == 1 && bytes(0)) return std::nullopt;
        [[fallthrough]];
      default:
        if (inputs.size() != 1) return "takes one value";
        if (!text(0)) return "takes a text";
        return std::nullopt;
    }
  }

  const Program& program_;
  Side side_;
  const SourceAdder& adder_;
};

}  // namespace

std::expected<SourceId, CompileError> compile_operand(const Program& program,
                                                      const Operand& operand, Side side,
                                                      const SourceAdder& adder) {
  return OperandCompiler(program, side, adder).operand(operand);
}

}  // namespace coff::rules
