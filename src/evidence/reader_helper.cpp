// What a reader and its helper process say to each other, and the helper's side.
#include "evidence/reader_helper.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "evidence/reader.hpp"

namespace coff::evidence {
namespace {

/// struct pm_scan_arg and its categories (linux/fs.h since 6.7).
struct ScanArgument {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t walk_end;
  std::uint64_t vec;
  std::uint64_t vec_len;
  std::uint64_t max_pages;
  std::uint64_t category_inverted;
  std::uint64_t category_mask;
  std::uint64_t category_anyof_mask;
  std::uint64_t return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr std::uint64_t kPresent = 1U << 3U;
constexpr std::uint64_t kSwapped = 1U << 4U;
constexpr std::uint64_t kZeroPage = 1U << 5U;

/// struct linux_dirent64, which no header has.
struct KernelEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

class Helper {
 public:
  explicit Helper(std::uint8_t* shared) : shared_(shared) {}

  HelperReply answer(const HelperRequest& request) {
    HelperReply reply{};
    errno = 0;
    switch (request.what) {
      case HelperWhat::kOpen: reply.result = open(request, reply); break;
      case HelperWhat::kRead: reply.result = read(request); break;
      case HelperWhat::kSeek:
        reply.result =
            ::lseek(file_, static_cast<off_t>(request.number), static_cast<int>(request.size));
        break;
      case HelperWhat::kScan: reply.result = scan(request, reply.walked_to); break;
      case HelperWhat::kLink:
        reply.result = ::readlink(path(), reinterpret_cast<char*>(shared_), kReadBytesMax);
        break;
      case HelperWhat::kList: reply.result = list(); break;
    }
    reply.error = reply.result < 0 ? errno : 0;
    return reply;
  }

 private:
  static std::int64_t close_with(int descriptor, int problem) {
    ::close(descriptor);
    errno = problem;
    return -1;
  }
  static void append_number(char* to, unsigned number) {
    char digits[12];
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) *to++ = digits[--count];
    *to = '\0';
  }
  [[nodiscard]] const char* path() const {
    return reinterpret_cast<const char*>(shared_ + 2 * kReadBytesMax);
  }

  std::int64_t open(const HelperRequest& request, HelperReply& reply) {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
    const int place = ::open(path(), O_PATH | O_CLOEXEC | static_cast<int>(request.number));
    if (place < 0) return -1;
    struct stat status{};
    if (::fstat(place, &status) != 0) return close_with(place, errno);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return close_with(place, ENXIO);
    // The very file that was looked at: its name may lead to a pipe by now.
    char name[32] = "/proc/self/fd/";
    append_number(name + std::strlen(name), static_cast<unsigned>(place));
    file_ = ::open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const int problem = file_ < 0 ? errno : 0;
    close_with(place, problem);
    if (file_ < 0) return -1;
    reply.status = {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                    static_cast<std::uint64_t>(status.st_blocks) * 512, status.st_mode};
    return 0;
  }

  // Whole, as far as there is something: a reader of memory would take a short read for its end.
  std::int64_t read(const HelperRequest& request) {
    std::uint8_t* place = shared_ + request.slot * kReadBytesMax;
    std::size_t have = 0;
    while (have < request.size) {
      const ssize_t got = ::pread(file_, place + have, request.size - have,
                                  static_cast<off_t>(request.number + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && have == 0) return -1;
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    return static_cast<std::int64_t>(have);
  }

  std::int64_t scan(const HelperRequest& request, std::uint64_t& walked_to) {
    ScanArgument argument{};
    argument.size = sizeof argument;
    argument.start = request.number;
    argument.end = request.size;
    argument.vec = reinterpret_cast<std::uint64_t>(shared_);
    argument.vec_len = kReadBytesMax / sizeof(ScannedRegion);
    // Pages that are there, but for the shared page of zeroes.
    argument.category_inverted = kZeroPage;
    argument.category_mask = kZeroPage;
    argument.category_anyof_mask = kPresent | kSwapped;
    argument.return_mask = kPresent | kSwapped;
    const int count = ::ioctl(file_, kPagemapScan, &argument);
    walked_to = argument.walk_end;
    return count;
  }

  std::int64_t list() {
    alignas(KernelEntry) char buffer[32768];
    std::size_t used = 0;
    for (;;) {
      const long got = ::syscall(SYS_getdents64, file_, buffer, sizeof buffer);
      if (got < 0) return -1;
      if (got == 0) return static_cast<std::int64_t>(used);
      for (long at = 0; at < got;) {
        KernelEntry head{};
        std::memcpy(&head, buffer + at, offsetof(KernelEntry, name));
        const char* name = buffer + at + offsetof(KernelEntry, name);
        const std::size_t size = ::strnlen(name, 256) + 1;
        if (used + size > kReadBytesMax) return static_cast<std::int64_t>(used);
        std::memcpy(shared_ + used, name, size);
        used += size;
        at += head.length;
      }
    }
  }

  std::uint8_t* shared_;
  int file_ = -1;
};

}  // namespace

void run_reader_helper(int socket, std::uint8_t* shared, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  // Other ends of pipes would never see their end if they stayed open here.
  ::dup2(socket, 3);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  Helper helper(shared);
  for (;;) {
    HelperRequest request;
    const ssize_t got = ::recv(3, &request, sizeof request, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof request)) ::_exit(0);
    const HelperReply reply = helper.answer(request);
    if (::send(3, &reply, sizeof reply, MSG_NOSIGNAL) < 0) ::_exit(0);
  }
}

}  // namespace coff::evidence
