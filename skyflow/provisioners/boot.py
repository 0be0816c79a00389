"""What a new machine runs first: it lets the driver in, and ends itself when the driver is silent for too long.

The text depends on the request alone, never on the time: the same request sent again is byte for byte the same, which
the clouds' own idempotency demands.
"""

import shlex

from skyflow.model.machines import Lifetime, MachineRequest

__all__ = ["LOGIN_USER", "POWER_OFF", "boot_script", "stay_command", "watchdog_script"]

LOGIN_USER = "skyflow"
"""Whom the driver logs in as; may become root without a password."""
POWER_OFF = "shutdown -h now"
_STATE = "/var/lib/skyflow"
_WATCHDOG = "/usr/local/sbin/skyflow-watchdog"
_LOOK_SECONDS = 15
"""How often a machine looks whether it is time to end, at most."""

_WATCHDOG_TEXT = """\
#!/bin/bash
# Ends this machine at the time in the file `deadline`, which whoever uses it moves on while it is needed.
state=${SKYFLOW_STATE_FOLDER:-@STATE@}
started=$(cat "$state/started" 2>/dev/null) || { started=$(date +%s); echo "$started" >"$state/started"; }
[ -s "$state/deadline" ] || echo $((started + @SILENCE@)) >"$state/deadline"
latest=$((started + @AT_MOST@))
while :; do
  deadline=$(cat "$state/deadline" 2>/dev/null)
  case $deadline in '' | *[!0-9]*) deadline=$latest ;; esac
  [ "$deadline" -lt "$latest" ] || deadline=$latest
  [ "$(date +%s)" -lt "$deadline" ] || break
  sleep @LOOK@
done
@FAREWELL@
"""

_BOOT_TEXT = """\
#!/bin/bash
# Written by skyflow. It runs as root at the first start; GCP runs it at every start.
mkdir -p @STATE@
[ -e @STATE@/booted ] && exit
touch @STATE@/booted
if ! id @USER@ >/dev/null 2>&1; then
  useradd --create-home --shell /bin/bash --password '*' @USER@
fi
echo '@USER@ ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/skyflow
chmod 0440 /etc/sudoers.d/skyflow
home=$(getent passwd @USER@ | cut -d: -f6)
install -d -m 0700 -o @USER@ "$home/.ssh"
grep -qxF -- @KEY@ "$home/.ssh/authorized_keys" 2>/dev/null || echo @KEY@ >>"$home/.ssh/authorized_keys"
chown @USER@ "$home/.ssh/authorized_keys"
chmod 0600 "$home/.ssh/authorized_keys"
@HOST_KEY@chown @USER@ @STATE@
cat >@WATCHDOG@ <<'END-OF-WATCHDOG'
@WATCHDOG_TEXT@END-OF-WATCHDOG
chmod 0755 @WATCHDOG@
cat >/etc/systemd/system/skyflow-watchdog.service <<'END-OF-UNIT'
[Unit]
Description=Ends this machine when skyflow is silent
[Service]
ExecStart=@WATCHDOG@
Restart=on-failure
[Install]
WantedBy=multi-user.target
END-OF-UNIT
systemctl daemon-reload && systemctl enable --now skyflow-watchdog.service || setsid -f @WATCHDOG@ </dev/null >/dev/null 2>&1
"""


_HOST_KEY_TEXT = """\
(umask 077 && cat >/etc/ssh/ssh_host_ed25519_key) <<'END-OF-KEY'
@KEY@
END-OF-KEY
ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key >/etc/ssh/ssh_host_ed25519_key.pub
systemctl try-restart ssh.service sshd.service 2>/dev/null || pkill -HUP -o -x sshd
"""
"""The driver knows the key by which the machine proves who it is from the first connection on."""


def boot_script(request: MachineRequest, *, farewell: str = POWER_OFF) -> str:
    """Return the script for a machine; `farewell` is what ends it, in bash."""
    text = _filled(
        _BOOT_TEXT,
        HOST_KEY=_filled(_HOST_KEY_TEXT, KEY=request.host_key.strip()) if request.host_key else "",
        WATCHDOG_TEXT=watchdog_script(request.lifetime, farewell=farewell),
        KEY=shlex.quote(request.public_key.strip()),
        WATCHDOG=_WATCHDOG,
        USER=LOGIN_USER,
        STATE=_STATE,
    )
    return f"{text}{request.startup_script.rstrip()}\n" if request.startup_script.strip() else text


def watchdog_script(lifetime: Lifetime, *, farewell: str = POWER_OFF) -> str:
    """Return the program that waits for the deadline of a machine."""
    return _filled(
        _WATCHDOG_TEXT,
        FAREWELL=farewell,
        SILENCE=str(lifetime.silence_seconds),
        AT_MOST=str(lifetime.at_most_seconds),
        LOOK=str(min(_LOOK_SECONDS, max(lifetime.silence_seconds // 4, 1))),
        STATE=_STATE,
    )


def stay_command(seconds: int) -> str:
    """Return the command that lets a machine stay for so many seconds from now, to be run there by `LOGIN_USER`."""
    folder = f"${{SKYFLOW_STATE_FOLDER:-{_STATE}}}"
    return f"cd {folder} && echo $(($(date +%s) + {seconds})) >deadline.new && mv deadline.new deadline"


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
