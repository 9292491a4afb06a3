// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// These structs lie in calldata and memory, where nothing is packed; the ABI fixes their order.
// solhint-disable gas-struct-packing

/// @notice A cluster's account as its last event carried it. The registry stores only a commitment
/// to it, so every call on a cluster passes the latest one; a cluster that does not exist yet is
/// passed as `(0, 0, 0, true, 0)`.
/// @param validatorCount Number of validators registered in the cluster.
/// @param networkFeeIndex Network fee index at the last settlement, in fee units; 0 while
/// liquidated.
/// @param index Sum of the operators' fee indexes at the last settlement, in fee units; 0 while
/// liquidated.
/// @param active False after a liquidation, true again after a reactivation.
/// @param balance In wei, as of the last settlement.
struct Cluster {
    uint32 validatorCount;
    uint64 networkFeeIndex;
    uint64 index;
    bool active;
    uint256 balance;
}

/// @notice One validator of the beacon state: the fields of its container and the branch that leads
/// to the state root.
/// @param publicKey BLS public key, 48 bytes.
/// @param validatorIndex Index in the beacon state's list of validators.
/// @param effectiveBalanceGwei Effective balance in gwei.
/// @param branch Siblings from the container's root up to the state root, lowest first.
struct ValidatorProof {
    bytes publicKey;
    uint64 validatorIndex;
    bytes32 withdrawalCredentials;
    uint64 effectiveBalanceGwei;
    bool slashed;
    uint64 activationEligibilityEpoch;
    uint64 activationEpoch;
    uint64 exitEpoch;
    uint64 withdrawableEpoch;
    bytes32[] branch;
}

/// @notice What `getOperatorById` answers.
/// @param fee In wei per block and 32 ETH of effective balance.
/// @param whitelistedAddress The whitelisting contract, or zero.
/// @param isActive False if never registered or removed.
struct OperatorData {
    address owner;
    uint256 fee;
    uint32 validatorCount;
    address whitelistedAddress;
    bool isPrivate;
    bool isActive;
}

/// @notice What `getOperatorDeclaredFee` answers; times are UNIX seconds.
struct DeclaredFeeData {
    bool isFeeDeclared;
    uint256 fee;
    uint64 approvalBeginTime;
    uint64 approvalEndTime;
}

/// @notice What `getOperatorFeePeriods` answers, in seconds.
struct FeePeriods {
    uint64 declarePeriod;
    uint64 executePeriod;
}

/// @notice What governance may set, as given to the initializer.
/// @param owner Who governs: a timelock, outside of tests.
/// @param beaconVerifier Checks effective-balance proofs; zero until one is chosen.
/// @param networkFee In wei per block and 32 ETH of effective balance.
/// @param liquidationThresholdPeriod In blocks.
/// @param minimumLiquidationCollateral In wei.
/// @param minimumOperatorFee In wei per block and 32 ETH.
/// @param maximumOperatorFee In wei per block and 32 ETH.
/// @param validatorsPerOperatorLimit Validators in active clusters that one operator may have.
/// @param operatorFeeIncreaseLimit In 1/10,000 of the current fee.
/// @param declareOperatorFeePeriod In seconds.
/// @param executeOperatorFeePeriod In seconds.
struct InitialParameters {
    address owner;
    address beaconVerifier;
    uint256 networkFee;
    uint64 liquidationThresholdPeriod;
    uint256 minimumLiquidationCollateral;
    uint256 minimumOperatorFee;
    uint256 maximumOperatorFee;
    uint32 validatorsPerOperatorLimit;
    uint64 operatorFeeIncreaseLimit;
    uint64 declareOperatorFeePeriod;
    uint64 executeOperatorFeePeriod;
}
