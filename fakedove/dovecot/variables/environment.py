"""The environment of a doveadm-server process, as `%{env:NAME}` shows it.

The master makes it: it has what describes the service, and not what the master was started with
(measured on 2.3.19.1 and 2.4.1).
"""

from __future__ import annotations

import posixpath

from fakedove.dovecot.release import Release


def environment(release: Release, base_dir: str, directory: str, hostname: str) -> dict[str, str]:
    """Return the variables; the server's own folder is `directory`."""
    variables = {
        "DOVECOT_CHILD_PROCESS": "1",
        "CLIENT_LIMIT": "1",
        "PROCESS_LIMIT": "100",
        "PROCESS_MIN_AVAIL": "0",
        "DOVECOT_HOSTNAME": hostname,
        "DOVECOT_HOSTDOMAIN": hostname,
        "DOVECOT_VERSION": release.number,
        "LOG_SERVICE": "1",
        "RESTRICT_SETEXTRAGROUPS": "0",
    }
    if release.percent_variables:
        return {**variables, "CONFIG_FILE": posixpath.join(base_dir, "config"), "IDLE_KILL": "60"}
    return {
        **variables,
        "CONFIG_FILE": posixpath.join(directory, "dovecot.conf"),
        "IDLE_KILL_INTERVAL": "60",
        "STATS_WRITER_SOCKET_PATH": posixpath.join(base_dir, "stats-writer"),
    }
