// One Docker and one agent beside it for all tests of a suite: starting them takes seconds.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {

/// Base of suites that run one after the other: each starts its own, and both are gone after it.
class ProductSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (docker_missing() || ebpf_missing()) return;
    auto engine = Dockerd::start();
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->import_busybox_image());
    auto product = Product::start({engine_->socket_path()});
    ASSERT_TRUE(product) << product.error().message();
    product_ = std::move(*product);
  }
  static void TearDownTestSuite() {
    product_.reset();
    engine_.reset();
  }
  void SetUp() override {
    COFF_NEED("ebpf", ebpf_missing());
    COFF_NEED("docker", docker_missing());
    ASSERT_NE(product_, nullptr);
    ASSERT_TRUE(product_->running()) << product_->told();
  }
  static bool any_of(const std::vector<boost::json::value>& values,
                     const std::function<bool(const boost::json::value&)>& wanted) {
    return std::any_of(values.begin(), values.end(), wanted);
  }

  static inline std::unique_ptr<Dockerd> engine_;
  static inline std::unique_ptr<Product> product_;
};

}  // namespace coff::live
