"""A catalog directory of a few regions, to be spoilt one cell at a time."""

import pytest

TYPES = (
    "instance_type,vcpus,memory_gib,arch,cpu_platform,accelerator,accelerator_count,local_ssd_gb,network_gbps,"
    "capabilities,idle_watts,max_watts,power_basis,embodied_kg,source\n"
)
PRICES = "region,zone,instance_type,usd_per_hour,basis,date,spot_usd_per_hour,spot_basis,spot_date,interruption\n"
TABLES = {
    "regions.csv": """\
provider,region,name,partition,continent,country,latitude,longitude,grid
aws,us-east-1,Virginia,aws,North America,US,38.9,-77.4,US-PJM
aws,eu-west-1,Ireland,aws,Europe,IE,53.3,-6.3,IE
aws,us-gov-west-1,GovCloud,aws-us-gov,North America,US,,,US-NW
gcp,us-central1,Iowa,gcp,North America,US,,,US-MISO
local,local,here,,,,,,
""",
    "countries.csv": """\
country,name,continent,jurisdictions
US,United States,North America,US
IE,Ireland,Europe,IE|EU|EEA|EU-adequate
CH,Switzerland,Europe,CH|EU-adequate
""",
    "zones.csv": """\
provider,region,zone
gcp,us-central1,us-central1-a
gcp,us-central1,us-central1-b
""",
    "carbon.csv": """\
provider,region,gco2_per_kwh,year,basis,pue,pue_basis,carbon_free_share
aws,us-east-1,320,2024,same-grid,1.2,provider-average,
aws,eu-west-1,290,2023,country,1.2,provider-average,
gcp,us-central1,410,2024,official,1.1,provider-average,0.8
""",
    "carbon_profiles.csv": "grid,month,hour,factor,basis\n"
    + "".join(f"IE,{month},{hour},{0.5 if hour == 12 else 1},estimate\n" for month in (1, 7) for hour in range(24)),
    "accelerators.csv": """\
name,vendor,kind,memory_gib,idle_watts,max_watts,fp16_tflops,year,aliases
A100,nvidia,gpu,40,46,407,312,2020,A100-40GB|NVIDIA A100-SXM4-40GB
T4,nvidia,gpu,16,8,71,65,2018,Tesla T4
H100,nvidia,gpu,80,70,714,989,2022,
Trainium,aws,npu,32,,,190,2022,
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
    "aws/instance_types.csv": TYPES
    + """\
m6i.large,2,8,x86_64,Ice Lake,,,,12.5,,6,16,Ice Lake,100,list
m6i.xlarge,4,16,x86_64,Ice Lake,,,,12.5,,12,32,Ice Lake,200,list
m6i.2xlarge,8,32,x86_64,Ice Lake,,,,12.5,,24,64,Ice Lake,400,list
m7g.large,2,8,arm64,Graviton3,,,,12.5,,3,8,Graviton3,,list
t3.large,2,8,x86_64,Skylake,,,,5,burstable,6,16,Skylake,,list
g4dn.xlarge,4,16,x86_64,Cascade Lake,T4,1,125,25,local-ssd,20,90,Cascade Lake,,list
g4x.small,2,8,x86_64,Cascade Lake,T4,0.5,,5,,,,,,list
""",
    "aws/prices.csv": PRICES
    + """\
us-east-1,,m6i.large,0.096,list,2025-04-04,,,,
us-east-1,,m6i.xlarge,0.192,list,2025-04-04,0.07,advisor,2025-06-28,1
eu-west-1,,m6i.2xlarge,0.428,list,2025-04-04,,,,
us-east-1,,g4dn.xlarge,0.526,list,2025-04-04,,,,
us-east-1,,m7g.large,0.08,list,2025-04-04,,,,
us-east-1,,t3.large,0.05,list,2025-04-04,,,,
us-east-1,,g4x.small,0.3,estimate,2026-11-01,,,,
us-gov-west-1,,m6i.large,0.05,list,2025-04-04,,,,
""",
    "gcp/instance_types.csv": TYPES
    + """\
a2-highgpu-1g,12,85,x86_64,Cascade Lake,A100,1,,,,88,485,Cascade Lake,,list
a2-highgpu-8g,96,680,x86_64,Cascade Lake,a100-40gb,8,,,,700,3900,Cascade Lake,,list
""",
    "gcp/prices.csv": PRICES
    + """\
us-central1,us-central1-a,a2-highgpu-1g,3.673,list,2026-08-03,,,,
us-central1,us-central1-b,a2-highgpu-8g,29.387,list,2026-08-03,,,,
""",
}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("SKYFLOW_CACHE", str(tmp_path / "cache"))
    for name, text in TABLES.items():
        path = tmp_path / "tables" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tables"
