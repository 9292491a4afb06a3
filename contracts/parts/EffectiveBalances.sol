// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {
    IncorrectValidatorStateWithData,
    InvalidProof,
    NothingChanged,
    ProofOlderThanRecord,
    VerifierNotSet
} from "../interfaces/Errors.sol";
import {IBeaconVerifier} from "../interfaces/IBeaconVerifier.sol";
import {IEffectiveBalances} from "../interfaces/IEffectiveBalances.sol";
import {Cluster, ValidatorProof} from "../interfaces/Types.sol";
import {ValidatorKey, ValidatorWord} from "../keys/ValidatorKey.sol";
import {BASELINE_ETH, MAX_EFFECTIVE_BALANCE_ETH} from "../ledger/Units.sol";
import {Layout, RegistryStorage} from "../storage/Layout.sol";
import {Accounts, OpenCluster} from "./Accounts.sol";

/// @title Records proven effective balances and changes the weight of their cluster.
abstract contract EffectiveBalances is Accounts, IEffectiveBalances {
    uint256 private constant GWEI_PER_ETH = 1e9;

    /// @inheritdoc IEffectiveBalances
    function proveEffectiveBalances(
        address clusterOwner,
        uint64[] calldata operatorIds,
        Cluster calldata cluster,
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) external payable nonReentrant {
        OpenCluster memory open = _open(clusterOwner, operatorIds, cluster);
        uint64 slot = _verify(beaconTimestamp, stateRoot, stateRootBranch, proofs);
        int256 difference = _recordAll(open, proofs, slot);
        if (msg.value != 0) {
            open.cluster.balance += msg.value;
            emit ClusterDeposited(clusterOwner, operatorIds, msg.value, open.cluster);
        }
        if (open.cluster.active) _settle(open, operatorIds, 0, difference, address(0));
        // The sum over its validators, which is never negative.
        // forge-lint: disable-next-line(unsafe-typecast)
        open.effectiveBalance = uint256(int256(open.effectiveBalance) + difference);
        _report(open, proofs, slot);
        uint256 reward;
        if (_isLiquidatable(open)) reward = _liquidate(open, operatorIds);
        else _store(open);
        // Below 2^32: at most 2^16 validators of 2048 ETH.
        emit ClusterBalanceUpdated(
            clusterOwner,
            operatorIds,
            uint64(block.number),
            // forge-lint: disable-next-line(unsafe-typecast)
            uint32(open.effectiveBalance),
            open.cluster
        );
        _pay(reward);
    }

    /// @return slot Slot the proofs are for, as the verifier says.
    function _verify(
        uint64 beaconTimestamp,
        bytes32 stateRoot,
        bytes32[] calldata stateRootBranch,
        ValidatorProof[] calldata proofs
    ) private view returns (uint64 slot) {
        address verifier = Layout.load().rights.beaconVerifier;
        require(verifier != address(0), VerifierNotSet());
        // Passes on what the verifier reverts with, and is an error of its own if that is nothing.
        bytes memory answer = Address.functionStaticCall(
            verifier,
            abi.encodeCall(
                IBeaconVerifier.verify, (beaconTimestamp, stateRoot, stateRootBranch, proofs)
            )
        );
        require(answer.length == 32, InvalidProof());
        uint256 word = abi.decode(answer, (uint256));
        // What a record can hold; no beacon chain gets there in 400,000 years.
        require(word <= type(uint40).max, InvalidProof());
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(word);
    }

    /// @notice Writes every validator's new balance.
    /// @return difference Sum of the new balances less the old ones, in ETH.
    function _recordAll(OpenCluster memory open, ValidatorProof[] calldata proofs, uint256 slot)
        private
        returns (int256 difference)
    {
        RegistryStorage storage $ = Layout.load();
        bool changed;
        for (uint256 i; i < proofs.length; ++i) {
            bytes calldata publicKey = proofs[i].publicKey;
            bytes32 id = ValidatorKey.idOf(publicKey, open.owner);
            ValidatorWord record = $.validators[id];
            require(record.isIn(open.sequence), IncorrectValidatorStateWithData(publicKey));
            require(slot > record.lastProofSlot(), ProofOlderThanRecord(publicKey));
            uint256 eth = _effectiveBalance(proofs[i].effectiveBalanceGwei);
            // Both are at most 2048.
            // forge-lint: disable-next-line(unsafe-typecast)
            int256 change = int256(eth) - int256(record.effectiveBalance());
            if (change != 0) changed = true;
            difference += change;
            $.validators[id] = ValidatorKey.pack(open.sequence, eth, slot);
        }
        // Otherwise strangers could void what the owner has sent for the price of a proof.
        require(changed, NothingChanged());
    }

    function _report(OpenCluster memory open, ValidatorProof[] calldata proofs, uint64 slot)
        private
    {
        for (uint256 i; i < proofs.length; ++i) {
            emit ValidatorEffectiveBalanceUpdated(
                open.owner,
                open.id,
                proofs[i].publicKey,
                // At most 2048.
                // forge-lint: disable-next-line(unsafe-typecast)
                uint32(_effectiveBalance(proofs[i].effectiveBalanceGwei)),
                slot
            );
        }
    }

    /// @notice Whole ETH, between the baseline and the most a validator can have. Exited and not
    /// yet active validators count as the baseline, as at registration.
    function _effectiveBalance(uint256 gwei_) private pure returns (uint256) {
        uint256 eth = gwei_ / GWEI_PER_ETH;
        if (eth < BASELINE_ETH) return BASELINE_ETH;
        return eth > MAX_EFFECTIVE_BALANCE_ETH ? MAX_EFFECTIVE_BALANCE_ETH : eth;
    }
}
