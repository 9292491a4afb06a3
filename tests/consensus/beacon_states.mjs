// Writes beacon states of electra and fulu, with block headers and what must be found in them.
// Usage: LODESTAR_PRESET=minimal node beacon_states.mjs FOLDER
//
// One small chain per fork: 64 validators, some of them in every stage of life, stepped through
// epochs by the library's own state transition. FOLDER gets NAME.state.ssz and NAME.header.ssz per
// snapshot; manifest.json names them, with roots, validators and who plays which role.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

const { createChainForkConfig, defaultChainConfig } = await import("@lodestar/config");
const params = await import("@lodestar/params");
const { ssz } = await import("@lodestar/types");
const transition = await import("@lodestar/state-transition");
const { processWithdrawals } = await import("@lodestar/state-transition/block");

const folder = process.argv[2];
const ETH = 1_000_000_000;
const VALIDATORS = 64;
const FAR_FUTURE = Infinity;
const FULL_PARTICIPATION = 7;
const ROLES = {
  ordinary: 0,
  consolidation_source: 5,
  consolidation_target: 6,
  partially_withdrawn: 7,
  withdrawn: 8,
  slashed: 9,
  hysteresis: 10,
  last: VALIDATORS - 1,
  deposited: VALIDATORS, // its deposit is pending in the first snapshot
};
// Balance of the validator on the threshold before each epoch transition, and its effective balance after.
// Downwards it changes below minus 0.25, upwards above plus 1.25.
const OSCILLATION = [
  { balance: 32.8, effective: 33 },
  { balance: 32.7, effective: 32 },
  { balance: 33.2, effective: 32 },
  { balance: 33.3, effective: 33 },
];

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (length, seed) => Uint8Array.from({ length }, (_, at) => (at * 7 + seed * 31 + 1) % 256);
const secretKey = (index) => transition.interopSecretKey(index);
const publicKey = (index) => secretKey(index).toPublicKey().toBytes();

function credentials(prefix, seed) {
  const made = new Uint8Array(32);
  made[0] = prefix;
  made.set(bytes(20, seed), 12);
  return made;
}

function validator(index) {
  const compounding = ["consolidation_target", "partially_withdrawn", "hysteresis"];
  const plain = {
    pubkey: publicKey(index),
    withdrawalCredentials: credentials(
      compounding.some((role) => ROLES[role] === index) ? 2 : 1,
      index,
    ),
    effectiveBalance: 32 * ETH,
    slashed: false,
    activationEligibilityEpoch: 0,
    activationEpoch: 0,
    exitEpoch: FAR_FUTURE,
    withdrawableEpoch: FAR_FUTURE,
  };
  switch (index) {
    case ROLES.consolidation_source:
      return { ...plain, exitEpoch: 0, withdrawableEpoch: 1 };
    case ROLES.partially_withdrawn:
      return { ...plain, effectiveBalance: 40 * ETH };
    case ROLES.withdrawn:
      return { ...plain, exitEpoch: 0, withdrawableEpoch: 0 };
    case ROLES.slashed: // half of its time is over in epoch 1, so the correlation penalty is due there
      return {
        ...plain,
        slashed: true,
        exitEpoch: 0,
        withdrawableEpoch: params.EPOCHS_PER_SLASHINGS_VECTOR / 2 + 1,
      };
    case ROLES.hysteresis:
      return { ...plain, effectiveBalance: 33 * ETH };
    default:
      return plain;
  }
}

function pendingDeposit(config, index) {
  const message = {
    pubkey: publicKey(index),
    withdrawalCredentials: credentials(1, index),
    amount: 32 * ETH,
  };
  const domain = transition.computeDomain(
    params.DOMAIN_DEPOSIT,
    config.GENESIS_FORK_VERSION,
    transition.ZERO_HASH,
  );
  const root = transition.computeSigningRoot(ssz.phase0.DepositMessage, message, domain);
  return { ...message, signature: secretKey(index).sign(root).toBytes(), slot: 0 };
}

