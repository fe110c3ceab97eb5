// An evidence bundle while it is collected: items with their hashes, the order, and the gaps.
#include "evidence/bundle/open_bundle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::evidence {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kRecordsBytesMax = std::size_t{256} << 20U;

/// Names of items are our own: this is a check of ourselves, not of a container's names.
bool is_item_path(std::string_view path) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
  return !path.empty() && path.size() < 200 && path.front() != '/' && path.back() != '/' &&
         path.find("..") == path.npos && path.find("//") == path.npos &&
         path.find_first_not_of(kLetters) == path.npos;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                : std::string();
}

}  // namespace

ItemWriter::~ItemWriter() {
  if (file_.valid()) ::unlinkat(bundle_->directory_.get(), path_.c_str(), 0);
}

Result<void> ItemWriter::write(std::string_view bytes) {
  if (bytes.size() > bundle_->left_bytes()) {
    return fail(Code::kLimit, "the bundle's limit of size is reached");
  }
  TRY(write_all(file_, bytes));
  digest_.update(bytes);
  size_bytes_ += bytes.size();
  bundle_->bytes_ += bytes.size();
  return {};
}

Result<Item> ItemWriter::finish(std::string_view source) {
  Item item{path_, size_bytes_, digest_.finish()};
  file_.reset();
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("seq", ++bundle_->sequence_)
      .member("rank", bundle_->rank_)
      .member("step", bundle_->step_)
      .member("item", item.path)
      .member("source", source)
      .member("begun", format_time(begun_wall_ns_))
      .member("ended", format_time(wall_now_ns()))
      .member("bytes", item.size_bytes)
      .member("sha256", to_hex(item.sha256))
      .end_object();
  TRY(bundle_->append_order(line));
  bundle_->items_[item.path] = item;
  return item;
}

Result<OpenBundle> OpenBundle::create(const std::string& folder, std::uint64_t bytes_max) {
  if (::mkdir(folder.c_str(), 0700) != 0) return fail_errno("cannot make " + folder);
  OpenBundle bundle(folder);
  bundle.bytes_max_ = bytes_max;
  TRY(bundle.open_records());
  return bundle;
}

Result<OpenBundle> OpenBundle::resume(const std::string& folder, std::uint64_t bytes_max) {
  OpenBundle bundle(folder);
  bundle.bytes_max_ = bytes_max;
  TRY(bundle.open_records());
  TRY(bundle.load_order());
  bundle.remove_strays();
  return bundle;
}

std::uint64_t OpenBundle::left_bytes() const {
  return bytes_ < bytes_max_ ? bytes_max_ - bytes_ : 0;
}

Result<void> OpenBundle::open_records() {
  directory_ = TRY(open_file(folder_, O_RDONLY | O_DIRECTORY));
  for (const char* name : {"meta", "custody"}) {
    if (::mkdirat(directory_.get(), name, 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make a folder in " + folder_);
    }
  }
  order_ = TRY(open_file_at(directory_, std::string(kOrderFile), O_RDWR | O_CREAT | O_APPEND));
  gaps_file_ = TRY(open_file_at(directory_, std::string(kGapsFile), O_RDWR | O_CREAT | O_APPEND));
  custody_ = std::make_shared<Custody>(
      TRY(Custody::open(folder_ + "/" + std::string(kCustodyFile), CustodyHead{})));
  return {};
}

Result<void> OpenBundle::load_order() {
  const std::string text = TRY(read_to_end(order_, kRecordsBytesMax));
  std::map<std::string, std::vector<Item>> waiting;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    json::error_code problem;
    const json::value value = json::parse(text.substr(begin, end - begin), problem);
    begin = end + 1;
    if (problem || !value.is_object()) return fail(Code::kCorrupt, "the order is damaged");
    const json::object& line = value.get_object();
    ++sequence_;
    const std::string step = text_of(line, "step");
    const std::string path = text_of(line, "item");
    if (path.empty()) {
      steps_done_.insert(step);
      for (Item& item : waiting[step]) items_[item.path] = std::move(item);
      waiting.erase(step);
      continue;
    }
    if (!is_item_path(path)) return fail(Code::kCorrupt, "the order is damaged");
    Item item{.path = path};
    const std::string hash = TRY(from_hex(text_of(line, "sha256")));
    if (hash.size() != item.sha256.size()) return fail(Code::kCorrupt, "the order is damaged");
    std::ranges::copy(octets(hash), item.sha256.begin());
    if (const json::value* size = line.if_contains("bytes"); size != nullptr && size->is_int64()) {
      item.size_bytes = static_cast<std::uint64_t>(size->get_int64());
    }
    waiting[step].push_back(std::move(item));
  }
  // A last line without its end was never told to anybody.
  if (::ftruncate(order_.get(), static_cast<off_t>(begin)) != 0) {
    return fail_errno("cannot cut the order");
  }
  for (const auto& [path, item] : items_) bytes_ += item.size_bytes;
  return {};
}

