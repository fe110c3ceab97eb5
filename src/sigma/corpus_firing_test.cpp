// The public rules for Linux at work: what each is for makes it fire, and what is close to it not.
#include <fcntl.h>

#include "sigma/testing/corpus.hpp"
#include "sigma/testing/fires.hpp"

namespace coff::sigma {
namespace {

using rules::testing::Scene;
using testing::Corpus;
using testing::executed;

struct Case {
  std::string_view file;  ///< The rule's file without its extension.
  Event fires;
  Event spares;
};

Case lines(std::string_view file, std::string_view fires, std::string_view spares) {
  return {file, executed(fires), executed(spares)};
}

std::vector<Case> process_cases() {
  return {
      lines("proc_creation_lnx_at_command", "at now", "cat now"),
      lines("proc_creation_lnx_av_kaspersky_av_disabled", "systemctl STOP kesl.service",
            "systemctl start kesl.service"),
      lines("proc_creation_lnx_base64_decode", "base64 --decode x", "base64 x"),
      lines("proc_creation_lnx_base64_shebang_cli", "echo IyEvYmluL2Jhc2gK", "echo IyEvYmlu"),
      lines("proc_creation_lnx_bpf_kprob_tracing_enabled",
            "sh -c echo 1 > /sys/kernel/debug/tracing/events/kprobes/myprobe/enable",
            "sh -c echo 0 > /sys/kernel/debug/tracing/events/kprobes/myprobe/enable"),
      lines("proc_creation_lnx_cap_setgid", "setcap cap_setgid+ep x", "setcap cap_chown+ep x"),
      lines("proc_creation_lnx_capa_discovery", "getcap -r /", "getcap /bin/ping"),
      lines("proc_creation_lnx_chattr_immutable_removal", "chattr -i x", "chattr +i x"),
      lines("proc_creation_lnx_chroot_execution", "sudo --chroot /x id", "sudo id"),
      lines("proc_creation_lnx_clear_syslog", "rm -f /var/log/syslog", "rm -f /var/log/other"),
      lines("proc_creation_lnx_cp_passwd_or_shadow_tmp", "cp /etc/shadow /tmp/x",
            "cp /etc/hosts /tmp/x"),
      lines("proc_creation_lnx_crontab_removal", "crontab -r", "crontab -l"),
      lines("proc_creation_lnx_curl_usage", "curl x", "curlie x"),
      lines("proc_creation_lnx_dd_file_overwrite", "dd if=/dev/zero of=x", "dd if=y of=x"),
      lines("proc_creation_lnx_disable_ufw", "ufw disable", "ufw enable"),
      lines("proc_creation_lnx_env_shell_invocation", "env /bin/sh", "env PATH=/bin id"),
      lines("proc_creation_lnx_esxcli_vm_kill", "esxcli vm process kill -w 1",
            "esxcli vm process list"),
      {"proc_creation_lnx_file_and_directory_discovery", executed("file " + std::string(200, 'a')),
       executed("file " + std::string(190, 'a'))},
      lines("proc_creation_lnx_find_shell_execution", "find . -exec /bin/sh ;",
            "find . -name /bin/sh"),
      lines("proc_creation_lnx_gcc_shell_execution", "gcc -wrapper /bin/sh,-s .", "gcc -o sh x.c"),
      lines("proc_creation_lnx_grep_os_arch_discovery", "grep x86_64", "grep x86_64 file"),
      lines("proc_creation_lnx_install_root_certificate", "update-ca-certificates",
            "update-alternatives"),
      lines("proc_creation_lnx_iptables_flush_ufw", "iptables -F ufw-logging-deny",
            "iptables -L ufw-logging-deny"),
      lines("proc_creation_lnx_local_groups", "cat /etc/group", "cat /etc/hosts"),
      lines("proc_creation_lnx_mkfifo_named_pipe_creation", "mkfifo x", "mkdir x"),
      lines("proc_creation_lnx_mount_hidepid", "mount -o hidepid=2 /proc", "mount -o ro /proc"),
      lines("proc_creation_lnx_nice_shell_execution", "nice /bin/sh", "nice make"),
      lines("proc_creation_lnx_nohup_susp_execution", "nohup /tmp/x", "nohup /srv/x"),
      lines("proc_creation_lnx_php_reverse_shell", "php -r fsockopen('x');exec('sh');",
            "php -r phpinfo();"),
      lines("proc_creation_lnx_proxy_connection", "sh -c http_proxy=x", "sh -c proxy=x"),
      lines("proc_creation_lnx_python_base64_encoded_execution",
            "python3 -c import base64;base64.b64decode('x')", "python3 -c import json"),
      lines("proc_creation_lnx_python_pty_spawn", "python3.11 -c import pty;pty.spawn('sh')",
            "python3.11 -c import os"),
      lines("proc_creation_lnx_python_shell_os_system", "python3 -c os.system('/bin/sh')",
            "python3 -c os.system('id')"),
      lines("proc_creation_lnx_remote_system_discovery", "ping 10.0.0.7", "ping 9.9.9.9"),
      lines("proc_creation_lnx_rsync_shell_execution", "rsync -e /bin/sh -c x", "rsync -av a b"),
      lines("proc_creation_lnx_ruby_reverse_shell", "ruby -ersocket -e TCPSocket.new;exec sh",
            "ruby -e puts"),
      lines("proc_creation_lnx_security_software_discovery", "grep -i osqueryd", "grep -i sshd"),
      lines("proc_creation_lnx_services_stop_and_disable", "systemctl stop auditd",
            "systemctl stop snap-snapd-1.mount"),
      lines("proc_creation_lnx_ssh_shell_execution", "ssh localhost /bin/sh", "ssh host uptime"),
      lines("proc_creation_lnx_susp_container_residence_discovery", "cat /proc/1/cgroup",
            "cat /proc/1/status"),
      lines("proc_creation_lnx_susp_curl_useragent", "curl -A x y", "curl -x x y"),
      {"proc_creation_lnx_susp_exec_from_dev_shm", executed("x", "/dev/shm/x"),
       executed("x", "/dev/shmx")},
      lines("proc_creation_lnx_susp_find_execution", "find / -perm -4000", "find / -name x"),
      lines("proc_creation_lnx_susp_history_delete", "rm /root/.bash_history", "rm /root/history"),
      lines("proc_creation_lnx_wget_download_suspicious_directory", "wget -O /tmp/x y",
            "wget -o /tmp/x y"),
  };
}

Case opens(std::string_view file, const Scene& fires, const Scene& spares) {
  return {file, fires.event(), spares.event()};
}

std::vector<Case> file_and_network_cases() {
  using rules::testing::connected;
  using rules::testing::opened;
  using rules::testing::wrote;
  const auto renamed = [](std::string_view path) {
    return Scene(COFF_KIND_rename, SYS_renameat2).path("/etc/.x").second(path);
  };
  return {
      opens("file_event_lnx_doas_conf_creation", wrote("/etc/doas.conf"),
            opened("/etc/doas.conf", O_RDONLY)),
      opens("file_event_lnx_persistence_sudoers_files", wrote("/etc/sudoers.d/evil"),
            wrote("/etc/sudoers.d/README.dpkg-new").name("dpkg")),
      opens("file_event_lnx_susp_cron_file_created", renamed("/var/spool/cron/crontabs/root"),
            wrote("/etc/cron.daily/dpkg")),
      opens("file_event_lnx_susp_filename_with_embedded_base64_command",
            wrote("/tmp/{echo,x}|{base64,-d}|sh"), wrote("/tmp/echo")),
      opens("file_event_lnx_susp_shell_script_under_profile_directory",
            wrote("/etc/profile.d/x.sh"), wrote("/etc/profile.d/x.txt")),
      opens("file_event_lnx_wget_download_file_in_tmp_dir", wrote("/var/tmp/x").name("wget"),
            wrote("/var/tmp/x").name("curl")),
      opens("net_connection_lnx_back_connect_shell_dev",
            connected("203.0.113.9", 443).name("bash").exe("/bin/bash"),
            connected("127.0.0.1", 443).name("bash").exe("/bin/bash")),
      opens("net_connection_lnx_susp_malware_callback_port", connected("203.0.113.9", 4444),
            connected("10.1.1.1", 4444)),
  };
}

std::vector<Case> audit_cases() {
  using rules::testing::opened;
  using rules::testing::run;
  using rules::testing::wrote;
  const auto memory_file = [](std::string_view name) {
    return Scene(COFF_KIND_memfd_create, SYS_memfd_create).name(name);
  };
  return {
      lines("lnx_auditd_binary_padding", "dd if=/dev/zero bs=1", "dd if=/dev/zero of=x"),
      lines("lnx_auditd_capabilities_discovery", "getcap -r /", "getcap -r /usr"),
      lines("lnx_auditd_coinminer", "x y --cpu-priority=5", "x y --priority=5"),
      lines("lnx_auditd_hidden_files_directories", "mkdir /tmp/.x", "mkdir /tmp/x"),
      lines("lnx_auditd_susp_cmds", "chmod 777 x", "chmod 755 x"),
      lines("lnx_auditd_system_shutdown_reboot", "init 6", "id 6"),
      lines("lnx_auditd_user_discovery", "whoami", "whoamI2"),
      lines("lnx_auditd_susp_c2_commands", "wget x", "wc x"),
      lines("lnx_auditd_susp_histfile_operations", "cat /root/.bash_history", "cat x"),
      lines("lnx_auditd_split_file_into_pieces", "split x", "spit x"),
      opens("lnx_auditd_create_account", run("useradd"), run("usermod")),
      {"lnx_auditd_susp_exe_folders", executed("x", "/home/eve/public_html/x"),
       executed("x", "/home/eve/x")},
      opens("lnx_auditd_web_rce", run("sh").user(33, 33), run("sh").user(34, 33)),
      opens("lnx_auditd_audio_capture", memory_file("ecasound"), memory_file("other")),
      opens("lnx_auditd_susp_special_file_creation_via_mknod_syscall",
            Scene(COFF_KIND_mknod, SYS_mknod).path("/tmp/x"),
            Scene(COFF_KIND_mknod, SYS_mknodat).path("/tmp/x")),
      opens("lnx_auditd_network_service_scanning",
            rules::testing::connected("203.0.113.9", 22).name("nmap"),
            rules::testing::connected("203.0.113.9", 22).name("ssh")),
      opens("lnx_auditd_ld_so_preload_mod", wrote("/etc/ld.so.preload"), wrote("/etc/ld.so.conf")),
      opens("lnx_auditd_unix_shell_configuration_modification",
            opened("/home/eve/.bashrc", O_RDONLY), opened("/home/eve/bashrc", O_RDONLY)),
      opens("lnx_auditd_hidden_binary_execution", opened("/tmp/.x", O_RDONLY),
            opened("/home/eve/.cache/.x", O_RDONLY)),
      opens("lnx_auditd_systemd_service_creation",
            Scene(COFF_KIND_rename, SYS_rename).path("/tmp/x").second("/etc/systemd/system/x"),
            opened("/etc/systemd/system/x", O_RDONLY)),
      lines("lnx_auditd_password_policy_discovery", "chage --list eve", "chage -E 0 eve"),
  };
}

class Firing : public Corpus {
 protected:
  void check(const std::vector<Case>& cases) {
    const Loaded loaded = load_files({}, {path_});
    ASSERT_FALSE(loaded.statuses.empty());
    for (const Case& each : cases) {
      std::string title;
      for (const RuleStatus& status : loaded.statuses) {
        if (status.file.ends_with("/" + std::string(each.file) + ".yml")) title = status.title;
      }
      ASSERT_FALSE(title.empty()) << each.file;
      EXPECT_TRUE(testing::firing(loaded, each.fires).contains(title)) << each.file;
      EXPECT_FALSE(testing::firing(loaded, each.spares).contains(title)) << each.file;
    }
  }
};

TEST_F(Firing, Processes) { check(process_cases()); }
TEST_F(Firing, FilesAndConnections) { check(file_and_network_cases()); }
TEST_F(Firing, AuditedCalls) { check(audit_cases()); }

}  // namespace
}  // namespace coff::sigma