function chainConfig(fork) {
  return createChainForkConfig({
    ...defaultChainConfig,
    ALTAIR_FORK_EPOCH: 0,
    BELLATRIX_FORK_EPOCH: 0,
    CAPELLA_FORK_EPOCH: 0,
    DENEB_FORK_EPOCH: 0,
    ELECTRA_FORK_EPOCH: 0,
    FULU_FORK_EPOCH: fork === "fulu" ? 0 : FAR_FUTURE,
    GLOAS_FORK_EPOCH: FAR_FUTURE,
  });
}

function firstState(fork, config) {
  const validators = Array.from({ length: VALIDATORS }, (_, index) => validator(index));
  const committee = {
    pubkeys: Array.from({ length: params.SYNC_COMMITTEE_SIZE }, (_, at) => publicKey(at % VALIDATORS)),
    aggregatePubkey: publicKey(0),
  };
  const value = {
    ...ssz[fork].BeaconState.defaultValue(),
    genesisTime: 1_700_000_000,
    genesisValidatorsRoot: bytes(32, 1),
    fork: {
      previousVersion: config.DENEB_FORK_VERSION,
      currentVersion: fork === "fulu" ? config.FULU_FORK_VERSION : config.ELECTRA_FORK_VERSION,
      epoch: 0,
    },
    eth1Data: { depositRoot: bytes(32, 2), depositCount: VALIDATORS, blockHash: bytes(32, 3) },
    eth1DepositIndex: VALIDATORS,
    randaoMixes: Array.from({ length: params.EPOCHS_PER_HISTORICAL_VECTOR }, (_, at) => bytes(32, at)),
    validators,
    balances: validators.map((each) => each.effectiveBalance),
    inactivityScores: validators.map(() => 0),
    previousEpochParticipation: validators.map(() => FULL_PARTICIPATION),
    currentEpochParticipation: validators.map(() => FULL_PARTICIPATION),
    currentSyncCommittee: committee,
    nextSyncCommittee: committee,
    pendingDeposits: [pendingDeposit(config, ROLES.deposited)],
    pendingPartialWithdrawals: [
      { validatorIndex: ROLES.partially_withdrawn, amount: BigInt(5 * ETH), withdrawableEpoch: 0 },
    ],
    pendingConsolidations: [
      { sourceIndex: ROLES.consolidation_source, targetIndex: ROLES.consolidation_target },
    ],
  };
  value.slashings[0] = value.slashings[0].constructor(320 * ETH); // number or BigInt, as the type says
  const state = ssz[fork].BeaconState.toViewDU(value);
  state.commit();
  return transition.createCachedBeaconState(
    state,
    transition.createEmptyEpochCacheImmutableData(config, state),
    { skipSyncCommitteeCache: true },
  );
}

// Withdraws what is due, as a block would, then steps over the next epoch boundary.
function nextEpoch(fork, state, balance) {
  const before = state.clone();
  const seq = params.ForkSeq[fork];
  const { expectedWithdrawals } = transition.getExpectedWithdrawals(seq, before);
  processWithdrawals(seq, before, { withdrawals: expectedWithdrawals });
  for (let index = 0; index < before.validators.length; index++) {
    before.previousEpochParticipation.set(index, FULL_PARTICIPATION);
    before.currentEpochParticipation.set(index, FULL_PARTICIPATION);
  }
  before.balances.set(ROLES.hysteresis, Math.round(balance * ETH));
  before.commit();
  const epoch = Math.floor(before.slot / params.SLOTS_PER_EPOCH) + 1;
  return transition.processSlots(before, epoch * params.SLOTS_PER_EPOCH);
}

