// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {NotAContract} from "./interfaces/Errors.sol";
import {Clusters} from "./parts/Clusters.sol";
import {FeeCeiling} from "./parts/FeeCeiling.sol";
import {OperatorAccess} from "./parts/OperatorAccess.sol";
import {Operators} from "./parts/Operators.sol";
import {Validators} from "./parts/Validators.sol";

/// @title The registry behind its proxy: operators, validators and clusters. Calls it does not know
/// go to `RegistryExtension`. The whole interface: `IRegistry`.
/// @dev No function stops exits, removals or withdrawals, and ether leaves only to a caller.
contract Registry is
    Operators,
    OperatorAccess,
    Validators,
    Clusters,
    FeeCeiling,
    Initializable,
    UUPSUpgradeable
{
    /// @notice Code of the rarer calls, fixed with this code.
    address private immutable EXTENSION;

    /// @param extension A `RegistryExtension`.
    constructor(address extension) {
        require(extension.code.length != 0, NotAContract(extension));
        EXTENSION = extension;
        _disableInitializers();
    }

    /// @notice Hands every call that no function here answers to the extension, in this storage.
    /// @dev Written out because a library's proxy uses memory in a way that forbids the compiler
    /// to move variables there.
    // solhint-disable-next-line no-complex-fallback
    fallback() external payable {
        address extension = EXTENSION;
        // Returning what a call answered, whatever it is, needs assembly.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let answered := delegatecall(gas(), extension, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            if iszero(answered) { revert(data, returndatasize()) }
            return(data, returndatasize())
        }
    }

    /// @notice Who may replace this code: the owner, until the right is renounced.
    function _authorizeUpgrade(address newImplementation) internal view override onlyOwner {
        _requireUpgradable();
        require(newImplementation.code.length != 0, NotAContract(newImplementation));
    }
}
