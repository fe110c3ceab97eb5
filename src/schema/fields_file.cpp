// Fields of files and paths that do not speak of sockets.
#include <sys/stat.h>

#include "schema/address.hpp"
#include "schema/constants.hpp"
#include "schema/field_get.hpp"
#include "schema/path.hpp"

namespace coff::schema {

namespace {

const FileInfo* file_of(const Subject& subject) {
  return std::get_if<FileInfo>(&subject.event.detail);
}

// libsinsp sets fs.path.* of calls that succeeded only.
const FileInfo* changed_file(const Subject& subject) {
  return subject.event.failed() ? nullptr : file_of(subject);
}

bool has_two_paths(Kind kind) {
  return kind == Kind::rename || kind == Kind::link || kind == Kind::symlink || kind == Kind::mount;
}

// Which of the two paths libsinsp calls the source: the new name of links, the old of renames.
bool source_is_second(Kind kind) { return kind != Kind::rename; }

const Path* single_path(const Subject& subject) {
  const FileInfo* file = changed_file(subject);
  return file == nullptr || has_two_paths(acting_kind(subject.event)) ? nullptr : &file->path;
}

const Path* source_path(const Subject& subject) {
  const FileInfo* file = changed_file(subject);
  if (file == nullptr || !has_two_paths(acting_kind(subject.event))) return nullptr;
  return source_is_second(acting_kind(subject.event)) ? &file->path2 : &file->path;
}

const Path* target_path(const Subject& subject) {
  const FileInfo* file = changed_file(subject);
  if (file == nullptr || !has_two_paths(acting_kind(subject.event))) return nullptr;
  return source_is_second(acting_kind(subject.event)) ? &file->path : &file->path2;
}

Value name_of(const Path* path) { return path == nullptr ? Value{} : value_of(path->name); }
Value raw_of(const Path* path) { return path == nullptr ? Value{} : value_of(path->raw); }

// The text of a symbolic link is joined with the working directory, as libsinsp does.
Value target_name(const Subject& subject, const Argument&) {
  const Path* path = target_path(subject);
  if (path == nullptr) return {};
  const Process* process = subject.event.process.get();
  if (acting_kind(subject.event) == Kind::symlink && process != nullptr) {
    return text_value(lexical_path(process->cwd, path->raw));
  }
  return value_of(path->name);
}

template <std::uint32_t Flag>
Value has_flag(const Subject& subject, const Argument&) {
  const FileInfo* file = file_of(subject);
  return file == nullptr ? Value{} : Value{(file->file_flags & Flag) != 0};
}

Value file_type(const Subject& subject, const Argument&) {
  const FileInfo* file = file_of(subject);
  if (file == nullptr || file->mode == 0) return {};
  switch (file->mode & S_IFMT) {
    case S_IFREG: return std::string_view("file");
    case S_IFDIR: return std::string_view("directory");
    case S_IFLNK: return std::string_view("symlink");
    case S_IFCHR: return std::string_view("character_device");
    case S_IFBLK: return std::string_view("block_device");
    case S_IFIFO: return std::string_view("fifo");
    case S_IFSOCK: return std::string_view("socket");
    default: return {};
  }
}

using enum Type;
constexpr Field kFields[] = {
    {"fs.path.name", kPath,
     [](const Subject& s, const Argument&) { return name_of(single_path(s)); }, "", "",
     "Path that a successful call with one path worked on, made absolute."},
    {"fs.path.nameraw", kPath,
     [](const Subject& s, const Argument&) { return raw_of(single_path(s)); }, "", "",
     "The same as given."},
    {"fs.path.source", kPath,
     [](const Subject& s, const Argument&) { return name_of(source_path(s)); }, "", "",
     "Source of a successful rename (old name), link and symlink (new name) or mount, made "
     "absolute."},
    {"fs.path.sourceraw", kPath,
     [](const Subject& s, const Argument&) { return raw_of(source_path(s)); }, "", "",
     "The same as given."},
    {"fs.path.target", kPath, target_name, "", "",
     "Target of a successful rename (new name), link and symlink (what they point to) or mount, "
     "made absolute."},
    {"fs.path.targetraw", kPath,
     [](const Subject& s, const Argument&) { return raw_of(target_path(s)); }, "", "",
     "The same as given."},
    {"file.path", kPath, of_detail<FileInfo, &FileInfo::path, &Path::name>, "file.path",
     "file.path",
     "Path of any file event, failed ones too: the argument joined with the working directory or "
     "directory descriptor, \".\" and \"..\" removed as text."},
    {"file.raw", kPath, of_detail<FileInfo, &FileInfo::path, &Path::raw>, "", "",
     "Path argument as given."},
    {"file.resolved", kPath, of_detail<FileInfo, &FileInfo::path, &Path::resolved>,
     "file.target_path", "",
     "Path of the file itself, symbolic links and mounts followed by the kernel."},
    {"file.to.path", kPath, of_detail<FileInfo, &FileInfo::path2, &Path::name>, "", "",
     "Second path of a file event, made absolute."},
    {"file.to.raw", kPath, of_detail<FileInfo, &FileInfo::path2, &Path::raw>, "", "",
     "Second path argument as given."},
    {"file.to.resolved", kPath, of_detail<FileInfo, &FileInfo::path2, &Path::resolved>, "", "",
     "Second path as the kernel resolved it."},
    {"file.text", kText, of_detail<FileInfo, &FileInfo::text>, "", "",
     "Name of an extended attribute, or type of a mounted file system."},
    {"file.type", kText, file_type, "file.type", "file.type",
     "Type of the file by its inode: file, directory, symlink, character_device, block_device, "
     "fifo, socket."},
    {"file.mode", kInteger, of_detail<FileInfo, &FileInfo::mode>, "file.mode", "",
     "Mode of the file, type bits included."},
    {"file.uid", kInteger, of_detail<FileInfo, &FileInfo::uid>, "file.uid", "file.owner.uid",
     "Owner of the file."},
    {"file.gid", kInteger, of_detail<FileInfo, &FileInfo::gid>, "file.gid", "",
     "Group of the file."},
    {"file.created", kBool, has_flag<COFF_FILE_CREATED>, "", "",
     "Whether the open created the file."},
    {"file.deleted", kBool, has_flag<COFF_FILE_DELETED>, "", "",
     "Whether the file has no name any more."},
    {"fd.is_upper_layer", kBool, has_flag<COFF_FILE_UPPER>, "", "",
     "Whether the file lies in the upper layer of an overlay."},
    {"fd.is_lower_layer", kBool,
     [](const Subject& s, const Argument&) -> Value {
       const FileInfo* file = file_of(s);
       return file == nullptr ? Value{}
                              : Value{(file->file_flags & (COFF_FILE_OVERLAY | COFF_FILE_UPPER)) ==
                                      COFF_FILE_OVERLAY};
     },
     "", "", "Whether the file lies in a lower layer of an overlay."},
    {"fd.ino", kUnsigned, of_detail<FileInfo, &FileInfo::ino>, "file.inode", "file.uid",
     "Inode number of the file."},
    {"fd.dev", kUnsigned, of_detail<FileInfo, &FileInfo::dev>, "file.device", "",
     "Device of the file, as in stat(2)."},
    {"fd.dev.major", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       const FileInfo* file = file_of(s);
       return file == nullptr ? Value{} : Value{std::int64_t{device_major(file->dev)}};
     },
     "", "", "Major number of fd.dev."},
    {"fd.dev.minor", kInteger,
     [](const Subject& s, const Argument&) -> Value {
       const FileInfo* file = file_of(s);
       return file == nullptr ? Value{} : Value{std::int64_t{device_minor(file->dev)}};
     },
     "", "", "Minor number of fd.dev."},
};

}  // namespace

std::span<const Field> file_fields() { return kFields; }

}  // namespace coff::schema
