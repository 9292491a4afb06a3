// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegistryEvents} from "./Events.sol";
import {IClusters} from "./IClusters.sol";
import {IEffectiveBalances} from "./IEffectiveBalances.sol";
import {IFeeCeiling} from "./IFeeCeiling.sol";
import {IGovernance} from "./IGovernance.sol";
import {IOperatorAccess} from "./IOperatorAccess.sol";
import {IOperatorFees} from "./IOperatorFees.sol";
import {IOperators} from "./IOperators.sol";
import {IValidators} from "./IValidators.sol";
import {IViews} from "./IViews.sol";

/// @title The registry: operators, clusters, validators and what they owe one another.
interface IRegistry is
    IRegistryEvents,
    IOperators,
    IOperatorFees,
    IOperatorAccess,
    IValidators,
    IClusters,
    IEffectiveBalances,
    IFeeCeiling,
    IGovernance,
    IViews
{
    // Declared for tools that know them from the compatibility target; never used here.
    error ValidatorAlreadyRegistered(bytes publicKey, address owner);
    error StaleUpdate();
    error EBBelowMinimum();
    error EBExceedsMaximum();
}
