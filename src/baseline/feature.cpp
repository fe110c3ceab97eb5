// From one event of a container to what it says about the container's service.
#include "baseline/feature.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "schema/constants.hpp"
#include "schema/path.hpp"

namespace coff::baseline {

namespace {

constexpr unsigned kCalls[] = {
    COFF_KIND_ptrace,      COFF_KIND_vm_access,     COFF_KIND_pidfd_getfd, COFF_KIND_setns,
    COFF_KIND_unshare,     COFF_KIND_chroot,        COFF_KIND_pivot_root,  COFF_KIND_mount,
    COFF_KIND_umount,      COFF_KIND_move_mount,    COFF_KIND_open_tree,   COFF_KIND_fsmount,
    COFF_KIND_module_load, COFF_KIND_module_unload, COFF_KIND_bpf,         COFF_KIND_memfd_create,
    COFF_KIND_userfaultfd, COFF_KIND_io_uring_setup};
constexpr unsigned kFiles[] = {COFF_KIND_rename, COFF_KIND_link,  COFF_KIND_symlink,
                               COFF_KIND_mkdir,  COFF_KIND_mknod, COFF_KIND_truncate};
constexpr unsigned kOthers[] = {COFF_KIND_exec, COFF_KIND_setid, COFF_KIND_capset, COFF_KIND_listen,
                                COFF_KIND_bind};
/// Files from which a runtime makes containers; never part of an image.
constexpr std::string_view kRuntimes[] = {
    "/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc",
    "/usr/bin/crun", "/runc",          "/usr/bin/youki",      "/usr/local/bin/crun"};
constexpr std::string_view kOutside = "(outside)";

bool is_in(std::span<const unsigned> kinds, Kind kind) {
  return std::ranges::find(kinds, static_cast<unsigned>(kind)) != kinds.end();
}

std::string shortened(std::string value) {
  if (value.size() <= kValueBytesMax) return value;
  const Hash hash = sha256(value);
  value.resize(kValueBytesMax - 17);
  while (!value.empty() && (static_cast<unsigned char>(value.back()) & 0x80U) != 0)
    value.pop_back();
  return value + '~' + to_hex(std::span(hash).first(8));
}

void add_path(std::vector<Feature>& out, What what, std::string_view path, bool outside = false) {
  if (!path.starts_with('/')) return;
  out.push_back({what, shortened(generalised_path(path)), outside});
}

/// The runtime inside a container that it is making. Its file lies on no overlay; a copy in memory
/// counts only as a child of such a file, because anybody can give memory that name.
bool is_runtime(const Process* process) {
  constexpr std::uint32_t kOfContainers = COFF_EXE_OVERLAY | COFF_EXE_UPPER;
  for (int level = 0; process != nullptr && level < 2; ++level, process = process->parent.get()) {
    const Program* program = process->program.get();
    if (program == nullptr || (program->exe_flags & kOfContainers) != 0) return false;
    if (std::ranges::find(kRuntimes, program->exe) != std::end(kRuntimes)) return true;
    if (!program->exe.starts_with("/memfd:runc_cloned")) return false;
  }
  return false;
}

bool is_outside_image(const Program& program) {
  return (program.exe_flags & (COFF_EXE_UPPER | COFF_EXE_MEMFD | COFF_EXE_TMPFS)) != 0;
}

void add_capabilities(std::vector<Feature>& out, std::uint64_t set) {
  for (unsigned number = 0; number < 64; ++number) {
    const std::uint64_t bit = std::uint64_t{1} << number;
    if ((set & bit) != 0) out.push_back({What::kCapability, schema::capabilities_text(bit)});
  }
}

void add_program(std::vector<Feature>& out, const Event& event) {
  const Process& process = *event.process;
  const Program& program = *process.program;
  const bool outside = is_outside_image(program);
  add_path(out, What::kExecutable, program.exe, outside);
  if (!program.interp.empty() && program.interp != program.filename) {
    add_path(out, What::kExecutable, schema::lexical_path(process.cwd, program.filename));
  }
  const Process* parent = process.parent.get();
  const bool inside = parent != nullptr && parent->container != nullptr &&
                      parent->container->id == event.container->id && !is_runtime(parent);
  // Whose start nobody saw has a parent that nobody knows.
  if (event.kind == Kind::exec && (!inside || parent->program != nullptr)) {
    const std::string from =
        inside ? generalised_path(parent->program->exe) : std::string(kOutside);
    out.push_back({What::kChild, shortened(from + " > " + generalised_path(program.exe)), outside});
  }
  add_capabilities(out, process.capabilities.effective);
  out.push_back({What::kUser, std::to_string(event.credentials.euid)});
}

void add_file(std::vector<Feature>& out, const Event& event, const FileInfo& file) {
  if (event.kind == Kind::open) {
    if ((file.open_flags & (O_WRONLY | O_RDWR | O_CREAT)) == 0) return;
    const bool device = S_ISCHR(file.mode) || S_ISFIFO(file.mode) || S_ISSOCK(file.mode);
    if (device || (file.file_flags & COFF_FILE_MEMFD) != 0) return;
  }
  const bool second =
      event.kind == Kind::rename || event.kind == Kind::link || event.kind == Kind::symlink;
  const Path& path = second ? file.path2 : file.path;
  add_path(out, What::kFile, path.resolved.empty() ? path.name : path.resolved);
}

void add_port(std::vector<Feature>& out, const Event& event, const SocketInfo& socket) {
  constexpr std::uint16_t kEphemeral = 32768;
  const bool stream = (socket.type & 15U) == SOCK_STREAM;
  const bool internet = socket.family == AF_INET || socket.family == AF_INET6;
  const bool opens = event.kind == Kind::listen ? stream : !stream;
  if (!internet || !opens || socket.local.port == 0) return;
  const std::string port =
      socket.local.port >= kEphemeral ? "ephemeral" : std::to_string(socket.local.port);
  out.push_back({What::kPort, (stream ? "tcp/" : "udp/") + port});
}

}  // namespace

std::optional<What> parse_what(std::string_view name) {
  const auto* const found = std::ranges::find(kWhatNames, name);
  if (found == kWhatNames.end()) return std::nullopt;
  return static_cast<What>(found - kWhatNames.begin());
}

bool is_learned_from(Kind kind) {
  static const std::vector<bool> kTable = [] {
    std::vector<bool> table(static_cast<std::size_t>(kLastKind) + 1);
    for (std::size_t each = 0; each < table.size(); ++each) {
      const auto number = static_cast<Kind>(each);
      table[each] = number == Kind::open || number == Kind::process_seen || is_in(kCalls, number) ||
                    is_in(kFiles, number) || is_in(kOthers, number);
    }
    return table;
  }();
  return kTable[static_cast<std::size_t>(kind)];
}

std::vector<Feature> features_of(const Event& event) {
  std::vector<Feature> out;
  if (event.container == nullptr || event.process == nullptr || !is_learned_from(event.kind) ||
      is_runtime(event.process.get())) {
    return out;
  }
  if (is_in(kCalls, event.kind)) {
    std::string value(schema::kind_name(event.kind));
    const auto* call = std::get_if<CallInfo>(&event.detail);
    const bool spaces = event.kind == Kind::setns || event.kind == Kind::unshare;
    if (call != nullptr && spaces && call->ns_type != 0) {
      value += ' ' + schema::namespace_flags_text(call->ns_type);
    }
    out.push_back({What::kCall, std::move(value)});
    return out;
  }
  if (event.failed()) return out;
  if (event.kind == Kind::exec || event.kind == Kind::process_seen) {
    if (event.process->program != nullptr) add_program(out, event);
  } else if (event.kind == Kind::setid) {
    out.push_back({What::kUser, std::to_string(event.credentials.euid)});
  } else if (const auto* call = std::get_if<CallInfo>(&event.detail)) {
    add_capabilities(out, call->capabilities.effective);
  } else if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    add_file(out, event, *file);
  } else if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) {
    add_port(out, event, *socket);
  }
  return out;
}

std::vector<FilterClause> kernel_clauses(Files files) {
  FilterClause calls{.reason = "baseline: programs, calls, users, ports", .on_host = false};
  calls.kinds.assign(std::begin(kOthers), std::end(kOthers));
  calls.kinds.insert(calls.kinds.end(), std::begin(kCalls), std::end(kCalls));
  std::vector<FilterClause> clauses = {std::move(calls)};
  if (files != Files::kAll) return clauses;
  FilterClause writes{.reason = "baseline: files written", .on_host = false};
  writes.kinds.assign(std::begin(kFiles), std::end(kFiles));
  writes.kinds.push_back(COFF_KIND_open);
  writes.open_flags_any = COFF_OPEN_WRITE | COFF_OPEN_CREATE;
  writes.only_success = true;
  clauses.push_back(std::move(writes));
  return clauses;
}

}  // namespace coff::baseline
