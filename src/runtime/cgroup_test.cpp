// Container ids from real control group paths, and host paths that are none.
#include "runtime/cgroup.hpp"

#include <gtest/gtest.h>

namespace coff::runtime {
namespace {

constexpr std::string_view kId = "28feb81da1681a19873b3a0bde80585ef433e8756d36fd4152f9e85122eb5f8f";
constexpr std::string_view kOther =
    "a4dbae6dc18cb5d59de3a4b2d1cde55a806df988f2a9106d7e20395332719071";
constexpr std::string_view kUid = "7a1b2c3d-0000-4000-8000-00000000abcd";
constexpr std::string_view kTask = "0123456789abcdef0123456789abcdef";

// Long parts of paths by short names.
constexpr std::pair<std::string_view, std::string_view> kParts[] = {
    {"$BURSTABLE", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod$UID_.slice"},
    {"$BESTEFFORT", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod$UID_.slice"},
    {"$NESTED",
     "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
     "kubelet-kubepods-besteffort-pod$UID_.slice"},
    {"$USER", "/user.slice/user-1000.slice/user@1000.service"},
};

void replace_all(std::string& text, std::string_view name, std::string_view value) {
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
    text.replace(at, name.size(), value);
}

// $ID, $OTHER, $UID, $UID_ (with underscores) and $TASK stand for the constants above.
std::string expand(std::string text) {
  std::string underscored(kUid);
  for (char& c : underscored)
    if (c == '-') c = '_';
  for (const auto& [name, value] : kParts) replace_all(text, name, value);
  replace_all(text, "$ID", kId);
  replace_all(text, "$OTHER", kOther);
  replace_all(text, "$UID_", underscored);
  replace_all(text, "$UID", kUid);
  replace_all(text, "$TASK", kTask);
  return text;
}

struct Sample {
  const char* path;
  const char* engine;
  const char* pod_uid = "";
  const char* below = "";
  const char* ecs_task = "";
  const char* id = "$ID";
};

// clang-format off
constexpr Sample kContainers[] = {
    // Docker: cgroupfs and systemd driver, rootless, in a custom parent, runc's colon form.
    {"/docker/$ID", "docker"},
    {"/system.slice/docker-$ID.scope", "docker"},
    {"$USER/user.slice/docker-$ID.scope", "docker"},
    {"$USER/app.slice/docker.service/docker/$ID", "docker"},
    {"/batch/$ID", ""},
    {"/batch.slice/docker-$ID.scope", "docker"},
    {"/system.slice:docker:$ID", "docker"},
    {"/moby/$ID", "docker"},
    // An agent that lives in a control group namespace sees its siblings through "..".
    {"/../docker/$ID", "docker"},
    // Kubernetes with containerd, CRI-O and Docker; both drivers; all three service classes.
    {"/kubepods/burstable/pod$UID/$ID", "", "$UID"},
    {"/kubepods/besteffort/pod$UID/$ID", "", "$UID"},
    {"/kubepods/pod$UID/$ID", "", "$UID"},
    {"/kubepods/burstable/pod5db91b4ea4a9e5f5dbcbcc73ee9fc4bb/$ID",
     "", "5db91b4ea4a9e5f5dbcbcc73ee9fc4bb"},
    {"$BURSTABLE/cri-containerd-$ID.scope", "containerd", "$UID"},
    {"/kubepods.slice/kubepods-pod$UID_.slice/cri-containerd-$ID.scope", "containerd", "$UID"},
    {"$BESTEFFORT/crio-$ID.scope", "cri-o", "$UID"},
    {"$BESTEFFORT/crio-$ID.scope/container", "cri-o", "$UID", "/container"},
    {"/kubepods/besteffort/pod$UID/crio-$ID", "cri-o", "$UID"},
    {"$BURSTABLE/docker-$ID.scope", "docker", "$UID"},
    {"/system.slice/containerd.service/kubepods-burstable-pod$UID_.slice:cri-containerd:$ID",
     "containerd", "$UID"},
    {"/kubepods-besteffort-pod$UID_.slice:crio:$ID", "cri-o", "$UID"},
    {"/kubelet/kubepods/burstable/pod$UID/$ID", "", "$UID"},
    {"$NESTED/cri-containerd-$ID.scope", "containerd", "$UID"},
    // containerd without Kubernetes: CRI, ctr with a chosen id, nerdctl with both drivers.
    {"/k8s.io/$ID", "containerd"},
    {"/default/$ID", "containerd"},
    {"/default/web_1.blue-2", "containerd", "", "", "", "web_1.blue-2"},
    {"/default/web/init.scope", "containerd", "", "/init.scope", "", "web"},
    {"/system.slice/nerdctl-$ID.scope", "containerd"},
    // podman: systemd, rootless, cgroupfs, in a pod, split by a service unit.
    {"/machine.slice/libpod-$ID.scope", "podman"},
    {"/machine.slice/libpod-$ID.scope/container", "podman", "", "/container"},
    {"/machine.slice/machine-libpod_pod_$OTHER.slice/libpod-$ID.scope", "podman"},
    {"$USER/user.slice/libpod-$ID.scope/container", "podman", "", "/container"},
    {"/libpod_parent/libpod-$ID", "podman"},
    {"/libpod_parent/libpod-$ID/ctr", "podman", "", "/ctr"},
    {"/libpod_parent/$OTHER/libpod-$ID", "podman"},
    {"/system.slice/web.service/libpod-payload-$ID", "podman"},
    {"/system.slice/web.service/libpod-payload-$ID/system.slice/cron.service",
     "podman", "", "/system.slice/cron.service"},
    // ECS on EC2 with both drivers, and Fargate.
    {"/ecs/$TASK/$ID", "docker", "", "", "$TASK"},
    {"/ecs/shop-cluster/$TASK/$ID", "docker", "", "", "$TASK"},
    {"/ecstasks.slice/ecstasks-$TASK.slice/docker-$ID.scope", "docker", "", "", "$TASK"},
    {"/ecs/$TASK/$TASK-1614840413", "docker", "", "", "$TASK", "$TASK-1614840413"},
    // A build step of BuildKit in dockerd.
    {"/docker/buildkit/w3rh5zk0tzl1r5xqd5ux4wbcp",
     "buildkit", "", "", "", "w3rh5zk0tzl1r5xqd5ux4wbcp"},
    // Below a container: systemd or an engine in it.
    {"/docker/$ID/init.scope", "docker", "", "/init.scope"},
    {"/docker/$ID/docker/$OTHER", "docker", "", "/docker/$OTHER"},
    {"/docker/$ID/kubelet/kubepods/burstable/pod$UID/$OTHER",
     "docker", "", "/kubelet/kubepods/burstable/pod$UID/$OTHER"},
    {"/system.slice/docker-$ID.scope/kubelet.slice/cri-containerd-$OTHER.scope",
     "docker", "", "/kubelet.slice/cri-containerd-$OTHER.scope"},
    {"/lxc.payload.box/docker/$ID", "docker"},
};

constexpr const char* kHostPaths[] = {
    "", "/", "//", "relative/docker/$ID",
    // Services, sessions and units of systemd.
    "/init.scope", "/system.slice", "/system.slice/ssh.service", "/system.slice/docker.service",
    "/system.slice/containerd.service", "/system.slice/docker.socket",
    "/user.slice/user-1000.slice/session-3.scope",
    "$USER/app.slice/dbus.service",
    "/system.slice/system-getty.slice/getty@tty1.service",
    "/system.slice/run-r0123456789abcdef0123456789abcdef.scope",
    "/machine.slice/machine-box.scope", "/machine.slice/systemd-nspawn@box.service",
    "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "/lxc/box", "/lxc.payload.box/init.scope",
    // A folder and a leaf, whatever they are called, are no container.
    "/x/leaf", "/app/web", "/containers/web", "/foo/default/web", "/process/$TASK", "/batch/$TASK",
    "/default", "/default/", "/default/-web", "/default/web..1", "/default/a b", "/k8s.io",
    "/docker", "/docker/web", "/docker/buildx", "/docker/buildkit",
    "/buildkit/w3rh5zk0tzl1r5xqd5ux4wbcp",
    "/docker/w3rh5zk0tzl1r5xqd5ux4wbcp",
    // Almost ids: one digit short, one long, upper case, something else in it.
    "/docker/8feb81da1681a19873b3a0bde80585ef433e8756d36fd4152f9e85122eb5f8f",
    "/docker/a$ID", "/docker/28FEB81DA1681A19873B3A0BDE80585EF433E8756D36FD4152F9E85122EB5F8F",
    "/docker/z8feb81da1681a19873b3a0bde80585ef433e8756d36fd4152f9e85122eb5f8f",
    "/system.slice/docker-web.scope", "/system.slice/docker-$ID.service",
    "/system.slice/xdocker-$ID.scope", "/system.slice/docker-$ID-x.scope",
    "/system.slice/docker_$ID.scope", "/system.slice/ssh-$ID.scope",
    // Engines' helpers and pods.
    "$BESTEFFORT/crio-conmon-$ID.scope",
    "/machine.slice/libpod-conmon-$ID.scope", "/libpod_parent/conmon",
    "$USER/user.slice/libpod-conmon-$ID.scope",
    "/libpod_parent/$OTHER", "/libpod_parent", "/system.slice/web.service/runtime",
    "/kubepods", "/kubepods.slice", "/kubepods/burstable", "/kubepods/burstable/pod$UID",
    "$BURSTABLE",
    "/ecs", "/ecs/$TASK", "/ecs/$TASK/$TASK", "/ecs/$TASK/$TASK-", "/ecs/$TASK/$TASK-12x",
    "/$TASK/$TASK-1614840413", "/ecstasks.slice/ecstasks-$TASK.slice",
};
// clang-format on

TEST(ParseCgroup, RecognisesEveryEnginesShapes) {
  for (const Sample& sample : kContainers) {
    const auto found = parse_cgroup(expand(sample.path));
    ASSERT_TRUE(found) << sample.path;
    EXPECT_EQ(found->id, expand(sample.id)) << sample.path;
    EXPECT_EQ(found->engine, sample.engine) << sample.path;
    EXPECT_EQ(found->pod_uid, expand(sample.pod_uid)) << sample.path;
    EXPECT_EQ(found->below, expand(sample.below)) << sample.path;
    EXPECT_EQ(found->ecs_task, expand(sample.ecs_task)) << sample.path;
  }
}

TEST(ParseCgroup, TakesNoHostPathForAContainer) {
  for (const char* path : kHostPaths) EXPECT_FALSE(parse_cgroup(expand(path))) << path;
}

TEST(ParseCgroup, SurvivesHostileNames) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(parse_cgroup("/docker/\0\n\x1b[2J"sv));
  EXPECT_FALSE(parse_cgroup("/" + std::string(kCgroupPathBytesMax, 'a')));
  EXPECT_FALSE(parse_cgroup(std::string(kCgroupPathBytesMax, '/')));
  EXPECT_FALSE(parse_cgroup("/default/" + std::string(77, 'a')));
  EXPECT_TRUE(parse_cgroup("/default/" + std::string(76, 'a')));
  // A unit name that begins with ".slice:" everywhere, and one that ends in the separator.
  EXPECT_FALSE(parse_cgroup("/.slice:.slice:.slice:"));
  EXPECT_FALSE(parse_cgroup("/docker-.scope/docker:/libpod-"));
}

}  // namespace
}  // namespace coff::runtime
