// Lodestar's consensus rules, which every other file here takes from this one.
//
// Named by their path: `make setup` installs them once, for tests/consensus.

const installed = new URL("../../../tests/consensus/node_modules/", import.meta.url);
const load = (name) => import(new URL(name, installed));

export const blst = (await load("@chainsafe/blst/index.js")).default;
export const { createBeaconConfig, chainConfigToJson } = await load("@lodestar/config/lib/index.js");
export const { minimalChainConfig } = await load("@lodestar/config/lib/configs.js");
export const params = await load("@lodestar/params/lib/index.js");
export const transition = await load("@lodestar/state-transition/lib/index.js");
export const { initializeProposerLookahead } = await load(
  "@lodestar/state-transition/lib/util/fulu.js", // not exported
);
export const { ssz } = await load("@lodestar/types/lib/index.js");

export const BitArray = ssz.electra.CommitteeBits.defaultValue().constructor;
export const hex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;

// What the caller asked wrongly; answered with status 400.
export class Refused extends Error {}
