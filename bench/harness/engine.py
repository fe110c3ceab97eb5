"""The container engine for measuring: one that answers, or one of its own; containers in it."""
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import time

from .agent import BenchError

LABEL = "io.cofferdam.bench=1"
BRIDGE, BRIDGE_ADDRESS = "coffbench0", "10.213.77.1/24"
SERVER_PACKAGES = "redis-server,nginx-light,wrk"


class Engine:
    """Docker: one of its own where dockerd is installed, so that nobody else's containers are
    measured, else the one that answers. close() removes what was made."""

    def __init__(self, directory, load_binary):
        self.directory = pathlib.Path(directory) / "engine"
        self.load_binary = load_binary
        self.socket = None
        self.daemon = None
        if shutil.which("docker") is None:
            raise BenchError("docker is not installed")
        if shutil.which("dockerd") is not None:
            try:
                self._start()
            except BaseException:
                self.close()
                raise
        elif self._docker("version", check=False).returncode == 0:
            host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
            self.socket = host.removeprefix("unix://") if host.startswith("unix://") else None
        else:
            raise BenchError("no engine answers, and dockerd is not installed")

    def _docker(self, *arguments, check=True, timeout=120):
        host = ["--host", f"unix://{self.socket}"] if self.daemon else []
        done = subprocess.run(["docker", *host, *arguments], capture_output=True, text=True,
                              timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise BenchError(f"docker {' '.join(arguments[:2])}: {done.stderr.strip()[-500:]}")
        return done

    def _start(self):
        self.directory.mkdir(parents=True)
        # One that was killed may have left it.
        subprocess.run(["ip", "link", "del", BRIDGE], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
        subprocess.run(["ip", "addr", "add", BRIDGE_ADDRESS, "dev", BRIDGE], check=True)
        subprocess.run(["ip", "link", "set", BRIDGE, "up"], check=True)
        self.socket = f"{self.directory}/docker.sock"
        with open(self.directory / "log", "wb") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", f"--data-root={self.directory}/data",
                 f"--exec-root={self.directory}/exec", f"--pidfile={self.directory}/pid",
                 f"--host=unix://{self.socket}", "--iptables=false", "--ip6tables=false",
                 "--ip-forward=false", f"--bridge={BRIDGE}"], stdout=log, stderr=log)
        for _ in range(120):
            if self._docker("version", check=False).returncode == 0:
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.25)
        log = (self.directory / "log").read_text(encoding="utf-8", errors="replace")
        raise BenchError("dockerd does not start: " + log[-500:])

    def close(self):
        """Removes the containers, and the engine when it is our own."""
        try:
            listed = self._docker("ps", "-aq", "--filter", f"label={LABEL}", check=False)
            if listed.stdout.split():
                self._docker("rm", "-f", *listed.stdout.split(), check=False, timeout=300)
        finally:
            if self.daemon:
                self.daemon.terminate()
                self.daemon.wait(60)
                subprocess.run(["ip", "link", "del", BRIDGE], check=False)
                self.daemon = None

    def import_archive(self, name, data):
        """The image of a tar archive, imported once for each content."""
        tag = f"coff-bench-{name}:{hashlib.sha256(data).hexdigest()[:12]}"
        if self._docker("image", "inspect", tag, check=False).returncode != 0:
            host = ["--host", f"unix://{self.socket}"] if self.daemon else []
            subprocess.run(["docker", *host, "import", "-", tag], input=data, check=True,
                           stdout=subprocess.DEVNULL, timeout=300)
        return tag

    def load_image(self):
        """Image with the load program and busybox."""
        busybox = shutil.which("busybox")
        if busybox is None:
            raise BenchError("busybox-static is not installed")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for folder in ("bin", "etc", "tmp", "proc", "sys", "dev"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            for source, target in ((busybox, "bin/busybox"), (self.load_binary, "bin/load")):
                data = pathlib.Path(source).read_bytes()
                entry = tarfile.TarInfo(target)
                entry.size, entry.mode = len(data), 0o755
                archive.addfile(entry, io.BytesIO(data))
        return self.import_archive("load", buffer.getvalue())

    def serve_command(self):
        """Command line of the load program waiting for work in a container without network."""
        host = ["--host", f"unix://{self.socket}"] if self.daemon else []
        return ["docker", *host, "run", "--rm", "-i", "--network", "none", "--label", LABEL,
                self.load_image(), "/bin/load", "serve"]

    def run_sleepers(self, containers, processes):
        """Starts containers that hold so many sleeping processes together."""
        image = self.load_image()
        each = max(1, processes // containers - 1)
        script = (f"i=0; while [ $i -lt {each} ]; do /bin/busybox sleep 100000 & i=$((i+1)); "
                  "done; wait")
        for _ in range(containers):
            self._docker("run", "-d", "--network", "none", "--label", LABEL, image,
                         "/bin/busybox", "sh", "-c", script)

    def server_image(self, cache):
        """Image with Redis, nginx and wrk from Debian packages; kept packed in `cache`."""
        packed = pathlib.Path(cache) / "bench-servers.tar"
        if not packed.exists():
            if shutil.which("mmdebstrap") is None:
                raise BenchError("mmdebstrap is not installed")
            packed.parent.mkdir(parents=True, exist_ok=True)
            part = packed.with_suffix(".part.tar")
            done = subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=essential", f"--include={SERVER_PACKAGES}",
                 "bookworm", str(part), *filter(None, [os.environ.get("COFF_DEMO_MIRROR")])],
                capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BenchError("the servers' image cannot be built: " + done.stderr[-500:])
            part.rename(packed)
        return self.import_archive("servers", packed.read_bytes())

    def start_container(self, image, *command):
        """(id, address) of a container on the bridge."""
        name = self._docker("run", "-d", "--label", LABEL, image, *command).stdout.strip()
        address = self._docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}",
                               name).stdout.strip()
        if not address:
            raise BenchError("the container has no address")
        return name, address

    def execute(self, container, *command):
        """Standard output of a command in a running container."""
        return self._docker("exec", container, *command, timeout=300).stdout


