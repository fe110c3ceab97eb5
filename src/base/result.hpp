// Errors as values: Result<T>, Error and the TRY macro that every room returns and uses.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace coff {

/// What kind of failure it was; callers branch on this, people read Error::what.
enum class Code : unsigned char {
  kInvalid,      ///< The input is malformed or out of its stated bounds.
  kNotFound,     ///< The thing asked for does not exist.
  kCorrupt,      ///< Stored data contradicts its own checks.
  kIo,           ///< The operating system refused or failed; see Error::os_errno.
  kDenied,       ///< Permission or policy forbids it.
  kUnsupported,  ///< This kernel, host or build cannot do it.
  kLimit,        ///< A stated limit was reached.
  kTimeout,      ///< It did not finish in the stated time.
  kBusy,         ///< Somebody else holds it; trying again later may work.
  kInternal,     ///< A promise of our own was broken.
};

/// Name of a code as printed in JSON and logs, e.g. "not_found".
constexpr std::string_view code_name(Code code) {
  constexpr std::string_view kNames[] = {"invalid",     "not_found", "corrupt", "io",   "denied",
                                         "unsupported", "limit",     "timeout", "busy", "internal"};
  return kNames[static_cast<unsigned char>(code)];
}

/// A failure: what went wrong, where, and what to do, as one sentence for an operator.
struct Error {
  Code code = Code::kInternal;
  std::string what;
  int os_errno = 0;  ///< errno at the failure, 0 when the system was not involved.
  std::source_location where = std::source_location::current();

  /// The sentence with the system's reason appended, e.g. "cannot open x: Permission denied".
  [[nodiscard]] std::string message() const {
    return os_errno == 0 ? what : what + ": " + std::strerror(os_errno);
  }
};

/// A value or an Error. Derives from std::expected because libstdc++ 12's is not [[nodiscard]].
template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// An Error ready to be returned as any Result<T>.
inline std::unexpected<Error> fail(Code code, std::string what,
                                   std::source_location where = std::source_location::current()) {
  return std::unexpected<Error>(Error{code, std::move(what), 0, where});
}

/// Like fail(), with the current errno and code kIo (kDenied for EPERM and EACCES,
/// kNotFound for ENOENT).
inline std::unexpected<Error> fail_errno(
    std::string what, std::source_location where = std::source_location::current()) {
  const int number = errno;
  Code code = Code::kIo;
  if (number == EPERM || number == EACCES) code = Code::kDenied;
  if (number == ENOENT) code = Code::kNotFound;
  return std::unexpected<Error>(Error{code, std::move(what), number, where});
}

/// Runs a call into a library that throws and turns any exception into an Error of `code`.
template <typename F>
auto guard(Code code, std::string_view doing, F&& call) -> Result<decltype(call())> {
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return {};
    } else {
      return call();
    }
  } catch (const std::exception& problem) {
    return fail(code, std::string(doing) + ": " + problem.what());
  }
}

}  // namespace coff

/// Evaluates to the value of a Result, or returns its Error from the enclosing function. May stand
/// inside the argument of another one.
#define TRY(...) COFF_TRY_AS(COFF_TRY_NAME(__COUNTER__), __VA_ARGS__)
#define COFF_TRY_NAME(number) COFF_TRY_JOIN(coff_try_result_, number)
#define COFF_TRY_JOIN(a, b) a##b
#define COFF_TRY_AS(name, ...)                                                             \
  __extension__({                                                                          \
    auto&& name = (__VA_ARGS__);                                                           \
    if (!name.has_value()) return std::unexpected<::coff::Error>(std::move(name).error()); \
    ::coff::detail::take(std::move(name));                                                 \
  })

namespace coff::detail {
template <typename T>
T take(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace coff::detail

/// A promise between programmers, checked in release builds too. Never for input.
#define COFF_ASSERT(condition)                           \
  do {                                                   \
    if (!(condition)) ::coff::assert_failed(#condition); \
  } while (false)

namespace coff {
/// Prints the broken promise with its place to standard error and aborts.
[[noreturn]] void assert_failed(const char* condition,
                                std::source_location where = std::source_location::current());
}  // namespace coff
