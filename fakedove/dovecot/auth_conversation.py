"""A command's conversation with the auth service: why there is none, and what `-D` tells of it.

auth = AuthConversation(call, "auth-userdb", "auth-master")
yield from auth.reach(b"userdb lookup(tss)", Scope.USERDB, b"tss")
if auth.connected: ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fakedove.dovecot import sockets, texts
from fakedove.dovecot.registry import Call
from fakedove.dovecot.reply import Fatal, Log, Scope
from fakedove.wire.tabescape import escape

#: The process id that all of the fake's processes have.
_PEER = b" (pid=4242,uid=0)"
_HUNG_UP = b"Disconnected unexpectedly"
_ANVIL_GREETING = b"Auth server sent invalid version line: VERSION\tanvil-server\t2\t0"
#: What a request is told where a connection ends so.
_FAILURES = {
    _HUNG_UP: b"Unexpectedly disconnected from auth service",
    _ANVIL_GREETING: b"Handshake with auth service failed",
}
#: A socket that everybody may connect to.
_PUBLIC = "auth-userdb"
#: Sockets of processes that hang up on whoever asks them such things.
_OTHERS = frozenset({"anvil", "auth-userdb", "doveadm-server"})


class AuthConversation:
    """One connection to the auth service, made when it is first needed."""

    def __init__(self, call: Call, socket: str, *others: str) -> None:
        """Connect to `socket`, or where the option leads; `others` answer the same questions."""
        self._call = call
        self._socket = socket
        self._names = (*others, socket)
        #: Nearly nobody asks for debug lines, whose texts cost more than a look-up.
        self.tells = call.invocation.debug and call.release.debugs_auth
        #: Where there is nothing to tell of it, and nothing in the way, it is there at once.
        self.connected = not self.tells and self._obstacle() is None
        #: Whether somebody was there at all, though it may have been somebody else.
        self.met = self.connected
        #: Why nobody answers, as some releases say it to whoever waits for the answer.
        self.failure = b""

    def tell(
        self, text: bytes, scope: Scope = Scope.LIBRARY, user: bytes | None = None
    ) -> Iterable[Log]:
        """Say what happens, if the client is to know and the release says it."""
        return self._call.debug(b"auth-master: " + text, scope, user) if self.tells else ()

    def reach(
        self, request: bytes, scope: Scope = Scope.LIBRARY, user: bytes | None = None
    ) -> Iterator[Log]:
        """Connect, if that was not done yet, or say of `request` why nobody answers it."""
        if self.connected:
            return
        if self.failure and not self.met:
            yield texts.backtrace(scope, user)
            raise Fatal(b"assertion failed: (conn->to_connect == NULL)", scope, crash=True)
        why = self._obstacle()
        yield from self._tell_of_connection(b": Connecting", scope, user)
        if why in (None, _HUNG_UP, _ANVIL_GREETING):
            yield from self._tell_of_peer(b"Client connected", scope, user)
            self.met, self.connected = True, why is None
        if why is not None:
            yield from self._refused(request, why, scope, user)

    def hear(
        self, *words: bytes, scope: Scope = Scope.LIBRARY, user: bytes | None = None
    ) -> Iterable[Log]:
        """Tell what the auth service answered."""
        if not self.tells or not self._call.release.debugs_auth_input:
            return ()
        text = b": auth input: " + b"\t".join(map(escape, words))
        return self._tell_of_connection(_PEER + text, scope, user)

    def close(self) -> Iterable[Log]:
        """Tell that the connection is closed, if there is one."""
        if not self.tells or not self.connected:
            return ()
        return self._tell_of_peer(b"Disconnected: Connection closed", Scope.LIBRARY, None)

    def _refused(
        self, request: bytes, why: bytes, scope: Scope, user: bytes | None
    ) -> Iterable[Log]:
        """Say why nobody answers, and that somebody else did who was met."""
        if self._call.release.auth_requests:
            return self._request_refused(why, scope, user)
        refused = Log(self._complaint(request, why), scope=scope, user=user)
        if why == _ANVIL_GREETING:
            return (refused, *self._tell_of_peer(b"Disconnected: Handshake failed", scope, user))
        if not self.met:
            return (refused,)
        return (*self._tell_of_peer(b"Disconnected: Connection closed", scope, user), refused)

    def _complaint(self, request: bytes, why: bytes) -> bytes:
        """Return what is told of a request that nobody answers."""
        if self._call.release.names_auth:
            return b"auth-master: %b: %b" % (request, why)
        return b"%b: %b" % (request if why == _HUNG_UP else b"userdb lookup", why)

    def _request_refused(self, why: bytes, scope: Scope, user: bytes | None) -> Iterable[Log]:
        """Say it of the connection, and keep for the request what that is told."""
        self.failure = _FAILURES.get(why, b"Failed to connect to auth service")
        text = b"auth-master: %b%b: %b" % (self._connection(), _PEER if self.met else b"", why)
        refused = Log(text, scope=scope, user=user)
        how = b"Handshake failed" if why == _ANVIL_GREETING else b"Connection closed"
        told = self._tell_of_peer(b"Disconnected: " + how, scope, user) if self.met else ()
        return (refused, *told)

    def _connection(self) -> bytes:
        path = sockets.path(self._call, self._socket)
        return b"conn unix:%b" % path if path else b"conn"

    def _tell_of_connection(self, text: bytes, scope: Scope, user: bytes | None) -> Iterable[Log]:
        if not self.tells:
            return ()
        return self.tell(self._connection() + text, scope, user)

    def _tell_of_peer(self, text: bytes, scope: Scope, user: bytes | None) -> Iterable[Log]:
        number = self._call.release.file_descriptor - 1
        peer = _PEER if self._call.release.names_peer else b""
        return self._tell_of_connection(b"%b: %b (fd=%d)" % (peer, text, number), scope, user)

    def _obstacle(self) -> bytes | None:
        """Return why nobody answers who can."""
        call = self._call
        place = sockets.leads_to(call, self._socket)
        if sockets.unprivileged(call) and place in {*self._names, *_OTHERS} - {_PUBLIC}:
            why: bytes | None = sockets.PERMISSION_DENIED
        elif place in self._names:
            return None
        elif place == "anvil" and call.release.anvil_greets:
            return _ANVIL_GREETING
        elif place in _OTHERS:
            return _HUNG_UP
        else:
            why = sockets.obstacle(call, self._socket)
        if why is None:
            return None
        path = sockets.path(call, self._socket)
        return b"connect(%b) failed: %b%b" % (path, why, self._rights(path, why))

    def _rights(self, path: bytes, why: bytes) -> bytes:
        """Return what is said of the rights that a process with a user's rights lacks."""
        opened = self._call.opened or ""
        user = self._call.store.lookup(opened)
        if user is None or why != sockets.PERMISSION_DENIED:
            return b""
        own = b"euid=%d(<unknown>) egid=%d(<unknown>)" % (user.uid, user.gid)
        return b" (%b missing +r perm: %b, dir owned by 0:0 mode=0755)" % (own, path)


def shown_fields(fields: Mapping[str, str]) -> list[bytes]:
    """Return `KEY=VALUE` of each field that the auth service gives."""
    return [f"{key}={value}".encode() for key, value in fields.items()]