class Servers:
    """Redis and nginx in containers, and a third that asks them."""

    NGINX = ("daemon off; worker_processes 1; error_log stderr crit; events {} http { "
             "access_log off; keepalive_requests 100000000; server { listen 80; location / "
             "{ return 200 \\'ok\\'; } } }")

    def __init__(self, engine, cache, quick):
        image = engine.server_image(cache)
        self.engine = engine
        self.requests, self.seconds = (20_000, 1) if quick else (200_000, 3)
        _, self.redis = engine.start_container(image, "redis-server", "--save", "",
                                               "--protected-mode", "no")
        configuration = self.NGINX.replace("\\'", "'")
        _, self.nginx = engine.start_container(
            image, "sh", "-c", 'printf %s "$0" >/bench.conf && exec nginx -c /bench.conf',
            configuration)
        self.client, _ = engine.start_container(image, "sleep", "100000")
        time.sleep(1)

    def measure_redis(self):
        """SET and GET requests a second, both kinds together."""
        text = self.engine.execute(self.client, "redis-benchmark", "-h", self.redis, "-t",
                                   "set,get", "-n", str(self.requests), "-c", "50", "--csv")
        rates = [float(rate) for rate in re.findall(r'^"[SG]ET","([\d.]+)"', text, re.M)]
        if len(rates) != 2:
            raise BenchError("redis-benchmark says: " + text[-300:])
        return 2 / sum(1 / rate for rate in rates)

    def measure_nginx(self):
        """Requests a second over kept connections."""
        text = self.engine.execute(self.client, "wrk", "-t1", "-c16", f"-d{self.seconds}s",
                                   f"http://{self.nginx}:80/")
        found = re.search(r"Requests/sec:\s+([\d.]+)", text)
        if not found or "Non-2xx" in text:
            raise BenchError("wrk says: " + text[-300:])
        return float(found.group(1))
