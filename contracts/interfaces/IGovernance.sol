// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the owner, a timelock, may do.
/// @notice Everybody else: `CallerNotOwner`. No parameter more than doubles or halves in one change
/// (one at zero may take any value), and each has bounds nobody can change. Nothing here can stop
/// an exit, a removal or a withdrawal. `ParameterOutOfBounds` unless another error is named.
interface IGovernance {
    /// @param fee In wei per block and 32 ETH, a multiple of 100,000, at most 38,000,000,000. The
    /// old fee holds up to and including this block.
    function updateNetworkFee(uint256 fee) external;

    /// @notice Pays network earnings to the owner; impossible while debt is uncovered.
    /// @param amount In wei, a multiple of 100,000.
    function withdrawNetworkEarnings(uint256 amount) external;

    /// @param percentage How much an operator may raise its fee at once, in 1/10,000; at most
    /// 10,000 (`InvalidOperatorFeeIncreaseLimit`).
    function updateOperatorFeeIncreaseLimit(uint64 percentage) external;

    /// @param timeInSeconds From the announcement of a fee to its window; 1 to 30 days.
    function updateDeclareOperatorFeePeriod(uint64 timeInSeconds) external;

    /// @param timeInSeconds Length of the window; 1 hour to 30 days.
    function updateExecuteOperatorFeePeriod(uint64 timeInSeconds) external;

    /// @param blocks How long a cluster must be able to pay, or anyone may liquidate it: 21,480
    /// (`NewBlockPeriodIsBelowMinimum`) to 432,000.
    /// @dev Warning: raising it can make clusters liquidatable.
    function updateLiquidationThresholdPeriod(uint64 blocks) external;

    /// @param amount Balance below which anyone may liquidate, in wei: a multiple of 100,000, not
    /// zero, at most 0.05 ETH.
    /// @dev Warning: raising it can make clusters liquidatable.
    function updateMinimumLiquidationCollateral(uint256 amount) external;

    /// @param minFee In wei per block and 32 ETH; not above the maximum
    /// (`InvalidOperatorFeeRange`). Existing operators keep their fee.
    function updateMinimumOperatorEthFee(uint256 minFee) external;

    /// @param limit Validators in active clusters that one operator may have, 1 to 65,535.
    /// Operators above it keep theirs.
    /// @dev Warning: a lower limit refuses reactivations with operators above it.
    function updateValidatorsPerOperatorLimit(uint32 limit) external;

    /// @param verifier Contract that checks effective-balance proofs, or zero for none.
    /// @dev Warning: a hostile verifier sets any effective balance from 32 to 2048 ETH, and a slot
    /// so far ahead that no later proof of those validators is accepted.
    function updateBeaconVerifier(address verifier) external;

    /// @notice Fixes the verifier for good.
    function freezeVerifier() external;

    /// @notice Gives up for good the right to replace the registry's code.
    function renounceUpgrades() external;

    /// @notice Reduces the uncovered debt by the ether sent; what exceeds it is the network's.
    /// Anyone may call; fractions of a fee unit are counted down.
    function coverDebt() external payable;

    /// @notice Offers ownership; the new owner must accept. Zero takes an offer back.
    function transferOwnership(address newOwner) external;

    /// @notice Accepts an offered ownership.
    function acceptOwnership() external;
}
