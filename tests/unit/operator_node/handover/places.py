"""Two machines with their settings and records, and the commands that move an operator."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from operator_node.cli.handover import handover
from operator_node.signer.record_file import Owner
from operator_node.signer.store import SlashingStore
from sdk.errors import PhalanxError
from sdk.types import Epoch, Slot
from tests.unit.operator_node.signer.guards import GENESIS, SHARE, VALIDATOR, block, intent, vote

NETWORK = f"""
  CustomNetwork:
    Name: local
    DomainType: 0x00000402
    RegistryContractAddr: 0xbfff570853d97636b78ebf262af953308924d3d8
    GenesisValidatorsRoot: 0x{GENESIS.hex()}
"""
OWNER = Owner("local", GENESIS, operator_key="ab12")


class Machine:
    """A data folder and the settings that name it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "node.yaml"
        self.record = folder / "db/safety.sqlite"
        self.config.write_text(
            f"db:\n  Path: {folder}/db\nssv:{NETWORK}"
            "eth2:\n  BeaconNodeAddr: http://a:1;http://b:1\neth1:\n  ETH1Addr: http://a:1\n"
            "KeyStore:\n  PrivateKeyFile: key\n"
        )
        self.password = folder / "password"
        self.password.write_text("a long password\n")
        self.password.chmod(0o600)

    def open(self, owner: Owner = OWNER) -> SlashingStore:
        """As the node does."""
        return SlashingStore.open(self.record, owner)

    def sign(self) -> None:
        """An operator at work."""
        with self.open() as store:
            store.arm(SHARE, VALIDATOR, epoch=Epoch(10), slot=Slot(320))
            store.check_and_record([intent(vote(10, 11)), intent(block(321))])

    def may_sign(self) -> bool:
        """Whether the node would start here with the share."""
        if not self.record.exists():
            return False
        try:
            with self.open() as store:
                return store.knows(SHARE)
        except PhalanxError as problem:
            if problem.code != "record_handed_over":
                raise
            return False

    def export(self, out: Path, *more: str) -> str:
        return self._run("export", "--out", out, "--password-file", self.password, *more)

    def take(self, file: Path) -> str:
        return self._run("import", file, "--password-file", self.password)

    def _run(self, *words: object) -> str:
        arguments = [*map(str, words), "--config", str(self.config)]
        result = CliRunner().invoke(handover, arguments)
        if isinstance(result.exception, PhalanxError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout
