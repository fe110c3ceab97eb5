// Reads that a hostile process can make hang, done by a process of ours that can be given up.
#include "evidence/reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "evidence/reader_helper.hpp"

namespace coff::evidence {

struct Reader::Request : HelperRequest {};
struct Reader::Reply : HelperReply {};

namespace {

/// Two read buffers, and one page for a path.
constexpr std::size_t kPathBytes = 4096;
constexpr std::size_t kSharedBytes = 2 * kReadBytesMax + kPathBytes;

Error stalled(std::int64_t stall_ms) {
  return Error{Code::kTimeout,
               "reading it took longer than " + std::to_string(stall_ms) + " ms and was given up"};
}

}  // namespace

Result<Reader> Reader::start(std::int64_t stall_ms) {
  Fd memory(::memfd_create("reader", MFD_CLOEXEC));
  if (!memory.valid()) return fail_errno("cannot make a buffer in memory");
  if (::ftruncate(memory.get(), static_cast<off_t>(kSharedBytes)) != 0) {
    return fail_errno("cannot make a buffer in memory");
  }
  void* shared = ::mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (shared == MAP_FAILED) return fail_errno("cannot map a buffer");
  Reader reader(stall_ms, std::move(memory), shared);
  TRY(reader.spawn());
  return reader;
}

Reader& Reader::operator=(Reader&& other) noexcept {
  std::swap(stall_ms_, other.stall_ms_);
  std::swap(memory_, other.memory_);
  std::swap(shared_, other.shared_);
  std::swap(socket_, other.socket_);
  std::swap(pid_, other.pid_);
  std::swap(asked_, other.asked_);
  std::swap(taken_, other.taken_);
  std::swap(stalls_, other.stalls_);
  return *this;
}

Result<void> Reader::spawn() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("cannot make a socket pair");
  }
  socket_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) return fail_errno("cannot start a reader");
  if (pid_ == 0) {
    ::close(ends[0]);
    run_reader_helper(ends[1], static_cast<std::uint8_t*>(shared_), parent);
  }
  asked_ = taken_ = 0;
  return {};
}

void Reader::end() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    // One that hangs in the kernel for good is left to init: waiting for it would hang us.
    for (int tries = 0; tries < 50; ++tries) {
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) break;
      ::usleep(1000);
    }
  }
  pid_ = -1;
  if (shared_ != nullptr) ::munmap(shared_, kSharedBytes);
  shared_ = nullptr;
}

Result<void> Reader::send(const Request& request) {
  if (stalls_ >= kStallsMax)
    return fail(Code::kTimeout, "too many reads hung: nothing more is read");
  const ssize_t sent = ::send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(sizeof request)) return fail_errno("cannot reach the reader");
  return {};
}

Result<Reader::Reply> Reader::receive() {
  pollfd entry{socket_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(stall_ms_));
  } while (ready < 0 && errno == EINTR);
  Reply reply{};
  if (ready > 0 &&
      ::recv(socket_.get(), &reply, sizeof reply, 0) == static_cast<ssize_t>(sizeof reply)) {
    return reply;
  }
  ++stalls_;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, WNOHANG);
  TRY(spawn());
  return std::unexpected(stalled(stall_ms_));
}

Result<Reader::Reply> Reader::call(const Request& request) {
  // What was asked and not taken is read over: its buffer is about to be used.
  while (taken_ != asked_) {
    TRY(receive());
    ++taken_;
  }
  TRY(send(request));
  return receive();
}

void Reader::put_path(const std::string& path) {
  char* place = static_cast<char*>(shared_) + 2 * kReadBytesMax;
  const std::size_t size = std::min(path.size(), kPathBytes - 1);
  std::memcpy(place, path.data(), size);
  place[size] = '\0';
}

Result<OpenedAs> Reader::open(const std::string& path, int flags) {
  if (path.size() >= kPathBytes) return fail(Code::kLimit, "the path is too long");
  put_path(path);
  Request request{};
  request.what = HelperWhat::kOpen;
  request.number = static_cast<std::uint64_t>(flags);
  const Reply reply = TRY(call(request));
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot open " + path);
  }
  return OpenedAs{reply.status.device, reply.status.inode, reply.status.size_bytes,
                  reply.status.allocated_bytes, reply.status.mode};
}

