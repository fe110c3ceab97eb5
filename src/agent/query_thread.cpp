// Searches of the trail on a thread of their own, so that a slow one delays no commit.
#include "agent/query_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "agent/call_arguments.hpp"
#include "agent/calls.hpp"
#include "trail/query.hpp"

namespace coff::agent {
namespace {

using Found = std::map<std::uint64_t, std::string>;

Result<void> collect(trail::Query& query, const trail::QueryFilter& filter, Found& found) {
  for (trail::QueryRow& row : TRY(query.run(filter))) {
    found.emplace(row.position, std::move(row.entry));
  }
  return {};
}

Result<void> answer(trail::Query& query, std::string_view text, std::vector<std::string>& entries) {
  const boost::json::object arguments = TRY(arguments_of(text));
  trail::QueryFilter filter;
  filter.from_wall_ns = TRY(time_of(arguments, "since"));
  filter.until_wall_ns = TRY(time_of(arguments, "until"));
  filter.container = TRY(text_argument(arguments, "container"));
  filter.text = TRY(text_argument(arguments, "text"));
  filter.user = TRY(text_argument(arguments, "user"));
  filter.limit = std::min(TRY(number_of(arguments, "limit", 1000)), kQueryEntriesMax);
  filter.newest_first = true;
  // By position, so what two filters find stands once and in order. A name is the kind of an
  // event, or the type of another entry (heartbeat, gap, view, …). What was found of an event is no
  // event of its kind, as for those who follow.
  Found found;
  const std::vector<std::string> kinds = TRY(names_of(arguments, "kind"));
  if (kinds.empty()) TRY(collect(query, filter, found));
  for (const std::string& kind : kinds) {
    trail::QueryFilter one = filter;
    one.kind = kind;
    one.other_than_type = "finding";
    TRY(collect(query, one, found));
    one.kind.clear();
    one.other_than_type.clear();
    one.type = kind;
    TRY(collect(query, one, found));
  }
  // The newest that fit, oldest of them first.
  std::size_t bytes = 0;
  auto first = found.end();
  while (first != found.begin() && entries.size() < filter.limit) {
    --first;
    bytes += first->second.size() + 1;
    if (bytes > kAnswerBytesMax) break;
    entries.push_back(std::move(first->second));
  }
  std::ranges::reverse(entries);
  if (bytes <= kAnswerBytesMax) return {};
  return fail(Code::kLimit, "only the newest " + std::to_string(entries.size()) +
                                " entries fit into the answer; ask for a shorter time");
}

}  // namespace

Result<std::unique_ptr<QueryThread>> QueryThread::start(std::string trail_dir) {
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return fail_errno("cannot make an eventfd");
  std::unique_ptr<QueryThread> queries(new QueryThread(std::move(wake)));
  queries->thread_ = std::jthread([self = queries.get(), dir = std::move(trail_dir)](
                                      const std::stop_token& stop) { self->run(stop, dir); });
  return queries;
}

QueryThread::~QueryThread() {
  // The members that the thread uses go before thread_ would end it by itself.
  thread_.request_stop();
  thread_.join();
}

Result<void> QueryThread::ask(QueryQuestion question) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kQueriesWaitingMax) {
    ++refused_;
    return fail(Code::kBusy, "too many searches wait already; try again later");
  }
  waiting_.push_back(std::move(question));
  changed_.notify_one();
  return {};
}

std::vector<QueryAnswer> QueryThread::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  answered_ += done_.size();
  return std::exchange(done_, {});
}

void QueryThread::run(const std::stop_token& stop, const std::string& trail_dir) {
  std::optional<trail::Query> query;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    const QueryQuestion question = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    QueryAnswer result{.call = question.call, .asker = question.asker};
    if (!query) {
      auto opened = trail::Query::open(trail_dir);
      if (opened) query = std::move(*opened);
      else result.outcome = std::unexpected(opened.error());
    }
    if (query) result.outcome = answer(*query, question.arguments, result.entries);
    // A damaged or replaced index is opened anew for the next question.
    if (!result.outcome && result.outcome.error().code != Code::kLimit) query.reset();
    lock.lock();
    done_.push_back(std::move(result));
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
  }
}

}  // namespace coff::agent
