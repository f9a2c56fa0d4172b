"""Which attributes a sync takes over; the words are those of a real 2.3.19.1 and 2.4.1."""

from __future__ import annotations

import pytest

from fakedove.dovecot.dsync.attributes import Attribute, verdict


def attribute(value: str | None, changed: int = 0, modseq: int = 0) -> Attribute:
    return Attribute("acl/user=bob", value, changed, modseq)


@pytest.mark.parametrize(
    ("remote", "local", "since", "takes", "why"),
    [
        (attribute(None, 5, 5), None, 0, False, "Nonexistent in both sides"),
        (attribute("read"), None, 0, True, "Nonexistent locally"),
        (attribute("read", 1, 9), attribute("post", 2, 4), 5, True, "Changed remotely"),
        (attribute("read", 2, 4), attribute("post", 1, 9), 5, False, "Changed locally"),
        (attribute("read", 2), attribute("read", 1), 0, True, "Remote has newer timestamp"),
        (attribute("read", 1), attribute("post", 2), 0, False, "Local has newer timestamp"),
        (attribute("read", 1, 9), attribute("read", 1, 2), 0, False, "Unchanged value"),
        (attribute("post", 1, 9), attribute("read", 1, 2), 0, True, "Remote has newer modseq"),
        (attribute("post", 1, 2), attribute("read", 1, 9), 0, False, "Local has newer modseq"),
        (
            attribute("read"),
            attribute("post"),
            0,
            True,
            "Value changed, but unknown which is newer - picking remote",
        ),
        (
            attribute(None),
            attribute("post"),
            0,
            False,
            "Value changed, but unknown which is newer - picking local",
        ),
    ],
)
def test_the_newer_attribute_is_taken(
    remote: Attribute, local: Attribute | None, since: int, takes: bool, why: str
) -> None:
    assert verdict(remote, local, since) == (takes, why)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("acl/user=bob", "vendor/vendor.dovecot/pvt/acl/user=bob"),
        ("sieve/files/main", "vendor/vendor.dovecot/pvt/server/sieve/files/main"),
        ("sieve/default", "vendor/vendor.dovecot/pvt/server/sieve/default"),
        ("/private/comment", "comment"),
        ("/shared/vendor/x", "vendor/x"),
    ],
)
def test_attributes_have_dovecots_names(name: str, key: str) -> None:
    assert Attribute(name, "x").key == key
