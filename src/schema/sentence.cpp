// One event as one readable line: who, where, by whom.
#include "schema/sentence.hpp"

#include <cerrno>

#include <ctime>

#include "base/bytes.hpp"
#include "schema/constants.hpp"
#include "schema/event_writer.hpp"
#include "schema/sentence_writer.hpp"

namespace coff::schema {

namespace {

std::string_view colour_of(Tone tone) {
  constexpr std::string_view kColours[] = {"",         "\x1b[2m",  "\x1b[36m", "\x1b[1m",
                                           "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[34m"};
  return kColours[static_cast<size_t>(tone)];
}

void say_time(SentenceWriter& writer, std::int64_t wall_ns) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  constexpr std::int64_t kNsPerMs = 1'000'000;
  std::int64_t seconds = wall_ns / kNsPerSecond;
  std::int64_t rest = wall_ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  const std::time_t when = seconds;
  std::tm parts{};
  if (writer.options().utc) gmtime_r(&when, &parts);
  else localtime_r(&when, &parts);
  char text[24];
  const size_t length = std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  std::string line(text, length);
  std::string milliseconds = std::to_string(rest / kNsPerMs);
  line += '.' + std::string(3 - milliseconds.size(), '0') + milliseconds;
  writer.say(line, Tone::kDim).say(" ");
}

void say_container(SentenceWriter& writer, const Container* container) {
  constexpr size_t kShortId = 12;
  if (container == nullptr) {
    writer.say("host", Tone::kDim);
    return;
  }
  const std::string_view id = std::string_view(container->id).substr(0, kShortId);
  writer.show(container->name.empty() ? id : std::string_view(container->name), Tone::kContainer);
  if (container->image.empty()) return;
  writer.say("(", Tone::kDim).show(container->image, Tone::kDim).say(")", Tone::kDim);
}

// Who acted: an exec is told by the process that started the new one.
const Process* actor_of(const Event& event) {
  if (event.process == nullptr) return nullptr;
  const bool replaced = event.kind == Kind::exec && !event.failed();
  if (replaced && event.process->parent != nullptr) return event.process->parent.get();
  return event.process.get();
}

void say_user(SentenceWriter& writer, const Event& event, std::uint32_t uid) {
  const std::string_view name = user_name(event, writer.options().names, uid);
  if (name.empty()) writer.say("uid ").number(uid);
  else writer.show(name, uid == 0 ? Tone::kNotable : Tone::kPlain);
}

// "by alice from 192.0.2.7 via docker exec".
void say_author(SentenceWriter& writer, const Person& person) {
  writer.say("by ");
  writer.show(person.component.empty() ? person.user : person.component);
  if (!person.address.empty()) writer.say(" from ").show(person.address);
  if (!person.via.empty()) writer.say(" via ").show(person.via);
  writer.say(" ");
}

void say_person(SentenceWriter& writer, const Event& event) {
  const Credentials& credentials = event.credentials;
  writer.say("  ");
  if (event.process->person != nullptr) {
    say_author(writer, *event.process->person);
  } else if (credentials.loginuid != kNoLogin) {
    const UserNames* names = writer.options().names;
    const auto name = names == nullptr ? std::string_view{} : names->user(credentials.loginuid);
    writer.say("by ");
    if (name.empty()) writer.say("uid ").number(credentials.loginuid);
    else writer.show(name);
    writer.say(" (login) ");
  }
  writer.say("as ");
  say_user(writer, event, credentials.uid);
  if (credentials.euid != credentials.uid) {
    writer.say(", effectively ");
    say_user(writer, event, credentials.euid);
  }
}

}  // namespace

void SentenceWriter::begin(Tone tone) {
  if (options_.colour) out_ += colour_of(tone);
}

void SentenceWriter::end(Tone tone) {
  if (options_.colour && tone != Tone::kPlain) out_ += "\x1b[0m";
}

SentenceWriter& SentenceWriter::say(std::string_view words, Tone tone) {
  begin(tone);
  out_ += words;
  end(tone);
  return *this;
}

SentenceWriter& SentenceWriter::show(std::string_view text, Tone tone) {
  size_t size = 0;
  while (size < text.size()) {
    const size_t next = size + std::max<size_t>(utf8_sequence(text.substr(size)), 1);
    if (next > kSentenceTextMax) break;
    size = next;
  }
  begin(tone);
  if (text.empty()) out_ += '?';
  append_printable(out_, text.substr(0, size));
  if (size < text.size()) out_ += "\u2026";
  end(tone);
  return *this;
}

SentenceWriter& SentenceWriter::number(std::uint64_t value, Tone tone) {
  return say(std::to_string(value), tone);
}

std::string command_text(const Program& program, const SentenceOptions& options) {
  const auto hide = [](std::string_view) { return std::string("***"); };
  std::vector<std::string> hidden;
  if (options.redactor != nullptr) hidden = options.redactor->redact_arguments(program.argv, hide);
  const auto& argv = options.redactor != nullptr ? hidden : program.argv;
  // argv[0] is what the caller wishes to be called; people want to know the program.
  std::string text = program.filename.empty() ? program.exe : program.filename;
  for (size_t at = 1; at < argv.size() && text.size() <= kSentenceTextMax; ++at) {
    text += ' ';
    text += argv[at];
  }
  return text;
}

void append_sentence(std::string& out, const Event& event, const SentenceOptions& options) {
  SentenceWriter writer(out, options);
  say_time(writer, event.wall_ns);
  say_container(writer, event.container.get());
  writer.say(" ");
  if (const Process* actor = actor_of(event)) {
    writer.show(actor->name, Tone::kProcess).say("[").number(actor->pid).say("] ");
  }
  say_what(writer, event);
  // A connection under way is no failure: most programs connect without waiting.
  if (event.failed() && event.result != -EINPROGRESS) {
    const std::string_view name = errno_name(-event.result);
    writer.say(" failed (", Tone::kBad);
    if (name.empty())
      writer.number(static_cast<std::uint64_t>(-(event.result + 1)) + 1, Tone::kBad);
    else writer.say(name, Tone::kBad);
    writer.say(")", Tone::kBad);
  }
  if ((event.flags & COFF_F_IO_URING) != 0) writer.say(" (io_uring)", Tone::kNotable);
  if ((event.flags & COFF_F_COMPAT32) != 0) writer.say(" (32-bit)", Tone::kNotable);
  if ((event.flags & COFF_F_TRUNCATED) != 0) writer.say(" (cut)", Tone::kDim);
  if (event.process != nullptr) say_person(writer, event);
}

}  // namespace coff::schema
