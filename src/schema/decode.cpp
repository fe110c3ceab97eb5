// Checked view of one kernel record (bpf/wire.h).
#include "schema/decode.hpp"

#include <cstdint>
#include <initializer_list>

namespace coff::schema {

namespace {

constexpr size_t kShapeSizes[] = {sizeof(coff_fork),   sizeof(coff_exec), sizeof(coff_exit),
                                  sizeof(coff_file),   sizeof(coff_sock), sizeof(coff_call),
                                  sizeof(coff_cgroup), sizeof(coff_api),  sizeof(coff_flow)};

bool strings_inside(std::initializer_list<coff_str> strings, size_t shape_size, size_t size) {
  bool inside = true;
  for (const coff_str& where : strings) {
    const size_t end = static_cast<size_t>(where.off) + where.len;
    inside =
        inside && (where.len == 0 ? where.off <= size : where.off >= shape_size && end <= size);
  }
  return inside;
}

bool strings_inside(const Record& record, size_t size) {
  switch (record.shape()) {
    case Shape::fork:
    case Shape::exit:
    case Shape::flow: return true;
    case Shape::exec: {
      const coff_exec& exec = record.exec();
      return strings_inside({exec.exe, exec.filename, exec.interp, exec.cwd, exec.argv, exec.env},
                            sizeof exec, size);
    }
    case Shape::file: {
      const coff_file& file = record.file();
      return strings_inside(
          {file.raw, file.base, file.resolved, file.raw2, file.base2, file.resolved2}, sizeof file,
          size);
    }
    case Shape::sock: return strings_inside({record.sock().path}, sizeof(coff_sock), size);
    case Shape::call: return strings_inside({record.call().text}, sizeof(coff_call), size);
    case Shape::cgroup: return strings_inside({record.cgroup().path}, sizeof(coff_cgroup), size);
    case Shape::api:
      return strings_inside({record.api().socket, record.api().bytes}, sizeof(coff_api), size);
  }
  return false;
}

std::unexpected<Error> corrupt(const char* what) {
  return fail(Code::kCorrupt, std::string("kernel record refused: ") + what);
}

}  // namespace

Result<Record> Record::parse(std::span<const std::byte> bytes) {
  const Record record(bytes);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(coff_hdr) != 0) {
    return corrupt("not aligned");
  }
  if (bytes.size() < sizeof(coff_hdr)) return corrupt("shorter than a header");
  const coff_hdr& header = record.header();
  if (header.size != bytes.size() || header.size > COFF_RECORD_MAX) return corrupt("wrong size");
  if (header.kind >= COFF_KINDS) return corrupt("unknown kind");
  if (header.lane != kLanes[header.kind]) return corrupt("wrong lane for its kind");
  const size_t shape_size = kShapeSizes[static_cast<size_t>(record.shape())];
  if (bytes.size() < shape_size) return corrupt("shorter than its shape");
  if (!strings_inside(record, bytes.size())) return corrupt("a string lies outside");
  return record;
}

std::string_view Record::comm() const {
  const coff_hdr& head = header();
  size_t length = 0;
  while (length < COFF_COMM_LEN && head.comm[length] != '\0') ++length;
  return {head.comm, length};
}

}  // namespace coff::schema
