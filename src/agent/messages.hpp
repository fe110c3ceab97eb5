// The messages between the processes of the agent: their numbers, and who sends them to whom.
#pragma once

#include <cstdint>

namespace coff::agent {

/// Frame::type. Payloads are written by PayloadWriter in the order given.
enum class Message : std::uint16_t {
  // Supervisor to child, on the child's descriptor 3.
  kSetup = 1,  ///< u32 uid, u32 gid, text configuration file, text path of that file.
  kLink,       ///< u8 Link, and one descriptor: a new channel to another process.
  kConfig,     ///< text configuration file: it was checked and is in force.
  kStop,       ///< Finish what is queued, then exit.
  kConnected,  ///< u64 request, text error; a descriptor when error is empty.
  kProcesses,  ///< text JSON: the supervisor's table of processes. To control only.
  kListener,   ///< Names (control_names.hpp); descriptor: the control socket. To control only.
  kEngines,    ///< u32 count, text paths: sockets of engines to follow. To engine only.

  // Child to supervisor.
  kReady = 32,  ///< u8 Landlock ABI, bool confined by it, bool filtered: the sandbox is in force.
  kConnect,     ///< u64 request, text path of an engine's socket. From engine only.
  kFatal,       ///< text: why the child ends by itself.
  kRecord,      ///< text members of an `action` entry. From action processes only.
  kWatching,    ///< Every kernel program that this kernel takes is attached. From sensor only.

  // Producer to keeper and back. The supervisor produces on the keeper's descriptor 3.
  kAppend = 64,  ///< u64 number of the first entry, u32 count, text entries; u32 count, redacted
                 ///< values: text salt, text value (see trail_writer.hpp).
  kAck,          ///< u64 number after the last durable entry, u64 trail sequence of the last.

  // Control to sensor, keeper and desk of actions, and their answers.
  kCall = 96,  ///< u64 call, text name, text arguments as a JSON object.
  kCancel,     ///< u64 call: nobody waits for it any more.
  kAnswer,     ///< u64 call, text: JSON lines, each ended by a newline.
  kDone,       ///< u64 call, u8 Code + 1 or 0 for success, text error.

  // Sensor to control: events for subscribers; control to sensor: whether there are any.
  kLiveWanted = 128,  ///< bool.
  kLive,              ///< u64 dropped so far, u32 count, events (see live_feed.hpp).

  // Keeper to the witness process, and back.
  kWitnessPost = 144,  ///< u64 request, text URL, text body: one POST to a configured witness.
  kWitnessAnswer,      ///< u64 request, u32 HTTP status, text body, text error.

  // Engine worker to sensor (container_codec.hpp), and sensor to engine worker.
  kContainer = 160,  ///< ContainerMessage.
  kEngineEvent,      ///< EngineEventMessage.
  kEngineUnknown,    ///< UnknownMessage.
  kEngineList,       ///< ListMessage.
  kEngineState,      ///< StateMessage: connected, or not any more, or a minute later.
  kEngineRequest,    ///< text engine, text container id: ask about it at once.
};

/// What a kLink channel connects its receiver to.
enum class Link : std::uint8_t {
  kToKeeper = 1,
  kToSensor,
  kToControl,
  kToEngine,
  kToWitness,
  kToActions
};

}  // namespace coff::agent
