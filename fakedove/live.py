"""Stand-ins for what belongs to the fake's thread: store, users, mailboxes, stubs, journal.

A stand-in looks like the object it stands for, `isinstance` included, and does everything in
the fake's thread, one step at a time: reading an attribute is a step, calling a method is
one, and so is what a generator yields from first to last. What comes back is a stand-in
again if the fake goes on changing it; values that never change, such as messages, and fresh
lists come as they are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from types import FunctionType, MappingProxyType, MethodDescriptorType
from typing import Protocol, TypeVar, cast

from fakedove.double.invocations import Invocations
from fakedove.double.journal import Journal
from fakedove.double.script_stubs import ScriptExpectation, ScriptStub, ScriptStubs
from fakedove.double.stubs import Expectation, Stub, Stubs
from fakedove.dovecot.clock import Clock
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.store import Store, Users
from fakedove.dovecot.user import User
from fakedove.sessions.server_log import ServerLog

_T = TypeVar("_T")

#: Types whose objects the fake goes on changing.
_CHANGING = (
    *(Store, Users, User, Mailbox, Stub, Expectation, Stubs),
    *(ScriptStub, ScriptExpectation, ScriptStubs),
    *(Journal, Invocations, ServerLog, Clock),
)
_CONTAINERS = (dict, list, MappingProxyType)
_PASSING = (Iterator, KeysView, ValuesView, ItemsView)


class Call(Protocol):
    """Runs a function in the fake's thread in one step."""

    def __call__(self, function: Callable[..., _T], /, *args: object) -> _T:
        """Return what `function(*args)` returns."""


def live(target: _T, call: Call) -> _T:
    """Return a stand-in for `target` whose every use goes through `call`."""
    return cast(_T, _Live(target, call))


class _Live:
    """The stand-in: what Python looks up in a class stands here, all else is forwarded."""

    __slots__ = ("_call", "_target")
    _call: Call
    _target: object

    def __init__(self, target: object, call: Call) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_call", call)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._target)

    def __getattr__(self, name: str) -> object:
        if isinstance(getattr(type(self._target), name, None), FunctionType | MethodDescriptorType):
            # Binding a method touches nothing, so that is no step.
            return _Method(getattr(self._target, name), self._call)
        return _lent(self._call(getattr, self._target, name), self._call)

    def __setattr__(self, name: str, value: object) -> None:
        self._call(setattr, self._target, name, _own(value))

    def __hash__(self) -> int:
        return hash(self._target)


class _Method:
    """A method of something live."""

    __slots__ = ("_call", "_method")

    def __init__(self, method: Callable[..., object], call: Call) -> None:
        self._method = method
        self._call = call

    def __call__(self, *args: object, **kwargs: object) -> object:
        own = {name: _own(value) for name, value in kwargs.items()}
        return _step(self._call, lambda: self._method(*map(_own, args), **own))


def _step(call: Call, function: Callable[[], object]) -> object:
    """Run `function` in the thread; what it returns is the caller's, as far as it is fresh."""
    result = call(lambda: _settled(function()))
    if type(result) is list:
        return [_lent(one, call) for one in result]
    if isinstance(result, _Drawn):
        return iter([_lent(one, call) for one in result.items])
    return _lent(result, call)


class _Drawn:
    """What an iterator or a view yielded."""

    __slots__ = ("items",)

    def __init__(self, items: list[object]) -> None:
        self.items = items


def _settled(result: object) -> object:
    return _Drawn(list(result)) if isinstance(result, _PASSING) else result


def _lent(value: object, call: Call) -> object:
    """Return `value`, or a stand-in for it, or a tuple of those."""
    if isinstance(value, _CHANGING + _CONTAINERS):
        return _Live(value, call)
    if type(value) is tuple:
        return tuple(_lent(one, call) for one in value)
    return value


def _own(value: object) -> object:
    return value._target if type(value) is _Live else value


def _forwarded(function: Callable[..., object]) -> Callable[..., object]:
    def forward(self: _Live, *args: object) -> object:
        return _step(self._call, lambda: function(self._target, *map(_own, args)))

    return forward


for _name, _function in {
    "__add__": operator.add,
    "__bool__": bool,
    "__contains__": operator.contains,
    "__delitem__": operator.delitem,
    "__eq__": operator.eq,
    "__getitem__": operator.getitem,
    "__iter__": iter,
    "__len__": len,
    "__or__": operator.or_,
    "__repr__": repr,
    "__setitem__": operator.setitem,
}.items():
    setattr(_Live, _name, _forwarded(cast(Callable[..., object], _function)))
