"""Which recordings of real clients are made again elsewhere, or not at all, and why."""

from __future__ import annotations

_TCP = "driver = tcp crashes before it connects"
_CHILD = "a child process is run, no service is called"

#: Recordings that are not made again, each with the reason.
LEFT_OUT: dict[str, str] = {
    "more-pipe-domain-user": "the script lay in another home and was never run",
    **dict.fromkeys(
        (
            *("welcome-tcp", "welcome-tcp-dot-reply", "welcome-tcp-dot-only", "welcome-tcp-empty"),
            *("welcome-tcp-nowait", "welcome-tcp-localhost", "welcome-conf-tcpset"),
            *("quota-warn-tcp", "tcp-quota-warning", "tcp-localhost", "tcp-refused"),
            *("tcp-reply-plus-no-dot", "tcp-reply-minus-no-dot", "tcp-reply-out-dot-plus"),
            *("tcp-reply-out-no-dot-plus", "tcp-reply-empty", "tcp-reply-dot-only"),
            *("tcp-reply-dot-plus-more", "tcp-reply-dot-bad", "tcp-real-script-service-cat"),
            "tcp-nowait-crash-without-shim",
        ),
        _TCP,
    ),
    **dict.fromkeys(
        (
            *("welcome-conf-wfork", "welcome-conf-wforkfail", "welcome-conf-wforkmissing"),
            *("quota-warn-fork", "quota-warn-exec"),
        ),
        _CHILD,
    ),
}

#: Recordings whose cause is written out in a test of its own.
ELSEWHERE: dict[str, str] = {
    "quota-warn-20": "test_quota.py",
    "quota-warn-under": "test_quota.py",
    "quota-warn-service-never-reads": "test_quota.py",
    "quota-warn-unix-abs": "test_quota.py",
    "over-flag-mismatch": "test_quota.py",
    "welcome-wait-minus": "test_welcome.py",
    "welcome-wait-slow3": "test_welcome.py",
    "more-welcome-hang-33s": "test_welcome.py",
    **dict.fromkeys(
        (
            *("more-filter-hang-no-output", "more-execute-hang", "more-pipe-two-commands"),
            *("thr-execute-output-8200", "thr-execute-output-16384"),
        ),
        "test_crashes.py",
    ),
}
