"""A catalog directory of three regions, to be spoilt one cell at a time."""

import pytest

TABLES = {
    "regions.csv": """\
provider,region,name,continent,country,jurisdiction
aws,us-east-1,Virginia,North America,US,US
aws,eu-west-1,Ireland,Europe,IE,EU
gcp,us-central1,Iowa,North America,US,US
local,local,here,,,
""",
    "accelerators.csv": """\
name,vendor,kind,aliases
A100,nvidia,gpu,A100-40GB|NVIDIA A100-SXM4-40GB
T4,nvidia,gpu,Tesla T4
H100,nvidia,gpu,
""",
    "egress.csv": """\
source_provider,scope,source,destination,usd_per_gb,as_of,basis
aws,same-zone,*,*,0,2025,list
aws,cross-region,us-east-1,eu-west-1,0.02,2025,list
aws,cross-region,Europe,*,0.03,2025,list
aws,cross-provider,*,*,0.09,2025,list
gcp,same-zone,*,*,0,2025,list
gcp,cross-zone,*,*,0.01,2025,list
gcp,cross-provider,*,Europe,0.13,2025,list
gcp,cross-provider,*,*,0.12,2025,list
local,same-zone,*,*,0,,assumption
local,cross-provider,*,*,0,,assumption
""",
    "network.csv": """\
source_provider,destination_provider,scope,gbps,as_of,basis
local,local,same-region,inf,,the disk
*,*,same-region,10,2025,assumption
local,*,any,0.1,,assumption
*,local,any,0.2,,assumption
*,*,same-continent,4,2022,median
*,*,any,2,2022,median
""",
    "prices.csv": """\
provider,region,zone,instance_type,market,vcpus,memory_gib,accelerator,accelerator_count,price_usd_per_hour,price_basis,price_date
aws,us-east-1,,m6i.large,on-demand,2,8,,,0.096,list,2025-04-04
aws,us-east-1,,m6i.xlarge,on-demand,4,16,,,0.192,list,2025-04-04
aws,us-east-1,,m6i.xlarge,spot,4,16,,,0.07,advisor,2025-06-28
aws,eu-west-1,,m6i.2xlarge,on-demand,8,32,,,0.428,list,2025-04-04
aws,us-east-1,,g4dn.xlarge,on-demand,4,16,T4,1,0.526,list,2025-04-04
gcp,us-central1,us-central1-a,a2-highgpu-1g,on-demand,12,85,A100,1,3.673,list,2026-08-03
gcp,us-central1,us-central1-b,a2-highgpu-8g,on-demand,96,680,a100-40gb,8,29.387,list,2026-08-03
""",
}


@pytest.fixture
def directory(tmp_path):
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path
