// A network with two containers that talk, an engine and an agent: what actions are tried on.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "live/agent/product.hpp"
#include "live/support/dockerd.hpp"
#include "live/support/require.hpp"

namespace coff::live {

/// Suite with one engine, one agent, a network of IPv4 and IPv6, and the container "tunnel" in it,
/// which writes down what it gets on port 7001.
class ResponseLive : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  /// Removes the containers that the test started, and releases nothing: that is the test's part.
  void TearDown() override;

  /// Runs `docker ARGUMENTS`; a failure fails the test.
  static std::string docker(std::vector<std::string> arguments);
  /// A container of the busybox image with /talker, on the network unless `network` says another.
  void start(const std::string& name, const std::vector<std::string>& options,
             const std::vector<std::string>& command, const std::string& network = "coffnet");
  /// Runs the talker in a container; its output.
  static std::string talk(const std::string& container, std::vector<std::string> arguments);
  /// `cofferdam respond ARGUMENTS`.
  static Outcome respond(std::vector<std::string> arguments, int expected_status = 0);
  /// The address of a container on the network.
  static std::string address_of(const std::string& container, bool six = false);
  /// How many lines with this beginning the listener has written.
  static std::size_t heard(const std::string& line, const std::string& container = "tunnel");
  /// Time of the last bytes that the listener got, in microseconds of CLOCK_MONOTONIC.
  static std::int64_t last_bytes_us();
  static std::int64_t now_us();
  /// Entries of this stage of this action on this container.
  static std::vector<boost::json::value> trail(const std::string& action,
                                               const std::string& container,
                                               const std::string& stage);
  /// Waits until there are so many.
  static bool in_trail(const std::string& action, const std::string& container,
                       const std::string& stage, std::size_t count = 1);
  static std::string gateway() { return prefix_ + ".1"; }

  static inline std::unique_ptr<Dockerd> engine_;
  static inline std::unique_ptr<Product> product_;
  /// Keys of those who may approve; none is enrolled until a test writes it.
  static inline std::string approvers_;
  static inline std::string prefix_;  ///< Of the network: "10.200.3".
  std::vector<std::string> started_;
};

}  // namespace coff::live
