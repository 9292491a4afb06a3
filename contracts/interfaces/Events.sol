// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "./Types.sol";

/// @title Every event of the registry.
/// @notice Names, arguments and encodings are those existing nodes, scanners and indexers decode;
/// ours come last in each group. No event is anonymous: existing nodes read the first topic of
/// every log of this address.
interface IRegistryEvents {
    // Operators, their fees and who may use them.

    /// @param publicKey ABI encoding of one string: the base64 text of the RSA public key's PEM.
    /// @param fee In wei per block and 32 ETH of effective balance.
    event OperatorAdded(
        uint64 indexed operatorId, address indexed owner, bytes publicKey, uint256 fee
    );

    event OperatorRemoved(uint64 indexed operatorId);

    /// @param toPrivate True if from now on only allowed owners may register validators with these
    /// operators.
    event OperatorPrivacyStatusUpdated(uint64[] operatorIds, bool toPrivate);

    event OperatorMultipleWhitelistUpdated(uint64[] operatorIds, address[] whitelistAddresses);

    event OperatorMultipleWhitelistRemoved(uint64[] operatorIds, address[] whitelistAddresses);

    /// @param whitelistingContract Zero if the contract was removed.
    event OperatorWhitelistingContractUpdated(uint64[] operatorIds, address whitelistingContract);

    /// @param blockNumber Block of this event.
    /// @param fee In wei per block and 32 ETH.
    event OperatorFeeDeclared(
        address indexed owner, uint64 indexed operatorId, uint256 blockNumber, uint256 fee
    );

    event OperatorFeeDeclarationCancelled(address indexed owner, uint64 indexed operatorId);

    /// @param blockNumber Block of this event; the old fee holds up to and including it.
    /// @param fee In wei per block and 32 ETH.
    event OperatorFeeExecuted(
        address indexed owner, uint64 indexed operatorId, uint256 blockNumber, uint256 fee
    );

    /// @param value In wei.
    event OperatorWithdrawn(address indexed owner, uint64 indexed operatorId, uint256 value);

    // Validators and clusters. The last event that carries a cluster carries its current struct.

    /// @param shares Signature of the owner and nonce, share public keys, encrypted shares.
    /// @param cluster After the whole call; all events of a bulk call carry the same.
    event ValidatorAdded(
        address indexed owner, uint64[] operatorIds, bytes publicKey, bytes shares, Cluster cluster
    );

    /// @param cluster After the whole call; all events of a bulk call carry the same.
    event ValidatorRemoved(
        address indexed owner, uint64[] operatorIds, bytes publicKey, Cluster cluster
    );

    event ValidatorExited(address indexed owner, uint64[] operatorIds, bytes publicKey);

    event ClusterDeposited(
        address indexed owner, uint64[] operatorIds, uint256 value, Cluster cluster
    );

    event ClusterWithdrawn(
        address indexed owner, uint64[] operatorIds, uint256 value, Cluster cluster
    );

    event ClusterLiquidated(address indexed owner, uint64[] operatorIds, Cluster cluster);

    event ClusterReactivated(address indexed owner, uint64[] operatorIds, Cluster cluster);

    /// @param blockNum Block of this event.
    /// @param effectiveBalance Of the whole cluster, in ETH.
    event ClusterBalanceUpdated(
        address indexed owner,
        uint64[] operatorIds,
        uint64 indexed blockNum,
        uint32 effectiveBalance,
        Cluster cluster
    );

    /// @param effectiveBalance In ETH, 32 to 2048.
    /// @param slot Slot of the timestamp it was proven for.
    event ValidatorEffectiveBalanceUpdated(
        address indexed owner,
        bytes32 indexed clusterId,
        bytes publicKey,
        uint32 effectiveBalance,
        uint64 slot
    );

    /// @param amount In wei: the part of a shortfall that the network's earnings could not bear.
    event DebtUncovered(address indexed owner, bytes32 indexed clusterId, uint256 amount);

    event FeeRecipientAddressUpdated(address indexed owner, address recipientAddress);

    /// @param amount In wei; counted in whole fee units as income of the network.
    event DebtCovered(address indexed payer, uint256 amount);

    // Governance.

    event NetworkFeeUpdated(uint256 oldFee, uint256 newFee);

    event NetworkEarningsWithdrawn(uint256 value, address recipient);

    event OperatorFeeIncreaseLimitUpdated(uint64 value);

    event DeclareOperatorFeePeriodUpdated(uint64 value);

    event ExecuteOperatorFeePeriodUpdated(uint64 value);

    event LiquidationThresholdPeriodUpdated(uint64 value);

    event MinimumLiquidationCollateralUpdated(uint256 value);

    event OperatorMaximumFeeUpdated(uint256 maxFee);

    event MinimumOperatorEthFeeUpdated(uint256 minFee);

    event ValidatorsPerOperatorLimitUpdated(uint32 value);

    event BeaconVerifierUpdated(address verifier);

    event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner);

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    /// @notice The verifier can never be changed again.
    event BeaconVerifierFrozen(address verifier);

    /// @notice The registry's code can never be changed again.
    event UpgradeRightRenounced();
}
