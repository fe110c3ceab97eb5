// Containers and engine events as messages from the engine worker to the sensor.
#include "agent/container_codec.hpp"

#include "agent/channel.hpp"
#include "agent/payload.hpp"

namespace coff::agent {
namespace {

// One list of members for each type serves writing and reading; a member that is missing here
// would fail the round-trip test.
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, ContainerMount>
{
  visit(value.type, value.source, value.destination, value.mode, value.propagation, value.writable);
}
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, ContainerNetwork>
{
  visit(value.name, value.ipv4, value.ipv6, value.mac);
}
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, ContainerPort>
{
  visit(value.host_address, value.protocol, value.host_port, value.container_port);
}
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, ContainerInfo>
{
  visit(value.action, value.attributes);
}
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, Container>
{
  visit(value.id, value.engine, value.metadata, value.metadata_reason, value.name, value.image,
        value.image_id, value.image_digest, value.labels, value.command, value.created_wall_ns,
        value.started_wall_ns, value.init_pid, value.privileged, value.host_network, value.host_pid,
        value.user, value.capabilities_added, value.capabilities_dropped, value.mounts,
        value.networks, value.ports, value.restart_policy, value.health_check);
  visit(value.compose_project, value.compose_service, value.k8s_cluster, value.k8s_namespace,
        value.k8s_pod, value.k8s_pod_uid, value.k8s_container, value.ecs_cluster, value.ecs_task,
        value.ecs_service, value.ecs_container);
}
template <typename Visitor, typename Value>
void members(Visitor&& visit, Value& value)
  requires std::same_as<std::remove_const_t<Value>, LifecycleEvent>
{
  visit(value.kind, value.wall_ns, value.container, value.info);
}

class Encoder {
 public:
  explicit Encoder(std::string& out) : writer_(out) {}

  template <typename... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  void put(const std::string& text) { writer_.text(text); }
  template <typename T>
    requires std::is_integral_v<T>
  void put(T value) {
    writer_.number(value);
  }
  template <typename T>
    requires std::is_enum_v<T>
  void put(T value) {
    writer_.number(static_cast<std::underlying_type_t<T>>(value));
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    if (list.size() > kListMax) too_long_ = true;
    writer_.number(static_cast<std::uint32_t>(list.size()));
    for (const T& element : list) put(element);
  }
  void put(const std::pair<std::string, std::string>& label) {
    put(label.first);
    put(label.second);
  }
  template <typename T>
    requires std::is_class_v<T>
  void put(const T& value) {
    members(*this, value);
  }

  PayloadWriter writer_;
  bool too_long_ = false;
};

class Decoder {
 public:
  explicit Decoder(std::string_view payload) : reader_(payload) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }
  [[nodiscard]] Result<void> done() const {
    if (bad_) return fail(Code::kInvalid, "a container message has a value out of range");
    return reader_.done();
  }

 private:
  void get(std::string& text) { text = reader_.text(); }
  void get(bool& value) {
    const auto byte = reader_.number<std::uint8_t>();
    if (byte > 1) bad_ = true;
    value = byte == 1;
  }
  template <typename T>
    requires std::is_integral_v<T>
  void get(T& value) {
    value = reader_.number<T>();
  }
  void get(Metadata& value) {
    const auto byte = reader_.number<unsigned char>();
    if (byte > static_cast<unsigned char>(Metadata::kUnknown)) bad_ = true;
    else value = static_cast<Metadata>(byte);
  }
  void get(Kind& value) {
    const auto number = reader_.number<std::uint16_t>();
    if (number < static_cast<std::uint16_t>(Kind::container_create) ||
        number > static_cast<std::uint16_t>(Kind::container_other)) {
      bad_ = true;
    } else {
      value = static_cast<Kind>(number);
    }
  }
  template <typename T>
  void get(std::vector<T>& list) {
    const std::uint32_t count = reader_.count(sizeof(std::uint32_t));
    if (count > kListMax) bad_ = true;
    if (bad_) return;
    for (std::uint32_t i = 0; i < count && !reader_.failed() && !bad_; ++i) {
      get(list.emplace_back());
    }
  }
  void get(std::pair<std::string, std::string>& label) {
    get(label.first);
    get(label.second);
  }
  template <typename T>
    requires std::is_class_v<T>
  void get(T& value) {
    members(*this, value);
  }

  PayloadReader reader_;
  bool bad_ = false;
};

template <typename T>
Result<std::string> encode(const T& value) {
  std::string payload;
  Encoder encoder(payload);
  members(encoder, value);
  if (encoder.too_long() || payload.size() > kPayloadBytesMax) {
    return fail(Code::kLimit, "the metadata of a container is over " +
                                  std::to_string(kPayloadBytesMax) + " bytes or a list over " +
                                  std::to_string(kListMax) + " elements");
  }
  return payload;
}

template <typename T>
Result<T> decode(std::string_view payload) {
  T value;
  Decoder decoder(payload);
  members(decoder, value);
  TRY(decoder.done());
  return value;
}

}  // namespace

Result<std::string> encode_container(const Container& container) { return encode(container); }
Result<Container> decode_container(std::string_view payload) { return decode<Container>(payload); }
Result<std::string> encode_lifecycle(const LifecycleEvent& event) { return encode(event); }
Result<LifecycleEvent> decode_lifecycle(std::string_view payload) {
  return decode<LifecycleEvent>(payload);
}

}  // namespace coff::agent
