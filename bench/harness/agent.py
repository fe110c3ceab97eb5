"""An agent of its own for measuring: start, stop, counters, CPU time and memory."""
import json
import os
import pathlib
import subprocess
import time

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


class BenchError(Exception):
    """The measurement cannot go on; the text says why."""


def missing_filters():
    """Path filters in the numbers of the target, which no workload's path meets."""
    def texts(count, before, after):
        return [f"{before}{number}{after}" for number in range(count)]
    return {"exact": texts(200, "/opt/miss/exact/", ".conf"),
            "prefix": texts(50, "/srv/miss/", "/"),
            "suffix": texts(20, "/.miss", "_key"),
            "contains": texts(20, "miss-", "-within")}


def rule_settings(folders):
    """The section `rules`: files in Falco's language and in Sigma's, told apart by their endings."""
    def holds(folder, ending):
        path = pathlib.Path(folder)
        return path.suffix == ending if path.is_file() else any(path.rglob("*" + ending))
    paths = [str(pathlib.Path(folder).resolve()) for folder in folders]
    # Also those that their files leave off.
    return {"files": [path for path in paths if holds(path, ".yaml")],
            "sigma_files": [path for path in paths if holds(path, ".yml")], "enable": ["*"]}


def configuration(directory, profile, engine_socket, rules):
    """Text of the configuration: a shipped profile and one clause with the missing filters."""
    clause = {"reason": "bench: filters that miss", "events": ["open"], "path": missing_filters()}
    settings = {"data_dir": f"{directory}/data", "run_dir": f"{directory}/run",
                "log_level": "warning",
                "profile": {"base": profile, "clauses": [clause]}}
    # Rules that happen to be installed are no part of a figure.
    settings["rules"] = rule_settings(rules)
    if engine_socket:
        settings["engines"] = [engine_socket]
    return json.dumps(settings, indent=1) + "\n"  # JSON is YAML


def cpu_ns_of(pid):
    """CPU time of a process and its threads; 0 when it has ended."""
    total_ns = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            # The scheduler's own sum, in nanoseconds: stat counts ticks of 10 ms.
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total_ns += int(file.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total_ns


def kernel_threads_cpu_ns():
    """CPU time of each kernel thread, by pid."""
    threads = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                parent = file.read().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == "2" or name == "2":
            threads[int(name)] = cpu_ns_of(name)
    return threads


def grown_ns(before, after):
    """Sum of the growth of those that are in both, and of all that is new."""
    return sum(now - before.get(pid, 0) for pid, now in after.items())


class Agent:
    """`cofferdam agent` under a directory of its own; stopped until start() is called."""

    def __init__(self, binary, directory, profile, engine_socket=None, rules=()):
        self.binary = str(binary)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)  # its processes have users of their own
        self.config = self.directory / "cofferdam.yaml"
        self.config.write_text(configuration(self.directory, profile, engine_socket, rules),
                               encoding="utf-8")
        self.child = None

    def command(self, *arguments):
        """Runs the program as a client; its standard output."""
        done = subprocess.run([self.binary, "--config", str(self.config), *arguments],
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode not in (0, 1):
            raise BenchError(f"cofferdam {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def start(self):
        """Starts it and waits until every process is ready and what it found at start is kept."""
        with open(self.directory / "log", "ab") as log:
            self.child = subprocess.Popen([self.binary, "--config", str(self.config), "agent"],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                tail = (self.directory / "log").read_text(encoding="utf-8", errors="replace")
                raise BenchError("the agent does not start:\n" + tail[-2000:])
            time.sleep(0.25)
        time.sleep(2)

    def ready(self):
        """Whether all processes run and the kernel's counters have begun."""
        try:
            parts = self.status()
        except (BenchError, ValueError, KeyError):
            return False
        return ("kernel" in parts.get("sensor", {}) and
                all(process["ready"] for process in parts["agent"]["processes"]))

    def stop(self):
        """Ends it in order; what it has is durable afterwards."""
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise BenchError("the agent did not stop when told to") from None
        finally:
            self.child = None

    def rules(self):
        """Number of rules that are loaded, of both languages."""
        return len(self.command("--json", "rules", "list").splitlines())

    def status(self):
        """Parts of the status by name."""
        return {part["part"]: part for part in json.loads(self.command("--json", "status"))}

    def pids(self):
        """The supervisor and everything below it."""
        found, left = [], [self.child.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                        left.extend(int(child) for child in file.read().split())
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def keeper_pid(self):
        """The process that writes the trail."""
        return next(pid for pid, name in self.names().items() if name == "keeper")

    def names(self):
        """What each of its processes is, by pid."""
        found = {process["pid"]: process["process"]
                 for process in self.status()["agent"]["processes"]}
        return found | {self.child.pid: "supervisor"}

    def cpu_ns(self):
        """CPU time so far, by process id."""
        return {pid: cpu_ns_of(pid) for pid in self.pids()}

    def memory(self):
        """Bytes: proportional memory without BPF maps, the maps, and their sum."""
        own, mapped = 0, 0
        for pid in self.pids():
            is_map = False
            with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
                for line in smaps:
                    words = line.split()
                    if not words[0].endswith(":"):
                        is_map = "bpf" in line and "anon_inode" in line
                    elif words[0] == "Pss:":
                        own += 0 if is_map else int(words[1]) * 1024
                        mapped += int(words[1]) * 1024 if is_map else 0
        maps = self.status()["sensor"]["map_bytes"]
        return {"pss_bytes": own, "mapped_maps_pss_bytes": mapped, "map_bytes": maps,
                "total_bytes": own + maps}


def losses(status):
    """All that is counted as lost, in one number."""
    sensor = status["sensor"]
    return (sum(kind["lost"] for kind in sensor["kernel"].values()) + sensor["skipped_runs"] +
            sensor["entries"]["lost_full"] + sensor["entries"]["lost_size"] +
            sensor["events"]["entries_refused"])


def open_counters(status):
    """The kernel's counters of file opens."""
    return status["sensor"]["kernel"].get("open", {"sent": 0, "filtered": 0, "lost": 0})