// A state no chain was in: every list that the steps leave empty holds something.
function filled(fork, state) {
  const value = state.toValue();
  const root = (seed) => bytes(32, seed);
  value.historicalRoots = [1, 2, 3].map(root);
  value.eth1DataVotes = [4, 5, 6].map((seed) => ({
    depositRoot: root(seed),
    depositCount: seed,
    blockHash: root(seed + 10),
  }));
  value.historicalSummaries = [7, 8].map((seed) => ({
    blockSummaryRoot: root(seed),
    stateSummaryRoot: root(seed + 10),
  }));
  value.inactivityScores = value.inactivityScores.map((_, index) => index * 3);
  value.latestExecutionPayloadHeader = {
    ...value.latestExecutionPayloadHeader,
    feeRecipient: bytes(20, 20),
    logsBloom: bytes(256, 21),
    extraData: bytes(13, 22),
    baseFeePerGas: 2n ** 200n + 7n,
    blockNumber: 12_345,
  };
  value.pendingDeposits = [23, 24, 25].map((seed) => ({
    pubkey: bytes(48, seed),
    withdrawalCredentials: root(seed),
    amount: seed * ETH,
    signature: bytes(96, seed),
    slot: seed,
  }));
  value.pendingPartialWithdrawals = [26, 27, 28].map((seed) => ({
    validatorIndex: seed,
    amount: BigInt(seed),
    withdrawableEpoch: seed,
  }));
  value.pendingConsolidations = [{ sourceIndex: 29, targetIndex: 30 }];
  return ssz[fork].BeaconState.toViewDU(value);
}

function epochText(epoch) {
  return (epoch === FAR_FUTURE ? 2n ** 64n - 1n : BigInt(epoch)).toString();
}

function describe(state, index) {
  const found = state.validators.getReadonly(index);
  return {
    publicKey: hex(found.pubkey),
    withdrawalCredentials: hex(found.withdrawalCredentials),
    effectiveBalanceGwei: String(found.effectiveBalance),
    slashed: found.slashed,
    activationEligibilityEpoch: epochText(found.activationEligibilityEpoch),
    activationEpoch: epochText(found.activationEpoch),
    exitEpoch: epochText(found.exitEpoch),
    withdrawableEpoch: epochText(found.withdrawableEpoch),
  };
}

function write(fork, step, state) {
  const type = ssz[fork].BeaconState;
  const value = state.toValue();
  const stateRoot = type.hashTreeRoot(value);
  const header = {
    slot: value.slot,
    proposerIndex: 3,
    parentRoot: bytes(32, 40),
    stateRoot,
    bodyRoot: bytes(32, 41),
  };
  const name = `${fork}-${step}`;
  writeFileSync(join(folder, `${name}.state.ssz`), type.serialize(value));
  writeFileSync(
    join(folder, `${name}.header.ssz`),
    ssz.phase0.BeaconBlockHeader.serialize(header),
  );
  return {
    name,
    fork,
    step,
    slot: value.slot,
    stateRoot: hex(stateRoot),
    beaconRoot: hex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)),
    fieldRoots: Object.entries(type.fields).map(([field, shape]) => hex(shape.hashTreeRoot(value[field]))),
    validators: value.validators.map((_, index) => describe(state, index)),
  };
}

const snapshots = [];
for (const fork of ["electra", "fulu"]) {
  let state = firstState(fork, chainConfig(fork));
  snapshots.push(write(fork, "start", state));
  for (const [step, { balance }] of OSCILLATION.entries()) {
    state = nextEpoch(fork, state, balance);
    snapshots.push(write(fork, `epoch${step + 1}`, state));
  }
  snapshots.push(write(fork, "filled", filled(fork, state)));
}
writeFileSync(
  join(folder, "manifest.json"),
  JSON.stringify({
    preset: params.ACTIVE_PRESET,
    depositedKey: hex(publicKey(ROLES.deposited)),
    roles: ROLES,
    oscillation: OSCILLATION.map(({ effective }) => String(effective * ETH)),
    snapshots,
  }),
);
