"""The registry's custom errors in words: (declaration, meaning, what to do).

Data only; `contract_errors` makes the exceptions. The declarations are those of the ABI.
"""

from __future__ import annotations

from typing import Final

_READ_AGAIN: Final = "Read the cluster again and prepare the call anew."

TABLE: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "CallerNotOwnerWithData(address caller,address owner)",
        "the sending account does not own this operator",
        "Send from the operator's owner.",
    ),
    (
        "CallerNotWhitelistedWithData(uint64 operatorId)",
        "the operator is private and does not admit the sending account",
        "Ask its owner to be admitted, or choose another operator.",
    ),
    (
        "FeeTooLow()",
        "the fee is neither zero nor as high as the minimum",
        "Read the minimum with network.parameters().",
    ),
    (
        "FeeTooHigh()",
        "the fee is above the maximum",
        "Read the maximum with network.parameters().",
    ),
    (
        "FeeExceedsIncreaseLimit()",
        "the fee rises by more than one step allows",
        "Declare a lower fee now and the rest after this one is executed.",
    ),
    (
        "FeeIncreaseNotAllowed()",
        "this way the fee can only fall, and a fee of zero can never rise",
        "Declare a raise with declare_fee; an operator at zero has to register anew.",
    ),
    (
        "SameFeeChangeNotAllowed()",
        "the fee declared is the fee in force",
        "Nothing has to be done.",
    ),
    ("NoFeeDeclared()", "the operator has no declared fee", "Declare one first."),
    (
        "ApprovalNotWithinTimeframe()",
        "the declared fee cannot be executed now, only within its window",
        "Wait for the window to open; if it has closed, declare the fee again.",
    ),
    (
        "OperatorDoesNotExist()",
        "an operator was never registered or is removed",
        "Choose another operator; registered validators have to move.",
    ),
    (
        "OperatorAlreadyExists()",
        "this account has registered that operator key before",
        "Use the existing operator id, or register another key.",
    ),
    (
        "InsufficientBalance()",
        "the balance does not suffice, or what is left would be liquidatable at once",
        "Send or leave more: see the plan of the call.",
    ),
    (
        "ValidatorDoesNotExist()",
        "no validator is named, or it is not registered",
        "Name validators of this cluster.",
    ),
    (
        "ValidatorAlreadyExistsWithData(bytes publicKey)",
        "this account has registered that validator already",
        "Leave it out.",
    ),
    (
        "ValidatorAlreadyRegistered(bytes publicKey,address owner)",
        "another account has registered that validator",
        "Find out who did, and never run one key twice.",
    ),
    (
        "IncorrectValidatorStateWithData(bytes publicKey)",
        "the validator is not registered by this account in this cluster",
        "Check the key and the operator ids; it may be removed already, or named twice.",
    ),
    ("EmptyPublicKeysList()", "no validator is named", "Name at least one."),
    (
        "PublicKeysSharesLengthMismatch()",
        "there are not as many shares as public keys",
        "Make the keyshares file again.",
    ),
    (
        "InvalidPublicKeyLength()",
        "a validator's public key does not have 48 bytes",
        "Make the keyshares file again.",
    ),
    (
        "InvalidOperatorIdsLength()",
        "the number of operators is not allowed here",
        "A cluster has 4, 7, 10 or 13 operators; lists of operators must not be empty.",
    ),
    (
        "UnsortedOperatorsList()",
        "the operator ids do not ascend",
        "Sort them; the order of the shares follows that of the ids.",
    ),
    ("OperatorsListNotUnique()", "an operator id is named twice", "Name each once."),
    (
        "ExceedValidatorLimitWithData(uint64 operatorId)",
        "the operator would have more validators than allowed",
        "Choose another operator, or register fewer validators.",
    ),
    (
        "ClusterDoesNotExist()",
        "this owner has no cluster with these operators",
        "Check owner, operator ids and network.",
    ),
    (
        "IncorrectClusterState()",
        "the cluster has changed since its snapshot was read",
        _READ_AGAIN,
    ),
    ("ClusterIsLiquidated()", "the cluster is liquidated", "Reactivate it first."),
    (
        "ClusterNotLiquidatable()",
        "the cluster still has enough balance, so only its owner may liquidate it",
        "Wait for its liquidation block.",
    ),
    ("ClusterAlreadyEnabled()", "the cluster is active", "Deposit instead of reactivating."),
    (
        "NewBlockPeriodIsBelowMinimum()",
        "the liquidation period is below its lower bound",
        "Choose at least 21,480 blocks.",
    ),
    (
        "InvalidOperatorFeeIncreaseLimit()",
        "the limit of fee increases is out of bounds",
        "Choose at most 10,000, which is 100 percent.",
    ),
    (
        "InvalidOperatorFeeRange()",
        "the minimum operator fee would exceed the maximum",
        "Change the other bound first.",
    ),
    (
        "MaxValueExceeded()",
        "an amount does not fit the registry's accounts",
        "Choose a smaller amount.",
    ),
    (
        "MaxPrecisionExceeded()",
        "an amount is not a multiple of 100,000 wei",
        "Round it to a multiple of 100,000 wei.",
    ),
    (
        "ETHTransferFailed()",
        "the receiving account refuses ether",
        "Call from an account that accepts plain transfers.",
    ),
    ("ZeroAddress()", "an address is zero", "Give an address."),
    ("ZeroAddressNotAllowed()", "an address is zero", "Give an address."),
    (
        "AddressIsWhitelistingContract(address contractAddress)",
        "the address is a whitelisting contract and not an account",
        "Set it with set_whitelisting_contract.",
    ),
    (
        "InvalidWhitelistingContract(address contractAddress)",
        "the address is no whitelisting contract",
        "It has to answer supportsInterface for 0x830639ac.",
    ),
    ("InvalidWhitelistAddressesLength()", "no address is named", "Name at least one."),
    (
        "InvalidProof()",
        "a balance proof does not lead to the beacon root",
        "Build the proof again, for this network and fork.",
    ),
    ("StaleUpdate()", "a newer update is in force", _READ_AGAIN),
    ("EBBelowMinimum()", "an effective balance is below 32 ETH", "Build the proof again."),
    ("EBExceedsMaximum()", "an effective balance is above 2048 ETH", "Build the proof again."),
    ("CallerNotOwner()", "only the registry's owner may call this", "Send from its owner."),
    (
        "InvalidSharesLength()",
        "the shares do not have the length that the number of operators needs",
        "Make the keyshares file again; nodes would discard it.",
    ),
    (
        "BeaconRootUnavailable(uint64 timestamp)",
        "the chain keeps no beacon root for the proof's timestamp",
        "Roots last about 27 hours: build the proof from a newer state.",
    ),
    (
        "ProofOlderThanRecord(bytes publicKey)",
        "a balance at least as new is on record for this validator, or it is proven twice",
        "Build the proof from a newer state.",
    ),
    (
        "InvalidOperatorPublicKey()",
        "the operator key is no well-formed ABI text",
        "Register through operators.register, which encodes it.",
    ),
    (
        "ParameterOutOfBounds()",
        "the parameter is outside its bounds, or changes by more than double or half",
        "Change it in several steps.",
    ),
    (
        "NothingChanged()",
        "every proven balance is on record already",
        "Nothing has to be done.",
    ),
    (
        "DepositTooSmall()",
        "whoever does not own the cluster must deposit the minimum collateral at least",
        "Deposit more, or let the owner deposit.",
    ),
    ("Reentrancy()", "the registry was called back during a call", "Call it directly."),
    (
        "TooFewOperators(uint256 live,uint256 quorum)",
        "so many operators of the cluster are removed that it could never sign",
        "Withdraw, and register the validators with other operators.",
    ),
    (
        "TooManyValidators(uint256 limit)",
        "the registry counts no more validators than this in all",
        "Register fewer.",
    ),
    (
        "VerifierNotSet()",
        "the registry has no verifier, so effective balances stay as recorded",
        "Wait until governance sets one.",
    ),
    (
        "VerifierFrozen()",
        "the verifier was fixed for good",
        "It cannot change any more.",
    ),
    (
        "UpgradesRenounced()",
        "the right to upgrade was given up for good",
        "The code cannot change any more.",
    ),
    (
        "NotAContract(address account)",
        "the address must hold a contract and holds none",
        "Check the address and the network.",
    ),
    (
        "UnknownFunction(bytes4 selector)",
        "the registry has no such function",
        "Check that this SDK belongs to the registry's version.",
    ),
    # Of the proxy, its upgrades and the verifier's construction.
    ("AddressEmptyCode(address target)", "an address holds no code", "Check the address."),
    (
        "ERC1967InvalidImplementation(address implementation)",
        "the new implementation holds no code",
        "Check the address and the network.",
    ),
    ("ERC1967NonPayable()", "an upgrade takes no ether", "Send none."),
    ("FailedCall()", "a call made by the registry failed", "Simulate the inner call."),
    ("InvalidInitialization()", "the registry is initialised already", "Nothing has to be done."),
    (
        "InvalidWindow(uint64 genesisTime,uint64 secondsPerSlot,uint64 validFrom,"
        "uint64 validUntil)",
        "the verifier's times do not form a window",
        "Give times after genesis, the end after the beginning.",
    ),
    ("NotInitializing()", "this only happens while initialising", "Call it no other way."),
    (
        "UUPSUnauthorizedCallContext()",
        "the implementation was called directly",
        "Call the registry's proxy.",
    ),
    (
        "UUPSUnsupportedProxiableUUID(bytes32 slot)",
        "the new implementation is not made for this kind of proxy",
        "Check the implementation.",
    ),
)
