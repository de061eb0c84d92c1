"""What deploy/server/ says about the server is true: flags, settings, ports, paths, metrics and times exist in it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from clearsight.server.config import ServerConfig
from clearsight.server.gate import is_public
from clearsight.weights import BASE_DECODER
from clearsight.weights.pins import PINS

FOLDER = Path(__file__).parents[1] / "deploy/server"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS = {
    one["kind"]: one for one in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8"))
}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
UNIT = (FOLDER / "clearsight.service").read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((FOLDER.parents[1] / "clearsight").rglob("*.py"))
)


def printed(arguments: list[str], config: Path) -> ServerConfig:
    """What the real command makes of a command line of deploy/, with the file where it will be mounted."""
    assert arguments[:2] == ["serve", "--config"]
    command = [
        sys.executable,
        "-m",
        "clearsight",
        "serve",
        "--config",
        str(config),
        *arguments[3:],
        "--print-config",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return ServerConfig.model_validate(json.loads(ended.stdout))


def mapped(tmp_path: Path) -> Path:
    file = tmp_path / "clearsight.toml"
    file.write_text(MANIFESTS["ConfigMap"]["data"]["clearsight.toml"], encoding="utf-8")
    return file


def test_every_command_line_of_deploy_is_one_that_the_command_takes(tmp_path: Path) -> None:
    of_image = json.loads(re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.M)[0])
    image = printed(of_image, FOLDER / "clearsight.toml")
    compose = printed(COMPOSE["services"]["clearsight"]["command"], FOLDER / "compose.toml")
    pods = printed(CONTAINER["args"], mapped(tmp_path))
    unit = re.findall(r"^ExecStart=/opt/clearsight/bin/clearsight (.*)$", UNIT, re.M)[0]
    assert unit.split() == of_image
    assert [one.network.host for one in (image, compose, pods)] == ["0.0.0.0"] * 3
    assert compose.network.processes == 2
    assert pods.network.processes == 1, "a scrape of /metrics would see one process of several"


def test_files_that_are_named_are_mounted_or_copied_where_they_are_named() -> None:
    service = COMPOSE["services"]["clearsight"]
    assert any(one.split(":")[1] == service["command"][2] for one in service["volumes"])
    mounts = {one["mountPath"]: one["name"] for one in CONTAINER["volumeMounts"]}
    assert str(Path(CONTAINER["args"][2]).parent) in mounts
    assert {one["name"] for one in POD["volumes"]} == set(mounts.values())
    assert "/etc/clearsight/clearsight.toml\n" in CONTAINERFILE
    for source in re.findall(r"^COPY (?!--from)(\S+)", CONTAINERFILE, re.M):
        assert (FOLDER.parents[1] / source).exists(), source


def test_what_a_server_writes_is_on_a_volume_when_the_root_file_system_is_read_only(tmp_path: Path) -> None:
    volumes = json.loads(re.findall(r"^VOLUME (\[.*\])$", CONTAINERFILE, re.M)[0])
    cache = re.findall(r"CLEARSIGHT_CACHE=(\S+) \\", CONTAINERFILE)[0]
    assert f"{cache}/kernels" in volumes
    assert '"kernels"' in SOURCES
    service = COMPOSE["services"]["clearsight"]
    assert service["read_only"] is True
    of_compose = {one.split(":")[1] for one in service["volumes"]} | {
        one.split(":")[0] for one in service["tmpfs"]
    }
    of_pod = {one["mountPath"] for one in CONTAINER["volumeMounts"] if not one.get("readOnly")}
    for where in (set(volumes), of_compose, of_pod):
        assert {"/var/lib/clearsight", f"{cache}/kernels", "/tmp"} <= where
    for config in (FOLDER / "clearsight.toml", FOLDER / "compose.toml", mapped(tmp_path)):
        assert tomllib.loads(config.read_text(encoding="utf-8"))["store"]["data"] == "/var/lib/clearsight"
    assert "StateDirectory=clearsight" in UNIT  # which is /var/lib/clearsight


def test_ports_are_the_same_everywhere(tmp_path: Path) -> None:
    port = ServerConfig().network.port
    assert re.findall(r"^EXPOSE (\d+)$", CONTAINERFILE, re.M) == [str(port)]
    assert f"http://127.0.0.1:{port}/healthz" in CONTAINERFILE
    assert COMPOSE["services"]["clearsight"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert CONTAINER["ports"][0]["containerPort"] == port
    assert tomllib.loads(mapped(tmp_path).read_text(encoding="utf-8"))["network"]["port"] == port
    assert MANIFESTS["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"] == port
    assert MANIFESTS["Service"]["spec"]["ports"][0]["targetPort"] == CONTAINER["ports"][0]["name"]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_what_is_there_without_a_key(probe: str) -> None:
    asked = CONTAINER[probe]["httpGet"]
    assert is_public("GET", asked["path"])
    assert asked["port"] == CONTAINER["ports"][0]["name"]


def test_whoever_ends_a_server_waits_longer_than_its_answers_may_take(tmp_path: Path) -> None:
    pods = ServerConfig.model_validate(tomllib.loads(mapped(tmp_path).read_text(encoding="utf-8")))
    stop = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["terminationGracePeriodSeconds"] >= stop + pods.network.grace_seconds + 15
    default = ServerConfig().network.grace_seconds
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)[0]) >= default + 15
    compose = tomllib.loads((FOLDER / "compose.toml").read_text(encoding="utf-8"))["network"]["grace_seconds"]
    assert int(COMPOSE["services"]["clearsight"]["stop_grace_period"].rstrip("s")) >= compose + 15


def test_pods_have_no_rights_beyond_answering() -> None:
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (user,) = re.findall(r"^USER (\d+):\d+$", CONTAINERFILE, re.M)
    assert int(user) == POD["securityContext"]["runAsUser"] > 0
    assert {"requests", "limits"} <= set(CONTAINER["resources"])


def test_selectors_find_the_pods() -> None:
    labels = MANIFESTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert MANIFESTS[kind]["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["Service"]["spec"]["selector"] == labels
    assert MANIFESTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert MANIFESTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "clearsight"


def test_scaling_follows_a_metric_that_is_exported() -> None:
    metric = MANIFESTS["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["pods"]["metric"]["name"]
    assert f'"{metric}"' in SOURCES


def test_environment_variables_are_ones_that_somebody_reads() -> None:
    named = set(re.findall(r"\b(CLEARSIGHT_[A-Z_]+)=", CONTAINERFILE + UNIT))
    named |= {
        name for name in COMPOSE["services"]["clearsight"]["environment"] if name.startswith("CLEARSIGHT")
    }
    assert named
    for name in named:
        assert f'"{name}"' in SOURCES, f"nothing reads {name}"


def test_weights_that_the_image_fetches_are_the_bundled_models_by_hash() -> None:
    (name,) = re.findall(r"python -m clearsight\.weights (\S+)$", CONTAINERFILE, re.M)
    assert PINS[name] == BASE_DECODER
    assert PINS[name].sha256


def test_no_secret_is_written_down() -> None:
    for text in (CONTAINERFILE, UNIT, json.dumps(COMPOSE), json.dumps(list(MANIFESTS.values()))):
        assert not re.search(r"(?i)(password|secret|key)[\"']?\s*[:=]\s*[\"']?(?![$\"'?])[a-z0-9]{12,}", text)
    assert "PGPASSWORD" in COMPOSE["services"]["clearsight"]["environment"]
    assert CONTAINER["envFrom"] == [{"secretRef": {"name": "clearsight-secrets"}}]
