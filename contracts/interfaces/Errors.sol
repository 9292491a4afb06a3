// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Every error that the registry and its verifier revert with. Names and arguments up to the rule
// are those of the compatibility target, which tools already decode.

// Operators and their fees.
error CallerNotOwnerWithData(address caller, address owner);
error CallerNotWhitelistedWithData(uint64 operatorId);
error FeeTooLow();
error FeeTooHigh();
error FeeExceedsIncreaseLimit();
error FeeIncreaseNotAllowed();
error SameFeeChangeNotAllowed();
error NoFeeDeclared();
error ApprovalNotWithinTimeframe();
error OperatorDoesNotExist();
error OperatorAlreadyExists();
error AddressIsWhitelistingContract(address contractAddress);
error InvalidWhitelistingContract(address contractAddress);
error InvalidWhitelistAddressesLength();
error ZeroAddress();
error ZeroAddressNotAllowed();

// Validators and clusters.
error ValidatorDoesNotExist();
error ValidatorAlreadyExistsWithData(bytes publicKey);
error IncorrectValidatorStateWithData(bytes publicKey);
error EmptyPublicKeysList();
error PublicKeysSharesLengthMismatch();
error InvalidPublicKeyLength();
error InvalidOperatorIdsLength();
error UnsortedOperatorsList();
error OperatorsListNotUnique();
error ExceedValidatorLimitWithData(uint64 operatorId);
error ClusterDoesNotExist();
error IncorrectClusterState();
error ClusterIsLiquidated();
error ClusterNotLiquidatable();
error ClusterAlreadyEnabled();
error InsufficientBalance();

// Amounts, governance, proofs.
error NewBlockPeriodIsBelowMinimum();
error InvalidOperatorFeeIncreaseLimit();
error InvalidOperatorFeeRange();
error MaxValueExceeded();
error MaxPrecisionExceeded();
error ETHTransferFailed();
error InvalidProof();
error CallerNotOwner();

// -------------------------------------------------------------------------------------------------
// Ours.

error InvalidSharesLength();
error InvalidOperatorPublicKey();
error BeaconRootUnavailable(uint64 timestamp);
error ProofOlderThanRecord(bytes publicKey);
error NothingChanged();
error ParameterOutOfBounds();
error DepositTooSmall();
error Reentrancy();
/// Fewer operators of the cluster are left than can reach a quorum.
error TooFewOperators(uint256 live, uint256 quorum);
/// The registry counts no more validators than this in all.
error TooManyValidators(uint256 limit);
/// No verifier is set, so effective balances stay as recorded.
error VerifierNotSet();
/// `freezeVerifier` was called: the verifier cannot change any more.
error VerifierFrozen();
/// `renounceUpgrades` was called: the code cannot change any more.
error UpgradesRenounced();
/// An address that must hold a contract holds none.
error NotAContract(address account);
/// No function of the registry has this selector; ether sent without a call ends here too.
error UnknownFunction(bytes4 selector);
