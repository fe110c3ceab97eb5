// Private to the room: outputs of rules, "%user.name opened %fd.name".
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "rules/evaluate.hpp"
#include "rules/finding.hpp"

namespace coff::rules {

struct Output {
  struct Part {
    std::string text;  ///< Literal; used when there is no source.
    SourceId source = kNone;
    std::uint32_t width = 0;  ///< Pads with blanks or cuts to so many bytes; 0: as long as it is.
  };
  std::vector<Part> parts;

  /// The text, "<NA>" for what is not known, at most kOutputBytesMax bytes.
  void render(const Program& program, Evaluation& evaluation, std::string& out,
              std::vector<FindingField>& fields) const;
};

inline constexpr size_t kOutputBytesMax = size_t{64} << 10;
inline constexpr std::uint32_t kWidthMax = 4096;

struct OutputError {
  CompileError::Kind kind = CompileError::Kind::kOther;
  std::string message;
  size_t offset = 0;  ///< In the output.
};
/// Compiles an output; its fields become sources of the program.
std::expected<Output, OutputError> compile_output(Program& program, std::string_view text);

}  // namespace coff::rules