void OpenBundle::remove_strays() {
  std::error_code ignored;
  std::vector<std::string> strays;
  for (const auto& entry : fs::recursive_directory_iterator(folder_, ignored)) {
    if (entry.is_directory(ignored)) continue;
    const std::string path = fs::relative(entry.path(), folder_, ignored).string();
    if (path == kOrderFile || path == kGapsFile || path == kCustodyFile) continue;
    if (!items_.contains(path)) strays.push_back(path);
  }
  for (const std::string& path : strays) {
    ::unlinkat(directory_.get(), path.c_str(), 0);
    gap(path, "its step was interrupted: it was removed, and the step began anew");
  }
}

bool OpenBundle::begin_step(std::string_view step, int rank) {
  step_ = step;
  rank_ = rank;
  gaps_of_step_ = 0;
  return !steps_done_.contains(step_);
}

Result<void> OpenBundle::end_step(std::string_view outcome) {
  if (gaps_of_step_ > kGapsOfStepMax) {
    const std::uint64_t more = gaps_of_step_ - kGapsOfStepMax;
    gaps_of_step_ = 0;
    gap(step_, std::to_string(more) + " further gaps of this step are not listed");
  }
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("seq", ++sequence_)
      .member("rank", rank_)
      .member("step", step_)
      .member("ended", format_time(wall_now_ns()))
      .member("outcome", outcome)
      .end_object();
  // The step's items before the line that says they are there: one sync for all of them.
  if (::syncfs(directory_.get()) != 0) return fail_errno("cannot make a step durable");
  TRY(append_order(line));
  if (::fsync(order_.get()) != 0) return fail_errno("cannot make the order durable");
  return {};
}

Result<void> OpenBundle::append_order(std::string_view line) {
  return write_all(order_, std::string(line) + "\n");
}

Result<ItemWriter> OpenBundle::start(const std::string& path) {
  COFF_ASSERT(is_item_path(path));
  if (items_.size() >= kItemsMax) return fail(Code::kLimit, "too many items in one bundle");
  for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
    if (::mkdirat(directory_.get(), path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("cannot make a folder for " + path);
    }
  }
  Fd file = TRY(open_file_at(directory_, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW));
  ItemWriter writer(*this, path, std::move(file));
  writer.begun_wall_ns_ = wall_now_ns();
  return writer;
}

Result<void> OpenBundle::put(const std::string& path, std::string_view bytes,
                             std::string_view source) {
  ItemWriter writer = TRY(start(path));
  TRY(writer.write(bytes));
  TRY(writer.finish(source));
  return {};
}

void OpenBundle::gap(std::string_view what, std::string_view reason) {
  ++gaps_;
  if (++gaps_of_step_ > kGapsOfStepMax) return;
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("time", format_time(wall_now_ns()))
      .member("step", step_)
      .member("what", what)
      .member("reason", reason)
      .end_object();
  // A full disk shows in the next item; there is nothing better to do with it here.
  [[maybe_unused]] const auto written = write_all(gaps_file_, line + "\n");
}

Result<Item> OpenBundle::add_existing(const std::string& path) {
  Item item{.path = path};
  item.sha256 = TRY(hash_file(folder_ + "/" + path, item.size_bytes));
  items_[path] = item;
  return item;
}

Result<void> OpenBundle::close_records() {
  order_.reset();
  gaps_file_.reset();
  for (const std::string_view path : {kOrderFile, kGapsFile, kCustodyFile}) {
    TRY(add_existing(std::string(path)));
  }
  return {};
}

}  // namespace coff::evidence
