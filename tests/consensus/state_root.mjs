// Prints the root of a fulu beacon state and of each of its fields, as JSON.
// Proves that the library and its native parts load; tests/toolchain/test_consensus.py redoes the
// last step of the hashing by itself and compares.

process.env.LODESTAR_PRESET = "minimal";
const { ssz } = await import("@lodestar/types");
const { interopSecretKey } = await import("@lodestar/state-transition");

const BeaconState = ssz.fulu.BeaconState;
const state = BeaconState.defaultViewDU();
state.slot = 40;
state.genesisTime = 1_700_000_000;
const pubkey = interopSecretKey(0).toPublicKey().toBytes();
state.validators.push(ssz.phase0.Validator.toViewDU({ ...ssz.phase0.Validator.defaultValue(), pubkey }));
state.balances.push(32_000_000_000);
state.commit();

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const value = state.toValue();
const fields = Object.entries(BeaconState.fields).map(([name, type]) => [
  name,
  hex(type.hashTreeRoot(value[name])),
]);
console.log(
  JSON.stringify({
    node: process.versions.node,
    root: hex(state.hashTreeRoot()),
    fields: Object.fromEntries(fields),
    pubkey: hex(pubkey),
  }),
);
