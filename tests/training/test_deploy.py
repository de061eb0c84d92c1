"""Launch files start what is there, stop it in time, and say so in a way that schedulers understand."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPTS = ("torchrun.sh", "slurm.sbatch")


@pytest.fixture
def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PROCESSES": "2", "RESTARTS": "0", "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_whole(name):
    subprocess.run(["bash", "-n", DEPLOY / name], check=True)


def test_every_flag_is_one_of_torchruns(environment):
    known = subprocess.run(
        ["torchrun", "--help"], env=environment, capture_output=True, text=True, check=True
    )
    commands = [
        line
        for line in (DEPLOY / "torchrun.sh").read_text().splitlines()
        if not line.lstrip().startswith("#")
    ]
    flags = set(re.findall(r"(?<![\w-])--[a-z-]+", "\n".join(commands)))
    assert {"--nnodes", "--rdzv-backend", "--max-restarts", "--standalone"} <= flags
    assert flags <= set(re.findall(r"--[a-z-]+", known.stdout))


def test_two_processes_run_what_follows_the_scripts_name(environment):
    recipe = DEPLOY.parent / "recipes" / "finetune.py"
    done = subprocess.run(
        [DEPLOY / "torchrun.sh", recipe, "--settings"],
        env=environment,
        cwd=DEPLOY.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"name": "finetune"') == 2


@pytest.mark.parametrize("told", [signal.SIGUSR1, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_run_that_is_told_to_stop_may_save_and_asks_to_be_started_again(tmp_path, environment, told):
    """What a scheduler sees: 75, and not the failure that the launcher makes of it."""
    recipe = tmp_path / "recipe.py"
    recipe.write_text(f"""
import os, pathlib, signal, sys, time
here = pathlib.Path({str(tmp_path)!r})
rank = os.environ["RANK"]
def save(number, frame):
    time.sleep(0.5)
    (here / f"saved-{{rank}}").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
(here / f"ready-{{rank}}").touch()
time.sleep(100)
""")
    running = subprocess.Popen(
        [DEPLOY / "torchrun.sh", recipe],
        env=environment,
        cwd=DEPLOY.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 100
        while len(list(tmp_path.glob("ready-*"))) < 2:
            assert time.monotonic() < end and running.poll() is None, "the processes never started"
            time.sleep(0.1)
        running.send_signal(told)
        assert running.wait(60) == 75
    finally:
        running.kill()
    assert len(list(tmp_path.glob("saved-*"))) == 2


@pytest.mark.slow
def test_a_run_that_fails_is_not_started_again_by_a_scheduler(environment):
    done = subprocess.run(
        [DEPLOY / "torchrun.sh", "recipes/there-is-none.py"],
        env=environment,
        cwd=DEPLOY.parent,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode not in (0, 75)


def test_slurm_queues_again_what_was_stopped_in_time():
    script = (DEPLOY / "slurm.sbatch").read_text()
    options = dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(\S+))?$", script, re.MULTILINE))
    kind, _, seconds = options["signal"].partition("@")
    assert kind == "B:USR1"
    saving = int(re.search(r"SAVING:-(\d+)", (DEPLOY / "torchrun.sh").read_text())[1])
    assert int(seconds) > saving, "processes must have saved before the time is up"
    assert {"requeue", "no-kill"} <= set(options)
    assert options["open-mode"] == "append"  # the log of the time before stays
    assert options["ntasks-per-node"] == "1"  # one launcher a node


def test_pods_of_kubernetes_find_each_other_and_may_save():
    service, claim, job = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    spec, template = job["spec"], job["spec"]["template"]
    pod, (container,) = template["spec"], template["spec"]["containers"]
    name = service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None" or service["spec"]["clusterIP"] is None
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert pod["subdomain"] == name

    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    port = service["spec"]["ports"][0]["port"]
    assert environment["MEETING"] == f"{job['metadata']['name']}-0.{name}:{port}"
    assert environment["NODES"].endswith(f":{spec['parallelism']}")
    assert spec["completionMode"] == "Indexed" and spec["completions"] == spec["parallelism"]
    assert int(environment["PROCESSES"]) == container["resources"]["limits"]["nvidia.com/gpu"]

    assert pod["terminationGracePeriodSeconds"] > int(environment["SAVING"])
    ignored = [rule for rule in spec["podFailurePolicy"]["rules"] if rule["action"] == "Ignore"]
    assert any(rule.get("onExitCodes", {}).get("values") == [75] for rule in ignored)
    assert pod["restartPolicy"] == "Never"  # a policy for failed pods needs it

    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"
    assert volumes["runs"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    out = container["args"][container["args"].index("--out") + 1]
    assert out.startswith("/runs/") and "/runs" in mounts
