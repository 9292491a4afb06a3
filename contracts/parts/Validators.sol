// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ClusterIsLiquidated,
    EmptyPublicKeysList,
    IncorrectClusterState,
    IncorrectValidatorStateWithData,
    InsufficientBalance,
    InvalidPublicKeyLength,
    InvalidSharesLength,
    PublicKeysSharesLengthMismatch,
    ValidatorAlreadyExistsWithData,
    ValidatorDoesNotExist
} from "../interfaces/Errors.sol";
import {IValidators} from "../interfaces/IValidators.sol";
import {Cluster} from "../interfaces/Types.sol";
import {ClusterKey, ClusterWord} from "../keys/ClusterKey.sol";
import {OperatorSet} from "../keys/OperatorSet.sol";
import {NO_RECORD, ValidatorKey, ValidatorWord} from "../keys/ValidatorKey.sol";
import {BASELINE_ETH} from "../ledger/Units.sol";
import {Layout, RegistryStorage} from "../storage/Layout.sol";
import {Accounts, OpenCluster} from "./Accounts.sol";
import {ClusterLogs, LogTemplate} from "./ClusterLogs.sol";

/// @title Registers, removes and exits validators.
abstract contract Validators is Accounts, IValidators {
    uint256 private constant PUBLIC_KEY_BYTES = 48;
    uint256 private constant SIGNATURE_BYTES = 96;
    /// @dev A share's public key and the share encrypted to one operator.
    uint256 private constant SHARE_BYTES = 48 + 256;

    /// @inheritdoc IValidators
    function registerValidator(
        bytes calldata publicKey,
        uint64[] calldata operatorIds,
        bytes calldata sharesData,
        Cluster calldata cluster
    ) external payable {
        OperatorSet.requireSize(operatorIds);
        (OpenCluster memory open, ClusterWord word) = _openOrCreate(operatorIds, cluster);
        _record(publicKey, sharesData, operatorIds.length, open.sequence);
        _enroll(open, word, operatorIds, 1);
        ClusterLogs.added(operatorIds, open.cluster).emitAdded(publicKey, sharesData);
    }

    /// @inheritdoc IValidators
    function bulkRegisterValidator(
        bytes[] calldata publicKeys,
        uint64[] calldata operatorIds,
        bytes[] calldata sharesData,
        Cluster calldata cluster
    ) external payable {
        uint256 added = publicKeys.length;
        require(added != 0, EmptyPublicKeysList());
        require(added == sharesData.length, PublicKeysSharesLengthMismatch());
        OperatorSet.requireSize(operatorIds);
        (OpenCluster memory open, ClusterWord word) = _openOrCreate(operatorIds, cluster);
        for (uint256 i; i < added; ++i) {
            _record(publicKeys[i], sharesData[i], operatorIds.length, open.sequence);
        }
        _enroll(open, word, operatorIds, added);
        LogTemplate log = ClusterLogs.added(operatorIds, open.cluster);
        for (uint256 i; i < added; ++i) {
            log.emitAdded(publicKeys[i], sharesData[i]);
        }
    }

    /// @inheritdoc IValidators
    function removeValidator(
        bytes calldata publicKey,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external {
        OpenCluster memory open = _open(msg.sender, operatorIds, cluster);
        _dismiss(open, operatorIds, 1, _erase(publicKey, open.sequence));
        ClusterLogs.removed(operatorIds, open.cluster).emitKey(ValidatorRemoved.selector, publicKey);
    }

    /// @inheritdoc IValidators
    function bulkRemoveValidator(
        bytes[] calldata publicKeys,
        uint64[] calldata operatorIds,
        Cluster calldata cluster
    ) external {
        uint256 removed = publicKeys.length;
        require(removed != 0, ValidatorDoesNotExist());
        OpenCluster memory open = _open(msg.sender, operatorIds, cluster);
        uint256 eth;
        for (uint256 i; i < removed; ++i) {
            eth += _erase(publicKeys[i], open.sequence);
        }
        _dismiss(open, operatorIds, removed, eth);
        LogTemplate log = ClusterLogs.removed(operatorIds, open.cluster);
        for (uint256 i; i < removed; ++i) {
            log.emitKey(ValidatorRemoved.selector, publicKeys[i]);
        }
    }

    /// @inheritdoc IValidators
    function exitValidator(bytes calldata publicKey, uint64[] calldata operatorIds) external {
        _requireOwn(publicKey, _sequenceOf(operatorIds));
        ClusterLogs.exited(operatorIds).emitKey(ValidatorExited.selector, publicKey);
    }

    /// @inheritdoc IValidators
    function bulkExitValidator(bytes[] calldata publicKeys, uint64[] calldata operatorIds)
        external
    {
        require(publicKeys.length != 0, ValidatorDoesNotExist());
        uint256 sequence = _sequenceOf(operatorIds);
        LogTemplate log = ClusterLogs.exited(operatorIds);
        for (uint256 i; i < publicKeys.length; ++i) {
            _requireOwn(publicKeys[i], sequence);
            log.emitKey(ValidatorExited.selector, publicKeys[i]);
        }
    }

    /// @inheritdoc IValidators
    function setFeeRecipientAddress(address recipientAddress) external {
        Layout.load().owners[msg.sender].feeRecipient = recipientAddress;
        emit FeeRecipientAddressUpdated(msg.sender, recipientAddress);
    }

    /// @notice Reads the caller's cluster with the struct unchecked, or numbers a new one.
    function _openOrCreate(uint64[] calldata operatorIds, Cluster calldata cluster)
        private
        returns (OpenCluster memory open, ClusterWord word)
    {
        RegistryStorage storage $ = Layout.load();
        open.cluster = cluster;
        open.owner = msg.sender;
        open.id = ClusterKey.idOf(msg.sender, operatorIds);
        word = $.clusters[open.id];
        open.sequence = word.exists() ? word.sequence() : ++$.counters.clustersCreated;
        open.effectiveBalance = word.effectiveBalance();
    }

    /// @notice Checks one registration's key and shares, and creates its record.
    function _record(
        bytes calldata publicKey,
        bytes calldata sharesData,
        uint256 operators,
        uint256 sequence
    ) private {
        require(publicKey.length == PUBLIC_KEY_BYTES, InvalidPublicKeyLength());
        RegistryStorage storage $ = Layout.load();
        bytes32 id = ValidatorKey.idOf(publicKey, msg.sender);
        require(!$.validators[id].exists(), ValidatorAlreadyExistsWithData(publicKey));
        require(
            sharesData.length == SIGNATURE_BYTES + SHARE_BYTES * operators, InvalidSharesLength()
        );
        $.validators[id] = ValidatorKey.pack(sequence, BASELINE_ETH, 0);
    }

    /// @notice Checks the caller's struct, takes the ether, settles, and adds the validators.
    function _enroll(
        OpenCluster memory open,
        ClusterWord word,
        uint64[] calldata operatorIds,
        uint256 added
    ) private {
        Cluster memory cluster = open.cluster;
        if (word.exists()) {
            word.requireCurrent(cluster);
            require(cluster.active, ClusterIsLiquidated());
        } else {
            require(ClusterKey.isNew(cluster), IncorrectClusterState());
        }
        cluster.balance += msg.value;
        // The list of keys came in calldata, and every operator's limit is below 2^16.
        // forge-lint: disable-next-line(unsafe-typecast)
        _settle(open, operatorIds, int256(added), int256(added * BASELINE_ETH), msg.sender);
        open.effectiveBalance += added * BASELINE_ETH;
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            cluster.validatorCount += uint32(added);
            // Starts again after 2^32 registrations of one owner.
            // forge-lint: disable-next-line(unsafe-typecast)
            Layout.load().owners[msg.sender].nonce += uint32(added);
        }
        require(!_isLiquidatable(open), InsufficientBalance());
        _store(open);
    }

    /// @notice Deletes a record of the caller in this cluster.
    /// @return eth Its effective balance.
    function _erase(bytes calldata publicKey, uint256 sequence) private returns (uint256 eth) {
        RegistryStorage storage $ = Layout.load();
        bytes32 id = ValidatorKey.idOf(publicKey, msg.sender);
        ValidatorWord record = $.validators[id];
        require(record.isIn(sequence), IncorrectValidatorStateWithData(publicKey));
        eth = record.effectiveBalance();
        $.validators[id] = NO_RECORD;
    }

    /// @notice Settles an active cluster and takes validators out of it. A liquidated one is in
    /// nobody's sums.
    function _dismiss(
        OpenCluster memory open,
        uint64[] calldata operatorIds,
        uint256 removed,
        uint256 eth
    ) private {
        if (open.cluster.active) {
            // Both are sums over records of this cluster.
            // forge-lint: disable-next-line(unsafe-typecast)
            _settle(open, operatorIds, -int256(removed), -int256(eth), address(0));
        }
        unchecked {
            // forge-lint: disable-next-line(unsafe-typecast)
            open.cluster.validatorCount -= uint32(removed);
            open.effectiveBalance -= eth;
        }
        _store(open);
    }

    /// @notice Sequence number of the caller's cluster with these operators; 0 if there is none.
    function _sequenceOf(uint64[] calldata operatorIds) private view returns (uint256) {
        return Layout.load().clusters[ClusterKey.idOf(msg.sender, operatorIds)].sequence();
    }

    function _requireOwn(bytes calldata publicKey, uint256 sequence) private view {
        ValidatorWord record = Layout.load().validators[ValidatorKey.idOf(publicKey, msg.sender)];
        require(record.isIn(sequence), IncorrectValidatorStateWithData(publicKey));
    }
}
