// Packets of the container's network for some time, with the number that the kernel dropped.
#include <algorithm>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "evidence/collect/packet_socket.hpp"
#include "evidence/collect/step.hpp"

namespace coff::evidence {
namespace {

/// Of libpcap's format with nanoseconds.
struct FileHead {
  std::uint32_t magic = 0xa1b23c4d;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::int32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t snap_bytes = 0;
  std::uint32_t link = 1;  // Ethernet, which loopback looks like.
};
struct PacketHead {
  std::uint32_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t kept_bytes = 0;
  std::uint32_t wire_bytes = 0;
};
constexpr std::uint16_t kEthernet = 1;
constexpr std::uint16_t kLoopback = 772;
/// Written at once; a packet at a time would drop more.
constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;
constexpr int kWaitMs = 100;

struct Capture {
  std::uint64_t kept = 0;
  std::uint64_t other_links = 0;  ///< Of interfaces that are no Ethernet.
  std::string buffer;
  Result<void> written;
};

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool take(Capture& capture, ItemWriter& writer, const Packet& packet) {
  if (packet.hardware != kEthernet && packet.hardware != kLoopback) {
    ++capture.other_links;
    return true;
  }
  append(capture.buffer,
         PacketHead{packet.seconds, packet.nanoseconds,
                    static_cast<std::uint32_t>(packet.bytes.size()), packet.wire_bytes});
  capture.buffer.append(packet.bytes);
  ++capture.kept;
  if (capture.buffer.size() < kBufferBytes) return true;
  capture.written = writer.write(capture.buffer);
  capture.buffer.clear();
  return capture.written.has_value();
}

Result<void> capture_into(Collection& collection, PacketSocket& packets, Capture& capture,
                          ItemWriter& writer) {
  const CollectOptions& options = collection.options;
  append(capture.buffer, FileHead{.snap_bytes = options.snap_bytes});
  const std::int64_t end_ns = boot_now_ns() + options.capture_ms * 1'000'000;
  while (boot_now_ns() < end_ns && capture.written) {
    TRY(packets.read(kWaitMs, [&](const Packet& one) { return take(capture, writer, one); }));
    collection.progress(capture.kept, 0);
  }
  if (capture.written) capture.written = writer.write(capture.buffer);
  return {};
}

}  // namespace

Result<void> collect_packets(Collection& collection) {
  const CollectOptions& options = collection.options;
  if (options.capture_ms <= 0) return {};
  const std::string source = "network of process " + std::to_string(collection.target.init_pid);
  auto packets = PacketSocket::open(collection.target.init_pid, options.snap_bytes);
  if (!packets) {
    collection.bundle.gap(source, packets.error().message());
    return {};
  }
  ItemWriter writer = TRY(collection.bundle.start("pcap/capture.pcap"));
  Capture capture;
  TRY(capture_into(collection, *packets, capture, writer));
  if (!capture.written) collection.bundle.gap(source, capture.written.error().message());
  TRY(writer.finish(source));
  const PacketCounts counts = TRY(packets->counts());
  if (counts.dropped > 0) {
    collection.bundle.gap(source, std::to_string(counts.dropped) + " packets were dropped");
  }
  std::string text;
  JsonWriter(text)
      .begin_object()
      .member("milliseconds", options.capture_ms)
      .member("snap_bytes", options.snap_bytes)
      .member("kept", capture.kept)
      .member("other_links", capture.other_links)
      .member("received", counts.received)
      .member("dropped", counts.dropped)
      .member("ring_was_full", counts.frozen)
      .end_object();
  return collection.bundle.put("pcap/capture.json", text + "\n", source);
}

}  // namespace coff::evidence
