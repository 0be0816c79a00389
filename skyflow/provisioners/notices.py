"""How a machine hears that it is about to be taken away: by the metadata service of its cloud, which is asked on the machine.

AWS says so two minutes before (`spot/instance-action`), GCP 30 seconds (`instance/preempted`), Azure 30 seconds (an event of
type Preempt among the scheduled ones, a service that is switched on by the first question).
"""

__all__ = ["NOTICE_SECONDS", "notice_command"]

NOTICE_SECONDS = 5
"""How often to ask, as AWS advises."""

_PROGRAM = """\
import sys, time, urllib.request as web
opener = web.build_opener(web.ProxyHandler({}))
def ask(path, method="GET", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with opener.open(web.Request("http://169.254.169.254" + path, headers=named, method=method), timeout=4) as answer:
            return answer.read().decode(errors="replace").strip()
    except OSError:
        return ""
def aws():
    token = ask("/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")
    return ask("/latest/meta-data/spot/instance-action", X_aws_ec2_metadata_token=token)
def gcp():
    return "preempted" if ask("/computeMetadata/v1/instance/preempted", Metadata_Flavor="Google") == "TRUE" else ""
def azure():
    events = ask("/metadata/scheduledevents?api-version=2020-07-01", Metadata="true")
    return events if '"Preempt"' in events.replace(" ", "") else ""
look, pause = {"aws": aws, "gcp": gcp, "azure": azure}[sys.argv[1]], float(sys.argv[2])
while True:
    notice = look()
    if notice:
        print(notice, flush=True)
        break
    print(flush=True)
    time.sleep(pause)
"""


def notice_command(provider: str, *, seconds: float = NOTICE_SECONDS) -> list[str]:
    """Return the command that ends with the notice of a cloud as its output, once there is one.

    Until then it prints an empty line now and then, so that it ends when nobody listens any more.
    """
    return ["python3", "-I", "-S", "-c", _PROGRAM, provider, str(seconds)]
