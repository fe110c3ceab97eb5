// Builds the busybox root file system; asks an engine whether it is up.
#include "live/support/image.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>

#include "base/fd.hpp"
#include "live/support/process.hpp"
#include "live/support/workspace.hpp"

namespace coff::live {

Result<void> write_busybox_archive(const std::string& path) {
  const Workspace root = TRY(Workspace::create());
  const std::string busybox = TRY(run_ok({"sh", "-c", "command -v busybox"}));
  const std::string applets = TRY(run_ok({busybox, "--list"}));
  return guard(Code::kIo, "building the busybox image", [&] {
    for (const char* folder : {"bin", "etc", "tmp", "proc", "sys", "dev"})
      std::filesystem::create_directory(root / folder);
    std::filesystem::copy_file(busybox, root / "bin/busybox");
    std::istringstream names(applets);
    for (std::string name; std::getline(names, name);)
      if (name != "busybox") std::filesystem::create_symlink("busybox", root / ("bin/" + name));
    const auto made = run_ok({"tar", "-C", root.path(), "-cf", path, "."});
    if (!made) throw std::runtime_error(made.error().message());
  });
}

bool engine_answers(const std::string& socket_path) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) return false;
  socket_path.copy(address.sun_path, socket_path.size());
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return false;
  if (!write_all(socket, "GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")) return false;
  std::array<char, 256> answer;
  const ssize_t size = ::read(socket.get(), answer.data(), answer.size());
  return size > 0 &&
         std::string_view(answer.data(), static_cast<size_t>(size)).find(" 200 ") < answer.size();
}

}  // namespace coff::live
