// Outputs of rules: parsed once, rendered for each finding.
#include "rules/output.hpp"

#include <algorithm>

#include "rules/parser.hpp"

namespace coff::rules {

namespace {

// Views borrow the event, which a finding outlives.
schema::Value owned(const schema::Value& value) {
  if (const auto* view = std::get_if<std::string_view>(&value)) return std::string(*view);
  return value;
}

class OutputCompiler {
 public:
  OutputCompiler(Program& program, std::string_view text) : program_(program), text_(text) {}

  std::expected<Output, OutputError> run() {
    if (text_.starts_with('*')) at_ = 1;  // Every output is printed even if a value is missing.
    while (at_ < text_.size()) {
      const size_t percent = std::min(text_.find('%', at_), text_.size());
      if (percent > at_) {
        output_.parts.push_back({.text = std::string(text_.substr(at_, percent - at_))});
      }
      at_ = percent;
      if (at_ == text_.size()) break;
      if (!token()) return std::unexpected(std::move(error_));
    }
    return std::move(output_);
  }

 private:
  bool fail(std::string message, CompileError::Kind kind = CompileError::Kind::kOther) {
    error_ = {.kind = kind, .message = std::move(message), .offset = at_};
    return false;
  }

  bool token() {
    size_t begin = at_ + 1;
    std::uint32_t width = 0;
    while (begin < text_.size() && text_[begin] >= '0' && text_[begin] <= '9') {
      width = std::min(width * 10 + static_cast<std::uint32_t>(text_[begin] - '0'), kWidthMax);
      ++begin;
    }
    if (begin == text_.size()) {
      return fail("invalid formatting syntax: formatting cannot end with a % or a number");
    }
    const std::string_view rest = text_.substr(begin);
    size_t length = 0;
    auto operand = parse_operand(rest, length);
    std::string why = operand ? "" : operand.error().message;
    while (operand) {
      const auto source = program_.add_source(*operand);
      if (source) {
        output_.parts.push_back({.text = {}, .source = *source, .width = width});
        at_ = begin + length;
        return true;
      }
      if (why.empty()) why = source.error().message;
      if (!shorten(*operand, length)) break;
    }
    const size_t end = std::min(rest.find_first_of(" \t\n,;"), rest.size());
    return fail("invalid formatting token %" +
                    std::string(rest.substr(0, std::min(end, size_t{64}))) + ": " + why,
                CompileError::Kind::kUnknownField);
  }

  // "proc.name.x" may be the field proc.name and the text ".x".
  static bool shorten(Operand& operand, size_t& length) {
    if (operand.type != Operand::Type::kField) return false;
    if (operand.argument) {
      operand.argument.reset();
      length = operand.text.size();
      return true;
    }
    const size_t dot = operand.text.rfind('.');
    if (dot == operand.text.npos || operand.text.find('.') == dot) return false;
    operand.text.resize(dot);
    length = dot;
    return true;
  }

  Program& program_;
  std::string_view text_;
  size_t at_ = 0;
  Output output_;
  OutputError error_;
};

}  // namespace

std::expected<Output, OutputError> compile_output(Program& program, std::string_view text) {
  return OutputCompiler(program, text).run();
}

void Output::render(const Program& program, Evaluation& evaluation, std::string& out,
                    std::vector<FindingField>& fields) const {
  for (const Part& part : parts) {
    if (out.size() > kOutputBytesMax) break;
    if (part.source == kNone) {
      out += part.text;
      continue;
    }
    const schema::Value& value = evaluation.value(part.source);
    std::string text = shown_value(value);
    if (part.width > 0) text.resize(part.width, ' ');
    out += text;
    const Source& source = program.sources()[part.source];
    // Values that a transformer made are not fields.
    if (source.kind != Source::Kind::kField) continue;
    const bool known = std::ranges::any_of(
        fields, [&](const FindingField& field) { return field.name == source.name; });
    if (!known) fields.push_back({source.name, owned(value)});
  }
  if (out.size() > kOutputBytesMax) out.resize(kOutputBytesMax);
}

}  // namespace coff::rules
