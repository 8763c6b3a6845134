"""A real Slurm of two nodes on this machine, in a temporary folder and on free ports; nothing is installed for it.

    cluster = Cluster(folder); cluster.start(); ...; cluster.stop()

Debian's slurm-wlm and munge have all of it. Both nodes are this machine, under two names.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

import psutil

from tests.waiting import until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
NODES = ("n1", "n2")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ReturnToService=2
SlurmdTimeout=5
SlurmctldTimeout=5
KillWait=15
MinJobAge=20
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
"""


def missing() -> str:
    """Return why no cluster can be started here, or ""."""
    absent = [name for name in PROGRAMS if _find(name) is None]
    if absent:
        return f"no {', '.join(absent)} here: apt-get install slurm-wlm munge"
    if os.getuid() != 0:
        return "slurmd has to be started by root"
    return ""


class Cluster:
    """Controller, two nodes, and what vouches for their messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "slurm.conf"
        self.environment = {**os.environ, "SLURM_CONF": str(self.config)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        names = {
            name: f"--{name}={self.folder}/munge.{name.split('-')[0]}" for name in ("socket", "pid-file", "log-file")
        }
        self._run(
            "munged", "-F", "--force", f"--key-file={key}", f"--seed-file={self.folder}/munge.seed", *names.values()
        )
        until(lambda: (self.folder / "munge.socket").exists(), 10)
        host = socket.gethostname().split(".")[0]
        self.config.write_text(
            CONFIG.format(host=host, folder=self.folder, ports=_free_ports(3), user=psutil.Process().username())
        )
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        until(lambda: self.idle() == 2, 30)

    def stop(self) -> None:
        """End all of it, and what of its jobs is left."""
        self.do("scancel", "-u", str(os.getuid()), check=False)
        for name in reversed(list(self._processes)):
            self._kill(name)
        for process in [each for node in NODES for each in self._on(node)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def do(self, program: str, *arguments: str, check: bool = True, content: str = "") -> str:
        """Run one of Slurm's programs, and return what it prints."""
        done = subprocess.run(
            [program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            input=content,
            timeout=60,
        )
        return done.stdout

    def idle(self) -> int:
        """Return how many nodes are idle."""
        states = self.do("sinfo", "-h", "-N", "-p", "main", "-o", "%t", check=False).split()
        return states.count("idle")

    def start_controller(self) -> None:
        self._run("slurmctld", "-D")

    def kill_controller(self) -> None:
        self._kill("slurmctld")

    def start_node(self, node: str) -> None:
        self._run("slurmd", "-D", "-N", node, name=node)

    def cut_off(self, node: str) -> None:
        """Take a node's daemon away, as if its network were gone: what runs on it goes on."""
        self._kill(node)

    def kill_node(self, node: str) -> None:
        """End a node and all that runs on it, as if its power were gone."""
        there = [psutil.Process(self._processes[node].pid), *self._on(node)]
        for act in (psutil.Process.suspend, psutil.Process.kill):  # nobody is left to say that another one is gone
            for process in there:
                with contextlib.suppress(psutil.NoSuchProcess):
                    act(process)
        self._processes.pop(node).wait()

    def heal(self, wait: bool = True) -> None:
        """Start what is not there; then have all jobs ended, and wait for both nodes, unless told not to."""
        if "slurmctld" not in self._processes:
            self.start_controller()
        for node in NODES:
            if node not in self._processes:
                self.start_node(node)
        self.do("scontrol", "update", f"nodename={','.join(NODES)}", "state=resume", check=False)
        if wait:
            self.do("scancel", "-u", str(os.getuid()), check=False)
            until(lambda: self.idle() == 2, 60)

    def _on(self, node: str) -> list[psutil.Process]:
        """Return what runs of jobs on a node: Slurm's own steps, known by their sockets, and what these started."""
        sockets = f"{self.folder}/spool-{node}/"
        there = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environment = process.environ()
                ours = environment.get("SLURM_CONF") == str(self.config) and environment.get("SLURMD_NODENAME") == node
                if process.name().startswith("slurmstepd"):
                    ours = any(str(each.laddr).startswith(sockets) for each in process.net_connections(kind="unix"))
                if ours:
                    there.append(process)
        return there

    def _run(self, program: str, *arguments: str, name: str = "") -> None:
        with (self.folder / f"{name or program}.out").open("ab") as out:
            self._processes[name or program] = subprocess.Popen(
                [_find(program) or program, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait()


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
