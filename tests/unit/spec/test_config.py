"""A project's skyflow.yml."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.model.config import OwnPool, Peering, PriceRule, ProjectConfig
from skyflow.model.hosts import Link, SshHost
from skyflow.model.resources import Accelerators, Market
from skyflow.model.slurm import SlurmQueue
from skyflow.spec import load_config

SIZES = "cpus: 4, memory: 4"
FULL = """\
catalog: tables
machines:
  lab:
    kind: ssh
    count: 3
    cpus: 64
    memory: 512GiB
    disk: 2TB
    accelerators: {A100: 4}
    capabilities: local-ssd
    price: 0.5
    place: {country: DE, jurisdictions: [EU], pue: 1.4, carbon: 120, uplink: 10, egress: 0.01}
    power: {idle: 300, max: 1800}
  node: {cpus: 8, memory: 32, arch: arm64}
prices:
  - {cloud: aws, region: us-*, instance-type: p5.*, market: on-demand, discount: 15%, agreement: EDP 2026}
  - {cloud: gcp, instance-type: a3-highgpu-8g, price: $60}
peering:
  - {between: [aws, gcp], price: 0, gbps: 10}
disks: {aws: 0.08, gcp: $0.10}
idle-minutes: 2.5
log-limit: 500MB
"""


def test_everything_that_can_be_said():
    config, findings = load_config("skyflow.yml", FULL)
    assert findings == ()
    assert config == ProjectConfig(
        pools=(
            OwnPool(
                name="lab", kind="ssh", count=3, vcpus=64, memory_gib=512.0, accelerators=Accelerators("A100", 4),
                disk_gib=pytest.approx(2e12 / 2**30), capabilities=frozenset({"local-ssd"}), price_usd_per_hour=0.5, country="DE", jurisdictions=("EU",),
                idle_watts=300, max_watts=1800, pue=1.4, gco2_per_kwh=120, uplink_gbps=10, egress_usd_per_gb=0.01,
            ),
            OwnPool(name="node", kind="machine", vcpus=8, memory_gib=32.0, arch="arm64"),
        ),
        prices=(
            PriceRule(
                provider="aws", region="us-*", instance_type="p5.*", market=Market.ON_DEMAND, percent_less=15.0,
                why="EDP 2026",
            ),
            PriceRule(provider="gcp", instance_type="a3-highgpu-8g", usd_per_hour=60),
        ),
        peerings=(Peering(between=("aws", "gcp"), usd_per_gb=0, gbps=10),),
        catalog="tables",
        disk_prices=(("aws", 0.08), ("gcp", 0.1)),
        idle_minutes=2.5,
        log_limit_bytes=500_000_000,
    )  # fmt: skip


HOSTS = """\
machines:
  rack:
    kind: ssh
    cpus: 8
    memory: 32GiB
    slots: 2
    ssh: {user: ci, port: 22, identity: ~/.ssh/rack}
    hosts:
      - node1
      - me@node2
      - ssh://root@10.0.0.5:2222
      - {host: node4, host-key: ssh-ed25519 AAAA x, user: it, port: 2022, python: python3.12, folder: /scratch/sky}
  lone: {cpus: 4, memory: 8, hosts: [lone]}
"""


def test_hosts_say_themselves_or_by_their_name_or_for_all_how_they_are_reached():
    config, findings = load_config("skyflow.yml", HOSTS)
    assert findings == ()
    rack, lone = config.pools
    assert (rack.count, rack.slots, lone.count, lone.slots) == (4, 2, 1, 1)
    common = {"identity": "~/.ssh/rack"}
    assert rack.hosts == (
        SshHost(name="node1", address="node1", user="ci", port=22, **common),
        SshHost(name="node2", address="node2", user="me", port=22, **common),
        SshHost(name="10.0.0.5:2222", address="10.0.0.5", user="root", port=2222, link=Link.ASYNCSSH, **common),
        SshHost(
            name="node4", address="node4", user="it", port=2022, host_keys=("ssh-ed25519 AAAA x",),
            python="python3.12", folder="/scratch/sky", **common,
        ),
    )  # fmt: skip
    assert lone.hosts == (SshHost(name="lone", address="lone"),)


SLURM = """
machines:
  cluster:
    kind: slurm
    count: 20
    cpus: 64
    memory: 256GiB
    ssh: {identity: ~/.ssh/hpc}
    slurm:
      login: {host: me@login, folder: /scratch/me}
      partition: gpu
      account: proj42
      qos: high
      gres: 'gpu:{count}'
      options: [--constraint=ib, --exclusive]
      python: /opt/python3
      array-from: 20
  here: {kind: slurm, cpus: 4, memory: 8, slurm: {gres: ''}}
  plain: {kind: slurm, cpus: 4, memory: 8}
