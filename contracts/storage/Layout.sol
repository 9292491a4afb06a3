// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClusterWord} from "../keys/ClusterKey.sol";
import {ValidatorWord} from "../keys/ValidatorKey.sol";
import {NetworkWord} from "../ledger/NetworkWord.sol";
import {OperatorWord} from "../ledger/OperatorWord.sol";

// Everything the registry stores. Packed words describe themselves where their type is.

/// @dev What governance set, in one slot. Fees and collateral are fee units.
struct Parameters {
    uint32 liquidationPeriod;
    uint64 minimumCollateral;
    uint16 validatorsPerOperatorLimit;
    uint32 minimumOperatorFee;
    uint32 maximumOperatorFee;
    uint16 feeIncreaseLimit;
    uint24 declarePeriod;
    uint24 executePeriod;
}

/// @dev What is read of an operator outside of accounting. `removed` repeats what the operator's
/// word says, so that its owner's calls need not read that too.
struct OperatorProfile {
    address owner;
    bool removed;
    address whitelistingContract;
    FeeDeclaration declaration;
}

/// @dev An announced fee, in units, and its window in UNIX seconds; `end` is 0 if there is none.
struct FeeDeclaration {
    uint40 fee;
    uint40 begin;
    uint40 end;
}

struct Counters {
    uint64 lastOperatorId;
    uint32 clustersCreated;
}

/// @dev `nonce` counts all registrations ever. It starts again after 2^32 of one owner.
struct OwnerRecord {
    uint32 nonce;
    address feeRecipient;
}

struct Rights {
    address owner;
    bool upgradesRenounced;
    address pendingOwner;
    address beaconVerifier;
    bool verifierFrozen;
}

/// @param operatorKeys By hash of owner and key.
/// @param allowed By address and id / 256: bit id % 256 set if the address may use the operator.
/// @param clusters By cluster id.
/// @param validators By `ValidatorKey.idOf`.
struct RegistryStorage {
    NetworkWord network;
    Parameters parameters;
    Counters counters;
    Rights rights;
    mapping(uint256 operatorId => OperatorWord) operators;
    mapping(uint256 operatorId => OperatorProfile) profiles;
    mapping(bytes32 ownerAndKey => bool) operatorKeys;
    mapping(address account => mapping(uint256 group => uint256)) allowed;
    mapping(bytes32 clusterId => ClusterWord) clusters;
    mapping(bytes32 keyAndOwner => ValidatorWord) validators;
    mapping(address owner => OwnerRecord) owners;
}

/// @title Where the registry stores it.
library Layout {
    /// @dev ERC-7201 slot of "phalanx.registry", which is
    /// keccak256(abi.encode(uint256(keccak256("phalanx.registry")) - 1)) & ~bytes32(uint256(0xff)).
    /// Written out because the compiler would compute it in every call; a test compares.
    bytes32 internal constant SLOT =
        0x23008cf4e37554b9434f35995596260a58539f738523a9af5ef65534964d4400;

    function load() internal pure returns (RegistryStorage storage $) {
        // Solidity has no other way to name a slot.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            $.slot := SLOT
        }
    }
}
