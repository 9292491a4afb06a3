// The first state of a chain that starts at electra or fulu, with interop validators.

import {
  createBeaconConfig,
  initializeProposerLookahead,
  minimalChainConfig,
  params,
  ssz,
  transition,
} from "./library.mjs";

const ETH = 1_000_000_000;
const STAKE = 32 * ETH;
const NEVER = Infinity;
const NO_DEPOSIT_REQUESTS = 2n ** 64n - 1n;
const GENESIS_PAYLOAD_HASH = new Uint8Array(32).fill(0x0b);

function chainConfig(fork, slotSeconds) {
  return {
    ...minimalChainConfig,
    CONFIG_NAME: "phalanx-devnet",
    SECONDS_PER_SLOT: slotSeconds,
    SLOT_DURATION_MS: slotSeconds * 1000,
    SHARD_COMMITTEE_PERIOD: 0, // validators may exit from the first epoch on
    ALTAIR_FORK_EPOCH: 0,
    BELLATRIX_FORK_EPOCH: 0,
    CAPELLA_FORK_EPOCH: 0,
    DENEB_FORK_EPOCH: 0,
    ELECTRA_FORK_EPOCH: 0,
    FULU_FORK_EPOCH: fork === "fulu" ? 0 : NEVER,
    GLOAS_FORK_EPOCH: NEVER,
  };
}

function validator(index) {
  const withdrawalCredentials = new Uint8Array(32);
  withdrawalCredentials[0] = 1;
  withdrawalCredentials[31] = index % 256;
  return {
    pubkey: transition.interopSecretKey(index).toPublicKey().toBytes(),
    withdrawalCredentials,
    effectiveBalance: STAKE,
    slashed: false,
    activationEligibilityEpoch: 0,
    activationEpoch: 0,
    exitEpoch: NEVER,
    withdrawableEpoch: NEVER,
  };
}

function firstValue(fork, config, genesisTime, validators) {
  const type = ssz[fork];
  const none = validators.map(() => 0);
  return {
    ...type.BeaconState.defaultValue(),
    genesisTime,
    genesisValidatorsRoot: ssz.phase0.Validators.hashTreeRoot(validators),
    fork: {
      previousVersion: fork === "fulu" ? config.ELECTRA_FORK_VERSION : config.DENEB_FORK_VERSION,
      currentVersion: fork === "fulu" ? config.FULU_FORK_VERSION : config.ELECTRA_FORK_VERSION,
      epoch: 0,
    },
    latestBlockHeader: {
      ...ssz.phase0.BeaconBlockHeader.defaultValue(),
      bodyRoot: type.BeaconBlockBody.hashTreeRoot(type.BeaconBlockBody.defaultValue()),
    },
    eth1Data: {
      ...ssz.phase0.Eth1Data.defaultValue(),
      depositCount: validators.length,
    },
    eth1DepositIndex: validators.length,
    randaoMixes: Array.from({ length: params.EPOCHS_PER_HISTORICAL_VECTOR }, () =>
      new Uint8Array(32).fill(1),
    ),
    validators,
    balances: validators.map((each) => each.effectiveBalance),
    inactivityScores: none,
    previousEpochParticipation: none,
    currentEpochParticipation: none,
    latestExecutionPayloadHeader: {
      ...type.ExecutionPayloadHeader.defaultValue(),
      blockHash: GENESIS_PAYLOAD_HASH,
    },
    depositRequestsStartIndex: NO_DEPOSIT_REQUESTS,
  };
}

function cached(config, state, options) {
  state.commit();
  const immutable = transition.createEmptyEpochCacheImmutableData(config, state);
  return transition.createCachedBeaconState(state, immutable, options);
}

// Returns { config, state }: the chain's configuration and its state at slot 0.
export function genesis({ fork, genesisTime, slotSeconds, validators: count }) {
  const validators = Array.from({ length: count }, (_, index) => validator(index));
  const chain = chainConfig(fork, slotSeconds);
  const value = firstValue(fork, chain, genesisTime, validators);
  const config = createBeaconConfig(chain, value.genesisValidatorsRoot);
  const view = ssz[fork].BeaconState.toViewDU(value);
  const { syncCommittee } = transition.getNextSyncCommittee(
    params.ForkSeq[fork],
    view,
    Uint32Array.from(validators.keys()),
    Uint16Array.from(validators, (each) => each.effectiveBalance / ETH),
  );
  view.currentSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee);
  view.nextSyncCommittee = ssz.altair.SyncCommittee.toViewDU(syncCommittee);
  if (fork === "fulu") {
    view.commit(); // a clone does not see what is not
    const lookahead = initializeProposerLookahead(
      cached(config, view.clone(), { skipSyncCommitteeCache: true }),
    );
    view.proposerLookahead = ssz.fulu.ProposerLookahead.toViewDU(lookahead);
  }
  return { config, state: cached(config, view) };
}
