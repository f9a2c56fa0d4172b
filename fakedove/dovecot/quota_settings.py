"""The fields by which a userdb gives a user limits: `quota_fields(user.quota_roots, release)`.

The roots themselves are in the server's configuration, as is the limit of `User quota`, 1G.
"""

from __future__ import annotations

from collections.abc import Sequence

from fakedove.dovecot.quota import size_text
from fakedove.dovecot.quota_roots import DEFAULT_ROOT, QuotaRoot
from fakedove.dovecot.release import Release

#: No field says this limit, which is that of the configuration.
_CONFIGURED = (DEFAULT_ROOT, 1 << 30)


def quota_fields(roots: Sequence[QuotaRoot], release: Release) -> dict[str, str]:
    """Return the fields, in order; those of several roots name each root or its number."""
    first = roots[0]
    if len(roots) == 1 and first.name == DEFAULT_ROOT:
        return _of_the_only(first, release)
    if release.userdb_settings:
        return {key: value for root in roots for key, value in _settings(root).items()}
    rules = {f"quota{at if at > 1 else ''}_rule": _rule(root) for at, root in enumerate(roots, 1)}
    return {name: rule for name, rule in rules.items() if rule}


def _of_the_only(root: QuotaRoot, release: Release) -> dict[str, str]:
    size = _size(root)
    if not size:
        return {}
    if release.userdb_settings:
        return {"quota_storage_size": size}
    return {"quota_rule": f"*:storage={size}"}


def _settings(root: QuotaRoot) -> dict[str, str]:
    """Return the settings of 2.4 that limit a root."""
    limits = {"quota_storage_size": _size(root), "quota_message_count": str(root.messages or "")}
    return {f"quota/{root.name}/{setting}": limit for setting, limit in limits.items() if limit}


def _rule(root: QuotaRoot) -> str:
    """Return the rule of 2.3 and before for all mailboxes, empty where nothing is limited."""
    limits = {"storage": _size(root), "messages": str(root.messages or "")}
    said = [f"{name}={limit}" for name, limit in limits.items() if limit]
    return ":".join(("*", *said)) if said else ""


def _size(root: QuotaRoot) -> str:
    """Return the storage limit as settings have it, empty where there is nothing to say."""
    if not root.storage or (root.name, root.storage) == _CONFIGURED:
        return ""
    return size_text(root.storage)