Result<void> Reader::ask(std::uint64_t offset, std::size_t size_bytes) {
  COFF_ASSERT(asked_ - taken_ < 2);
  Request request{};
  request.what = HelperWhat::kRead;
  request.slot = asked_ % 2;
  request.number = offset;
  request.size = std::min(size_bytes, kReadBytesMax);
  TRY(send(request));
  ++asked_;
  return {};
}

Result<std::span<const std::uint8_t>> Reader::take() {
  const unsigned slot = taken_ % 2;
  const Reply reply = TRY(receive());
  ++taken_;
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot read");
  }
  return std::span<const std::uint8_t>(
      static_cast<const std::uint8_t*>(shared_) + slot * kReadBytesMax,
      static_cast<std::size_t>(reply.result));
}

Result<std::span<const std::uint8_t>> Reader::read(std::uint64_t offset, std::size_t size_bytes) {
  while (taken_ != asked_) {
    TRY(receive());
    ++taken_;
  }
  TRY(ask(offset, size_bytes));
  return take();
}

Result<std::uint64_t> Reader::seek(std::uint64_t offset, int whence) {
  Request request{};
  request.what = HelperWhat::kSeek;
  request.number = offset;
  request.size = static_cast<std::uint64_t>(whence);
  const Reply reply = TRY(call(request));
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot seek");
  }
  return static_cast<std::uint64_t>(reply.result);
}

Result<std::vector<PageRun>> Reader::scan(std::uint64_t start, std::uint64_t end,
                                          std::uint64_t& walked_to) {
  Request request{};
  request.what = HelperWhat::kScan;
  request.number = start;
  request.size = end;
  const Reply reply = TRY(call(request));
  if (reply.error == ENOTTY || reply.error == EINVAL) {
    return fail(Code::kUnsupported, "this kernel has no PAGEMAP_SCAN");
  }
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot scan the page map");
  }
  walked_to = reply.walked_to;
  std::vector<PageRun> runs;
  const auto* regions = static_cast<const ScannedRegion*>(shared_);
  for (std::int64_t at = 0; at < reply.result; ++at) {
    if (!runs.empty() && runs.back().end == regions[at].start) runs.back().end = regions[at].end;
    else runs.push_back({regions[at].start, regions[at].end});
  }
  return runs;
}

Result<std::string> Reader::read_file(const std::string& path, std::size_t size_bytes_max,
                                      bool* cut) {
  TRY(open(path));
  std::string text;
  if (cut != nullptr) *cut = false;
  while (text.size() < size_bytes_max) {
    const std::size_t want = std::min(kReadBytesMax, size_bytes_max - text.size());
    const auto got = TRY(read(text.size(), want));
    if (got.empty()) return text;
    text.append(text_of(got));
  }
  if (cut != nullptr) *cut = !TRY(read(text.size(), 1)).empty();
  return text;
}

Result<std::string> Reader::read_link(const std::string& path) {
  if (path.size() >= kPathBytes) return fail(Code::kLimit, "the path is too long");
  put_path(path);
  Request request{};
  request.what = HelperWhat::kLink;
  const Reply reply = TRY(call(request));
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot read the link " + path);
  }
  return std::string(static_cast<const char*>(shared_), static_cast<std::size_t>(reply.result));
}

Result<std::vector<std::string>> Reader::list(const std::string& path) {
  TRY(open(path, O_DIRECTORY));
  Request request{};
  request.what = HelperWhat::kList;
  const Reply reply = TRY(call(request));
  if (reply.error != 0) {
    errno = reply.error;
    return fail_errno("cannot list " + path);
  }
  std::vector<std::string> names;
  const char* at = static_cast<const char*>(shared_);
  const char* const end = at + reply.result;
  while (at < end) {
    std::string name(at);
    at += name.size() + 1;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  return names;
}

}  // namespace coff::evidence
