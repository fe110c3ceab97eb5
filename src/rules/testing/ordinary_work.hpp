// Events of ordinary work: services, logins, packages, builds, and engines that run containers.
#pragma once

#include "rules/testing/scene.hpp"

namespace coff::rules::testing {

struct Ordinary {
  std::string_view what;
  Event event;

  Ordinary(std::string_view name, const Scene& scene) : what(name), event(scene.event()) {}
};

inline Scene mounted(std::string_view source, std::string_view target, std::string_view type) {
  return file_call(COFF_KIND_mount, SYS_mount, target).second(source).file_system(type);
}
inline Scene made_node(std::uint32_t mode) {
  return file_call(COFF_KIND_mknod, SYS_mknodat, "/dev/x").file_argument(2, mode);
}
inline Scene renamed_to(std::string_view path) {
  return file_call(COFF_KIND_rename, SYS_renameat2, "/tmp/new").second(path);
}
inline Scene removed(std::string_view path) {
  return file_call(COFF_KIND_unlink, SYS_unlinkat, path);
}
inline Scene by_dpkg(Scene scene) { return scene.name("dpkg"); }
inline Scene by_runtime(Scene scene) {
  return scene.exe("/memfd:runc_cloned:/proc/self/exe (deleted)").flags(COFF_EXE_MEMFD);
}

inline std::vector<Ordinary> ordinary_services() {
  return {
      {"cron checks an account", read_by("cron", "/etc/shadow").exe("/usr/sbin/cron").root()},
      {"cron sets the login user", call(COFF_KIND_loginuid, -1).exe("/usr/sbin/cron")},
      {"cron runs a job", run("sh").parent("cron").args("-c /srv/job").root()},
      {"crontab saves", renamed_to("/var/spool/cron/crontabs/root").name("crontab")},
      {"PostgreSQL's initdb asks for a version", run("sh").parent("initdb").args("-c postgres -V")},
      {"PostgreSQL writes", wrote("/var/lib/postgresql/data/postgresql.conf").name("sed")},
      {"PostgreSQL is reached", call(COFF_KIND_connect, SYS_connect).socket_path("/run/pg/.s")},
      {"Redis takes over its folder", run("find").args(". ! -user redis -exec chown redis {} +")},
      {"nginx is configured at its start", wrote("/etc/nginx/conf.d/default.conf").name("sed")},
      {"nginx asks for its own package", run("apk").args("manifest nginx")},
      {"nginx reads its key", read_by("nginx", "/etc/ssl/private/web.key").root()},
      {"nginx starts", run("nginx").parent("docker-entrypoi").root()},
      {"Apache rotates", run("sh").parent("apache2").args("-c exec /usr/bin/rotatelogs log 86400")},
      {"a script waits for a database", duplicated("10.0.0.5", 1).name("bash")},
      {"a script probes itself", duplicated("127.0.0.1", 0).name("bash")},
      {"a health check asks", run("curl").args("-f http://localhost/")},
      {"an application calls another", connected("10.0.0.9", 8080)},
      {"an application calls out", connected("203.0.113.80", 443)},
      {"logs are rotated", removed("/var/log/btmp").host().name("logrotate")},
      {"a login through sshd", read_by("sshd", "/etc/shadow").host().exe("/usr/sbin/sshd")},
      {"sshd reads its key", read_by("sshd", "/etc/ssh/ssh_host_ed25519_key").host()},
      {"sudo", run("sudo").host().flags(COFF_EXE_SETID).user(0, 1000)},
      {"a root shell through sudo", run("bash").host().parent("sudo").root()},
      {"a service's helper is set up", wrote("/proc/self/coredump_filter").host()},
  };
}

inline std::vector<Ordinary> ordinary_builds() {
  const auto dockerd = [](Scene scene) {
    return scene.host().root().exe("/usr/bin/dockerd").parent("dockerd");
  };
  return {
      {"a package unpacks", by_dpkg(wrote("/usr/bin/curl.dpkg-new"))},
      {"a package installs a service", by_dpkg(renamed_to("/etc/systemd/system/a.service"))},
      {"a package marks a program", by_dpkg(changed_mode("/usr/bin/su.dpkg-new", 04755))},
      {"a package adds a user", run("useradd").exe("/usr/sbin/useradd").parent("dpkg")},
      {"adduser reads hashes", read_by("adduser", "/etc/shadow").exe("/usr/bin/perl")},
      {"useradd writes hashes", renamed_to("/etc/shadow").exe("/usr/sbin/useradd")},
      {"a package's script runs", run("a.postinst").upper().parent("dpkg")},
      {"apt installs", run("apt-get").args("install -y gcc").root()},
      {"apt loads", connected("203.0.113.80", 80).name("http").parent("apt-get")},
      {"lists are removed", run("rm").args("-rf /var/lib/apt/lists /var/log/dpkg.log")},
      {"gcc compiles", run("cc1").upper().parent("gcc")},
      {"the result runs", run("a.out").exe("/tmp/a.out").upper()},
      {"make installs", wrote("/usr/local/bin/tool").name("install").parent("make")},
      {"a shell loads a tool", run("sh").args("-c curl -fsSL https://a.example/i.sh | sh")},
      {"an image is unpacked", dockerd(changed_mode("/usr/bin/su", 04755))},
      {"an image gets capabilities",
       dockerd(file_call(COFF_KIND_setxattr, SYS_setxattr, "/usr/bin/ping")
                   .second("security.capability"))},
      {"an image's hashes are packed", dockerd(opened("/etc/shadow", O_RDONLY))},
      {"a build step gives capabilities", file_call(COFF_KIND_setxattr, SYS_setxattr, "/srv/app")
                                              .second("security.capability")
                                              .build_step()},
      {"a build step adds a service", wrote("/etc/systemd/system/app.service").build_step()},
      {"a build step marks a program", changed_mode("/srv/app", 04755).build_step()},
      {"a runtime enters namespaces",
       by_runtime(call(COFF_KIND_setns, SYS_setns).namespaces(CLONE_NEWNS))},
      {"a runtime mounts", by_runtime(mounted("proc", "/proc", "proc"))},
      {"a runtime mounts a device folder",
       by_runtime(mounted("/dev/sda1", "/etc/hosts", "").thread("runc:[2:INIT]"))},
      {"a runtime opens its folder",
       changed_mode("/tmp/data/overlay2/a/merged/dev", 0755).exe("/runc").flags(0)},
      {"a runtime makes devices", by_runtime(made_node(S_IFCHR | 0666))},
      {"a runtime copies itself", by_runtime(run("exe").parent("runc"))},
      {"a container starts", run("app").parent("runc:[2:INIT]", "/usr/bin/runc").root()},
      {"somebody enters", run("bash").terminal().parent("runc:[2:INIT]", "/usr/bin/runc").root()},
  };
}

}  // namespace coff::rules::testing
