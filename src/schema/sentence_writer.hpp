// Private to the room: coloured, clipped, terminal-safe words.
#pragma once

#include <string>
#include <string_view>

#include "schema/sentence.hpp"

namespace coff::schema {

enum class Tone : unsigned char { kPlain, kDim, kContainer, kProcess, kGood, kNotable, kBad, kNet };

class SentenceWriter {
 public:
  SentenceWriter(std::string& out, const SentenceOptions& options) : out_(out), options_(options) {}

  [[nodiscard]] const SentenceOptions& options() const { return options_; }
  /// Our own words.
  SentenceWriter& say(std::string_view words, Tone tone = Tone::kPlain);
  /// Untrusted text, clipped and escaped; "?" when empty.
  SentenceWriter& show(std::string_view text, Tone tone = Tone::kPlain);
  SentenceWriter& number(std::uint64_t value, Tone tone = Tone::kPlain);

 private:
  void begin(Tone tone);
  void end(Tone tone);

  std::string& out_;
  const SentenceOptions& options_;
};

/// What happened, from the verb on: "opened /etc/passwd to read".
void say_what(SentenceWriter& writer, const Event& event);
/// Command line for people: arguments separated by blanks, secrets replaced.
std::string command_text(const Program& program, const SentenceOptions& options);

}  // namespace coff::schema
