// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// What a deployment takes unchanged from the library: the registry's proxy and its owner.
// solhint-disable-next-line no-unused-import
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
// solhint-disable-next-line no-unused-import
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
