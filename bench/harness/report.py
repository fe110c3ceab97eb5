"""Workloads with their bars; medians and ratios of the runs; the result as text."""
import statistics

# Name, operations, operations with --quick, highest ratio that the project allows itself.
WORKLOADS = (("open", 1_000_000, 50_000, 1.30), ("exec", 1500, 150, 1.10),
             ("connect", 30_000, 3_000, 1.15), ("getppid", 10_000_000, 1_000_000, 1.14),
             ("pipe", 2_000_000, 200_000, 1.08), ("pipe2", 500_000, 50_000, 1.15))
# With the official rules and our own, more opens than none are asked for.
OPEN_BAR_WITH_RULES = 1.45
# Also measured with one empty hook on a system call that nobody makes.
FLOOR_WORKLOADS = ("open", "getppid", "pipe", "pipe2")
THROUGHPUT_BAR = 0.97
MIB = 1 << 20


def summarise(without, with_agent, floors, rules):
    """Medians and the median ratio of the pairs, for each workload."""
    rows = []
    for name, full, quick, bar in WORKLOADS:
        if rules and name == "open":
            bar = OPEN_BAR_WITH_RULES
        base, loaded = [run[name] for run in without], [run[name] for run in with_agent]
        row = {"workload": name, "operations": [full, quick], "bar": bar,
               "ratio": statistics.median(new["total_ns"] / old["total_ns"]
                                          for old, new in zip(base, loaded))}
        if name in FLOOR_WORKLOADS:
            row["floor"] = statistics.median(hooked[name]["total_ns"] / old["total_ns"]
                                             for old, hooked in zip(base, floors))
        for key in ("workload_ns", "total_ns"):
            row[f"without_{key}"] = statistics.median(run[key] for run in base)
        for key in loaded[0]:
            row[f"with_{key}"] = statistics.median(run.get(key, 0) for run in loaded)
        rows.append(row)
    return rows


def summarise_rates(without, with_agent, floors):
    """Median rates and ratios of the servers that were measured."""
    rows = []
    for name in ("redis", "nginx"):
        if all(name in run for run in without + with_agent + floors):
            pairs = [(old[name]["rate"], new[name]["rate"])
                     for old, new in zip(without, with_agent)]
            rows.append({"server": name, "bar": THROUGHPUT_BAR,
                         "without": statistics.median(old for old, _ in pairs),
                         "with": statistics.median(new for _, new in pairs),
                         "ratio": statistics.median(new / old for old, new in pairs),
                         "floor": statistics.median(
                             hooked[name]["rate"] / old[name]["rate"]
                             for old, hooked in zip(without, floors))})
    return rows


def print_text(result):
    """The result for people."""
    print(f"{result['rounds']} interleaved pairs, load in a {result['where']}, profile "
          f"{result['profile']}, {result['rules']} rules, kernel {result['kernel']}, {result['cpus']} CPUs"
          + (", --quick" if result["quick"] else ""))
    print(f"{'workload':9} {'without ns':>11} {'with ns':>11} {'agent':>9} {'sensor':>9} "
          f"{'keeper':>9} {'lost':>7} {'ratio':>6} {'bar':>5} {'floor':>6}")
    for row in result["workloads"]:
        print(f"{row['workload']:9} {row['without_total_ns']:11.1f} {row['with_total_ns']:11.1f} "
              f"{row['with_agent_ns']:9.1f} {row['with_sensor_ns']:9.1f} "
              f"{row['with_keeper_ns']:9.1f} {row['with_lost']:7.0f} {row['ratio']:6.3f} "
              f"{row['bar']:5.2f} " + (f"{row['floor']:6.3f}" if "floor" in row else ""))
    opens = result["workloads"][0]
    print(f"opens: {opens['with_filtered']:.0f} filtered in the kernel, {opens['with_sent']:.0f} "
          "sent; execs: all durable" if not result["failures"] else "proofs failed, see below")
    for row in result["throughput"]:
        print(f"{row['server']:9} {row['without']:9.0f}/s {row['with']:9.0f}/s  "
              f"throughput {row['ratio']:.3f}, bar {row['bar']:.2f}, floor {row['floor']:.3f}")
    if latency := result["latency"]:
        print(f"event to durable entry: p50 {latency['p50_ms']:.1f} ms, p99 "
              f"{latency['p99_ms']:.1f} ms, most {latency['max_ms']:.1f} ms (bar 100 ms at p99)")
    if paced := result["paced"]:
        print(f"{paced['opens_per_second']:.0f} unwanted opens/s: agent "
              f"{paced['agent_share_of_core']:.2%} of a core, idle "
              f"{paced['agent_share_of_core_idle']:.2%} (bar 1 %)")
    if memory := result["memory"]:
        print(f"memory with {memory['processes']} processes: {memory['pss_bytes'] / MIB:.1f} MiB "
              f"own, {memory['map_bytes'] / MIB:.1f} MiB BPF maps, together "
              f"{memory['total_bytes'] / MIB:.1f} MiB (bar 80 MiB)")
    for what, why in result["skipped"].items():
        print(f"not measured: {what}: {why}")
    for failure in result["failures"]:
        print(f"FAILED: {failure}")
