// Merkle trees against the RFC 6962 roots and the transparency-dev proof vectors.
#include "trail/merkle.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "trail/checkpoint.hpp"

namespace coff::trail {
namespace {

namespace json = boost::json;

std::string data_dir() {
  const char* shared = std::getenv("COFF_SHARED");
  return std::string(shared != nullptr ? shared : COFF_SOURCE_DIR "/../shared") + "/data/merkle";
}

// True when the vectors are there; otherwise skips, or fails where they are required.
bool have_data() {
  if (std::filesystem::exists(data_dir())) return true;
  const char* require = std::getenv("COFF_REQUIRE");
  EXPECT_TRUE(require == nullptr || !std::string_view(require).contains("data"))
      << "test data is required but missing: " << data_dir();
  return false;
}

json::value parse_json(const std::string& path) {
  const auto text = read_file(path, 1 << 20);
  EXPECT_TRUE(text.has_value()) << path;
  std::error_code problem;
  json::value value = json::parse(*text, problem);
  EXPECT_FALSE(problem) << path;
  return value;
}

std::vector<std::string> json_files(const std::string& dir) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  return files;
}

// The vectors use texts that aren't 32 bytes long where the value must not matter.
Hash hash_or_padded(const json::value& value) {
  const auto bytes = from_base64(std::string_view(value.as_string()));
  Hash hash{};
  if (bytes) {
    for (size_t at = 0; at < std::min(bytes->size(), hash.size()); ++at) {
      hash[at] = octets(*bytes)[at];
    }
  }
  return hash;
}

// False when a hash in the proof doesn't have 32 bytes: then the proof is wrong whatever else.
bool read_proof(const json::value& value, std::vector<Hash>& proof) {
  if (value.is_null()) return true;
  bool good = true;
  for (const auto& item : value.as_array()) {
    const auto hash = parse_hash(std::string_view(item.as_string()));
    good = good && hash.has_value();
    if (hash) proof.push_back(*hash);
  }
  return good;
}

std::vector<Hash> some_leaves(size_t count) {
  std::vector<Hash> leaves;
  for (size_t at = 0; at < count; ++at) leaves.push_back(leaf_hash("leaf " + std::to_string(at)));
  return leaves;
}

TEST(Merkle, Rfc6962Roots) {
  if (!have_data()) GTEST_SKIP() << "no test data in " << data_dir();
  const auto vectors = parse_json(data_dir() + "/rfc6962-roots.json");
  const auto& roots = vectors.at("roots_hex_by_size").as_array();
  std::vector<Hash> leaves;
  CompactRange range;
  ASSERT_EQ(roots.size(), 9U);
  for (size_t size = 0; size < roots.size(); ++size) {
    const std::string want(roots[size].as_string());
    EXPECT_EQ(to_hex(range.root()), want);
    EXPECT_EQ(to_hex(merkle_root(leaves)), want);
    MemoryNodes nodes(leaves);
    EXPECT_EQ(to_hex(range_root(nodes, 0, size).value()), want);
    if (size == 8) break;
    const std::string leaf(vectors.at("leaves_hex").as_array()[size].as_string());
    leaves.push_back(leaf_hash(from_hex(leaf).value()));
    range.append(leaves.back());
  }
}

TEST(Merkle, InclusionVectors) {
  if (!have_data()) GTEST_SKIP() << "no test data in " << data_dir();
  int cases = 0;
  for (const auto& path : json_files(data_dir() + "/transparency-dev-merkle/testdata/inclusion")) {
    const auto vector = parse_json(path);
    std::vector<Hash> proof;
    const auto leaf = parse_hash(std::string_view(vector.at("leafHash").as_string()));
    bool good = read_proof(vector.at("proof"), proof) && leaf.has_value();
    good = good && verify_inclusion(*leaf,
                                    vector.at("leafIdx").to_number<std::uint64_t>(),
                                    vector.at("treeSize").to_number<std::uint64_t>(), proof,
                                    hash_or_padded(vector.at("root")))
                       .has_value();
    EXPECT_EQ(good, !vector.at("wantErr").as_bool()) << path;
    ++cases;
  }
  EXPECT_GE(cases, 63);
}

TEST(Merkle, ConsistencyVectors) {
  if (!have_data()) GTEST_SKIP() << "no test data in " << data_dir();
  int cases = 0;
  for (const auto& path :
       json_files(data_dir() + "/transparency-dev-merkle/testdata/consistency")) {
    const auto vector = parse_json(path);
    std::vector<Hash> proof;
    bool good = read_proof(vector.at("proof"), proof);
    good = good && verify_consistency(vector.at("size1").to_number<std::uint64_t>(),
                                      vector.at("size2").to_number<std::uint64_t>(), proof,
                                      hash_or_padded(vector.at("root1")),
                                      hash_or_padded(vector.at("root2")))
                       .has_value();
    EXPECT_EQ(good, !vector.at("wantErr").as_bool()) << path;
    ++cases;
  }
  EXPECT_GE(cases, 53);
}

TEST(Merkle, EveryProofOfSmallTreesVerifies) {
  const std::vector<Hash> leaves = some_leaves(70);
  for (size_t size = 1; size <= leaves.size(); ++size) {
    const std::span<const Hash> tree = std::span(leaves).first(size);
    MemoryNodes nodes(tree);
    const Hash root = merkle_root(tree);
    for (size_t index = 0; index < size; ++index) {
      const auto proof = prove_inclusion(nodes, index, size);
      ASSERT_TRUE(proof.has_value());
      EXPECT_TRUE(verify_inclusion(leaves[index], index, size, *proof, root).has_value());
      const std::uint64_t other = (index + 1) % size;
      if (other != index) {
        EXPECT_FALSE(verify_inclusion(leaves[index], other, size, *proof, root).has_value());
      }
    }
    for (size_t old_size = 1; old_size <= size; ++old_size) {
      const auto proof = prove_consistency(nodes, old_size, size);
      ASSERT_TRUE(proof.has_value());
      const Hash old_root = merkle_root(tree.first(old_size));
      EXPECT_TRUE(verify_consistency(old_size, size, *proof, old_root, root).has_value());
      EXPECT_EQ(verify_consistency(old_size, size, *proof, root, root).has_value(),
                old_size == size);
    }
  }
}

TEST(Merkle, RefusesWhatProvesNothing) {
  const std::vector<Hash> leaves = some_leaves(4);
  MemoryNodes nodes(leaves);
  EXPECT_FALSE(prove_inclusion(nodes, 4, 4).has_value());
  EXPECT_FALSE(prove_consistency(nodes, 0, 4).has_value());
  EXPECT_FALSE(prove_consistency(nodes, 5, 4).has_value());
  EXPECT_FALSE(prove_inclusion(nodes, 0, 5).has_value());  // The fifth leaf isn't there.
  EXPECT_FALSE(verify_inclusion(leaves[0], 0, 0, {}, empty_root()).has_value());
}

}  // namespace
}  // namespace coff::trail