"""


def test_a_cluster_is_said_to_be_reached_and_asked():
    config, findings = load_config("skyflow.yml", SLURM)
    assert findings == ()
    cluster, here, plain = (pool.slurm for pool in config.pools)
    login = SshHost(name="login", address="login", user="me", identity="~/.ssh/hpc", folder="/scratch/me")
    assert cluster == SlurmQueue(
        name="cluster", login=login, partition="gpu", account="proj42", qos="high", gres="gpu:{count}",
        options=("--constraint=ib", "--exclusive"), folder="/scratch/me", python="/opt/python3", array_from=20,
        said_at=cluster.said_at,
    )  # fmt: skip
    assert (cluster.said_at["partition"], cluster.said_at["kind"]) == ("skyflow.yml:11:18", "skyflow.yml:3:3")
    assert here == SlurmQueue(name="here", gres="", said_at=here.said_at)
    assert plain == SlurmQueue(name="plain", said_at={"kind": "skyflow.yml:19:3"})


@pytest.mark.parametrize(
    ("uses", "folder"),
    [
        ("o/tools@v1", "any"),
        ("O/Tools/lint/fast@main", "any/lint/fast"),
        ("o/tools@v2", "second"),
        ("o/tools/deep@v2", "second/deep"),
        ("o/tools/own@v1", "own"),
        ("o/tools/own/er@v2", "own/er"),
        ("o/toolset@v1", None),
        ("o/pinned@v2", None),
        ("o/pinned/sub@v1", "pinned/sub"),
    ],
)
def test_the_folder_of_an_action_is_what_names_it_most_closely(uses, folder):
    text = "actions: {o/tools: any, o/tools@v2: second, o/tools/own: own, o/pinned@v1: pinned}\n"
    config, findings = load_config("skyflow.yml", text)
    assert (config.action_folder(uses), findings) == (folder, ())


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n\n"])
def test_an_empty_file_says_nothing(text):
    assert load_config("skyflow.yml", text) == (ProjectConfig(), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("machins: {}\n", "1:1: unknown key 'machins'"),
        ("machines: {a: {cpus: 4}}\n", "1:15: missing key 'memory'"),
        ("machines: {a: {cpus: many, memory: 4}}\n", "1:22: 'many' is not a whole number"),
        ("machines: {a: {cpus: 4, memory: 4, price: -1}}\n", "1:43: '-1' is not a number from zero"),
        ("machines: {a: {cpus: 4, memory: 4, power: {idle: 9, max: 3}}}\n", "1:12: 'a' draws more when idle (9 W)"),
        (
            "machines: {a: {cpus: 4, memory: 4, accelerators: [T4, L4]}}\n",
            "1:50: a machine has accelerators of one type",
        ),
        ("machines: {a: {cpus: 4, memory: 4, kind: vm}}\n", "1:42: expected 'machine', 'ssh' or 'slurm', found 'vm'"),
        (f"machines: {{a: {{{SIZES}, hosts: []}}}}\n", "1:43: 'a' has no hosts"),
        (f"machines: {{a: {{{SIZES}, hosts: [n, n]}}}}\n", "1:47: host 'n' is among the machines 'a' already"),
        (
            f"machines: {{a: {{{SIZES}, hosts: [n]}}, b: {{{SIZES}, hosts: [x@n]}}}}\n",
            "1:81: host 'n' is among the machines 'a' already",
        ),
        (f"machines: {{a: {{{SIZES}, count: 3, hosts: [n]}}}}\n", "1:43: 'a' has a count of 3, and 1 host"),
        (f"machines: {{a: {{{SIZES}, kind: slurm, hosts: [n]}}}}\n", "1:56: 'a' is a Slurm partition"),
        (f"machines: {{a: {{{SIZES}, slurm: {{}}}}}}\n", "1:43: 'a' is no Slurm partition"),
        (f"machines: {{a: {{{SIZES}, kind: slurm, slurm: {{queue: x}}}}}}\n", "1:57: unknown key 'queue'"),
        (f"machines: {{a: {{{SIZES}, kind: slurm, slurm: {{login: '-x'}}}}}}\n", "1:64: '-x' names no machine"),
        (f"machines: {{a: {{{SIZES}, kind: slurm, slurm: {{array-from: 0}}}}}}\n", "1:69: '0' is not a whole number"),
        (f"machines: {{a: {{{SIZES}, hosts: ['-oX=y']}}}}\n", "1:44: '-oX=y' names no machine"),
        (f"machines: {{a: {{{SIZES}, hosts: ['ssh://a:b@c']}}}}\n", "1:44: 'ssh://a:b@c' is not of the form"),
        (f"machines: {{a: {{{SIZES}, hosts: [{{port: 22}}]}}}}\n", "1:44: missing key 'host'"),
        (f"machines: {{a: {{{SIZES}, hosts: [{{host: n, port: 0}}]}}}}\n", "1:60: '0' is no port"),
        (f"machines: {{a: {{{SIZES}, ssh: {{key: n}}}}}}\n", "1:42: unknown key 'key'"),
        (f"machines: {{a: {{{SIZES}, disk: big}}}}\n", "1:42: 'big' is not a size"),
        ("disks: {aws: free}\n", "1:14: 'free' is not a number from zero"),
        ("disks: {local: 1}\n", "1:9: unknown key 'local'"),
        (f"machines: {{a: {{{SIZES}, slots: 0}}}}\n", "1:43: '0' is not a whole number"),
        ("prices: [{cloud: aws}]\n", "1:10: a rule needs either a 'price' or a 'discount'"),
        ("prices: [{price: 1, discount: 5%}]\n", "1:10: a rule needs either a 'price' or a 'discount'"),
        ("prices: [{cloud: amazon, price: 1}]\n", "1:18: expected one of local, own, aws, gcp, azure, found 'amazon'"),
        ("prices: [{discount: 150%}]\n", "1:21: '150%' is not a share"),
        ("peering: [{between: [aws]}]\n", "1:21: a line is between two different clouds"),
        ("peering: [{between: [aws, aws]}]\n", "1:21: a line is between two different clouds"),
        ("peering: [{between: [aws, gcp], gbps: 0}]\n", "1:39: '0' is not above zero"),
        ("idle-minutes: -1\n", "1:15: '-1' is not a number of minutes from zero"),
        ("log-limit: much\n", "1:12: 'much' is not a size"),
        ("idle-minutes: soon\n", "1:15: 'soon' is not a number of minutes from zero"),
        ("actions: {setup-uv: x}\n", "1:11: 'setup-uv' names no action of another repository"),
        ("actions: {a/b@: x}\n", "1:11: 'a/b@' names no action of another repository"),
        ("actions: {./a/b: x}\n", "1:11: './a/b' names no action of another repository"),
        ("actions: {Actions/Checkout@v4: x}\n", "1:11: 'Actions/Checkout' is built into skyflow"),
        ("actions: {a/b: }\n", "1:16: expected a folder"),
        ("- 1\n", "1:1: expected a map with 'machines'"),
        ("catalog: ${{ 1 + 1 }}\n", "1:10: "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(WorkflowInvalidError) as caught:
        load_config("skyflow.yml", text)
    found = [str(finding) for finding in caught.value.diagnostics]
    assert any(one.startswith(f"skyflow.yml:{message}") for one in found), found
