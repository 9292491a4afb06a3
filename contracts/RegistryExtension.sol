// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UnknownFunction} from "./interfaces/Errors.sol";
import {InitialParameters} from "./interfaces/Types.sol";
import {EffectiveBalances} from "./parts/EffectiveBalances.sol";
import {Governance} from "./parts/Governance.sol";
import {NetworkViews} from "./parts/NetworkViews.sol";
import {OperatorFees} from "./parts/OperatorFees.sol";
import {Views} from "./parts/Views.sol";

/// @title The rarer half of the registry: fee changes, balance proofs, governance and getters.
/// @dev Runs in the registry's own storage, called by the fallback of `Registry`. It is apart so
/// that the calls stakers pay for every day run code optimised for speed and find their function
/// after a short search. Called directly it works on its own storage, which is empty and has no
/// owner.
contract RegistryExtension is
    OperatorFees,
    EffectiveBalances,
    Governance,
    Views,
    NetworkViews,
    Initializable
{
    constructor() {
        _disableInitializers();
    }

    /// @notice Calls that no function answers, and ether sent without a call.
    fallback() external payable {
        revert UnknownFunction(msg.sig);
    }

    /// @notice Once, in the transaction that makes the proxy.
    function initialize(InitialParameters calldata initial) external initializer {
        _initialize(initial);
    }
}
