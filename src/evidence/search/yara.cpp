// YARA rules over files of any size: the one file that knows libyara.
#include <unistd.h>
#include <yara.h>

#include <algorithm>
#include <cstring>

#include "evidence/search/finder.hpp"

namespace coff::evidence {
namespace {

/// libyara sees a file as blocks of memory that overlap, so that strings across an edge are found.
constexpr std::size_t kBlockBytes = std::size_t{8} << 20U;
constexpr std::size_t kOverlapBytes = 65536;
constexpr int kScanSeconds = 300;

class Library {
 public:
  Library() : ready_(yr_initialize() == ERROR_SUCCESS) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (ready_) yr_finalize();
  }
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  bool ready_;
};

/// One block at a time, read when libyara asks for its data.
struct Blocks {
  const Fd* file = nullptr;
  std::uint64_t size = 0;
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(kBlockBytes);
  YR_MEMORY_BLOCK block{};
};

const std::uint8_t* fetch(YR_MEMORY_BLOCK* block) {
  auto* blocks = static_cast<Blocks*>(block->context);
  std::size_t have = 0;
  while (have < block->size) {
    const ssize_t got = ::pread(blocks->file->get(), blocks->buffer.data() + have,
                                block->size - have, static_cast<off_t>(block->base + have));
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  std::fill(blocks->buffer.begin() + static_cast<std::ptrdiff_t>(have), blocks->buffer.end(), 0);
  return blocks->buffer.data();
}

YR_MEMORY_BLOCK* block_at(Blocks& blocks, std::uint64_t base) {
  if (base >= blocks.size) return nullptr;
  blocks.block.base = base;
  blocks.block.size = std::min<std::uint64_t>(kBlockBytes, blocks.size - base);
  blocks.block.context = &blocks;
  blocks.block.fetch_data = &fetch;
  return &blocks.block;
}

YR_MEMORY_BLOCK* first_block(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  iterator->last_error = ERROR_SUCCESS;
  return block_at(*static_cast<Blocks*>(iterator->context), 0);
}

YR_MEMORY_BLOCK* next_block(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& blocks = *static_cast<Blocks*>(iterator->context);
  iterator->last_error = ERROR_SUCCESS;
  if (blocks.block.base + blocks.block.size >= blocks.size) return nullptr;
  return block_at(blocks, blocks.block.base + kBlockBytes - kOverlapBytes);
}

struct Told {
  const OnHit* on_hit = nullptr;
  bool more = true;
};

int take_match(YR_SCAN_CONTEXT* context, int message, void* data, void* user) {
  auto* told = static_cast<Told*>(user);
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto* rule = static_cast<YR_RULE*>(data);
  bool any = false;
  YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    YR_MATCH* match = nullptr;
    std::uint64_t last = UINT64_MAX;
    yr_string_matches_foreach(context, string, match) {
      const auto offset = static_cast<std::uint64_t>(match->base + match->offset);
      if (offset == last) continue;  // Seen in two blocks.
      last = offset;
      any = true;
      told->more = (*told->on_hit)({.offset = offset,
                                    .match = {reinterpret_cast<const char*>(match->data),
                                              static_cast<std::size_t>(match->data_length)},
                                    .rule = rule->identifier,
                                    .string = string->identifier});
      if (!told->more) return CALLBACK_ABORT;
    }
  }
  // A rule without strings, or whose condition needs none.
  if (!any) told->more = (*told->on_hit)({.rule = rule->identifier});
  return told->more ? CALLBACK_CONTINUE : CALLBACK_ABORT;
}

void keep_error(int level, const char*, int line, const YR_RULE*, const char* text, void* user) {
  auto* error = static_cast<std::string*>(user);
  if (level == YARA_ERROR_LEVEL_ERROR && error->empty()) {
    *error = "line " + std::to_string(line) + ": " + text;
  }
}

class YaraFinder final : public Finder {
 public:
  YaraFinder(std::unique_ptr<Library> library, YR_RULES* rules)
      : library_(std::move(library)), rules_(rules) {}
  YaraFinder(const YaraFinder&) = delete;
  YaraFinder& operator=(const YaraFinder&) = delete;
  ~YaraFinder() override { yr_rules_destroy(rules_); }

  Result<void> find(const Fd& file, const OnHit& on_hit) override {
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    if (size < 0) return fail_errno("cannot tell the size of a file");
    Blocks blocks{.file = &file, .size = static_cast<std::uint64_t>(size)};
    YR_MEMORY_BLOCK_ITERATOR iterator{};
    iterator.context = &blocks;
    iterator.first = &first_block;
    iterator.next = &next_block;
    Told told{.on_hit = &on_hit};
    const int code =
        yr_rules_scan_mem_blocks(rules_, &iterator, 0, &take_match, &told, kScanSeconds);
    if (code == ERROR_SUCCESS || !told.more) return {};
    if (code == ERROR_SCAN_TIMEOUT) return fail(Code::kTimeout, "the rules took too long");
    return fail(Code::kInvalid, "libyara failed with error " + std::to_string(code));
  }

 private:
  std::unique_ptr<Library> library_;
  YR_RULES* rules_;
};

}  // namespace

Result<std::unique_ptr<Finder>> make_yara_finder(const std::string& rules) {
  auto library = std::make_unique<Library>();
  if (!library->ready()) return fail(Code::kUnsupported, "libyara does not start");
  YR_COMPILER* made = nullptr;
  if (yr_compiler_create(&made) != ERROR_SUCCESS) return fail(Code::kInternal, "out of memory");
  const std::unique_ptr<YR_COMPILER, decltype(&yr_compiler_destroy)> compiler(made,
                                                                              &yr_compiler_destroy);
  std::string problem;
  yr_compiler_set_callback(compiler.get(), &keep_error, &problem);
  // No file is opened from here: rules come as one text.
  yr_compiler_set_include_callback(compiler.get(), nullptr, nullptr, nullptr);
  if (yr_compiler_add_string(compiler.get(), rules.c_str(), nullptr) != 0) {
    return fail(Code::kInvalid, "malformed YARA rules: " + problem);
  }
  YR_RULES* compiled = nullptr;
  if (yr_compiler_get_rules(compiler.get(), &compiled) != ERROR_SUCCESS) {
    return fail(Code::kInternal, "cannot compile YARA rules");
  }
  return std::unique_ptr<Finder>(std::make_unique<YaraFinder>(std::move(library), compiled));
}

}  // namespace coff::evidence
