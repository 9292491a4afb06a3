"""A signer in the manner of web3signer: one key behind `eth_signTransaction`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_typing import ChecksumAddress

from tests.client.proxy import Answer, Proxy


class SignerServer(Proxy):
    """Signs what it is asked to, or what `tamper` makes of it."""

    def __init__(self, key: bytes, *, tamper: Callable[[dict[str, Any]], None] | None = None):
        super().__init__(None)
        self._key = key
        self._tamper = tamper or (lambda transaction: None)
        self.rule = self._sign

    @staticmethod
    def address_of(key: bytes) -> ChecksumAddress:
        address: ChecksumAddress = Account.from_key(key).address
        return address

    def _sign(self, request: dict[str, Any]) -> Answer:
        if request["method"] != "eth_signTransaction":
            return Answer.error(request, -32601, "method not found")
        transaction = dict(request["params"][0])
        if transaction.pop("from") != self.address_of(self._key):
            return Answer.error(request, -32000, "unknown account")
        self._tamper(transaction)
        signed = Account.sign_transaction(transaction, self._key)
        return Answer.result(request, signed.raw_transaction.to_0x_hex())
