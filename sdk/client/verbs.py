"""One method for both clients: written once as an operation, blocking or awaitable by its owner.

    class OwnerVerbs:
        @verb
        def nonce(self, owner: str) -> Operation[int]: ...

    class Owners(OwnerVerbs, Blocking): ...        # .nonce(…) -> int
    class AsyncOwners(OwnerVerbs, Awaiting): ...   # .nonce(…) -> Awaitable[int]

The type checker follows, because the descriptor tells the two apart by the instance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from sdk.client.drivers import Awaiting, Blocking
from sdk.client.operation import Operation

P = ParamSpec("P")
T = TypeVar("T")


class verb(Generic[P, T]):  # noqa: N801 - used as a decorator
    """Turns an operation into a method of a blocking or an async part of the client."""

    def __init__(self, operation: Callable[Concatenate[Any, P], Operation[T]]) -> None:
        self._operation = operation
        self.__doc__ = operation.__doc__

    @overload
    def __get__(self, instance: Blocking, owner: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, instance: Awaiting, owner: type) -> Callable[P, Awaitable[T]]: ...

    @overload
    def __get__(self, instance: None, owner: type) -> verb[P, T]: ...

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        def perform(*args: P.args, **kwargs: P.kwargs) -> Any:
            return instance._driver.run(self._operation(instance, *args, **kwargs))

        return update_wrapper(perform, self._operation)
