// The Beacon API, as far as validator clients and observers use it.

import { Refused, chainConfigToJson, hex, params, ssz, transition } from "./library.mjs";
import { NotFound, answer, root, text } from "./rest.mjs";

const VERSION = "phalanx-devnet/tier-b (Lodestar state transition 1.41.0)";
const { computeEpochAtSlot } = transition;

export function routesOf(chain, pools) {
  return {
    ...nodeRoutes(chain),
    ...stateRoutes(chain, pools),
    ...blockRoutes(chain, pools),
    ...dutyRoutes(chain, pools),
    ...poolRoutes(chain, pools),
  };
}

const fine = () => ({});

// Lists as they are posted; the limit is ours, far above what validators of a devnet have to say.
const MOST_ITEMS = 1024;
const ListType = ssz.phase0.Validators.constructor;
const listOf = (type) => new ListType(type, MOST_ITEMS);
const LISTS = {
  votes: listOf(ssz.electra.SingleAttestation),
  aggregates: listOf(ssz.electra.SignedAggregateAndProof),
  syncMessages: listOf(ssz.altair.SyncCommitteeMessage),
  contributions: listOf(ssz.altair.SignedContributionAndProof),
};

function nodeRoutes(chain) {
  return {
    "GET /eth/v1/node/version": () => ({ data: { version: VERSION } }),
    "GET /eth/v1/node/health": fine,
    "GET /eth/v1/node/peer_count": () => ({
      data: { disconnected: "0", connecting: "0", connected: "0", disconnecting: "0" },
    }),
    "GET /eth/v1/node/syncing": () => ({
      data: {
        head_slot: text(chain.head.slot),
        sync_distance: text(Math.max(0, chain.slotNow() - chain.head.slot)),
        is_syncing: false,
        is_optimistic: false,
        el_offline: false,
      },
    }),
    "GET /eth/v1/config/spec": () => ({
      data: {
        ...chainConfigToJson(chain.config),
        ...params.presetToJson(params.activePreset),
        ...CONSTANTS,
      },
    }),
    "GET /eth/v1/config/fork_schedule": () => ({
      data: [ssz.phase0.Fork.toJson(chain.head.state.fork.toValue())],
    }),
    "GET /eth/v1/beacon/genesis": () => ({
      data: {
        genesis_time: text(chain.head.state.genesisTime),
        genesis_validators_root: root(chain.head.state.genesisValidatorsRoot),
        genesis_fork_version: hex(chain.config.GENESIS_FORK_VERSION),
      },
    }),
  };
}

// Values of the specification that are neither preset nor configuration.
const CONSTANTS = Object.fromEntries(
  Object.entries({
    TARGET_AGGREGATORS_PER_COMMITTEE: params.TARGET_AGGREGATORS_PER_COMMITTEE,
    TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE: params.TARGET_AGGREGATORS_PER_SYNC_SUBCOMMITTEE,
    SYNC_COMMITTEE_SUBNET_COUNT: params.SYNC_COMMITTEE_SUBNET_COUNT,
  }).map(([name, value]) => [name, String(value)]),
);

function stateRoutes(chain, pools) {
  const state = ({ fields }) => {
    if (fields.state !== "head") throw new NotFound("only the head's state is kept");
    return chain.stateAt(chain.slotNow());
  };
  const validators = (request, ids) => {
    const found = state(request);
    const known = (id) =>
      id.startsWith("0x") ? found.epochCtx.getValidatorIndex(Buffer.from(id.slice(2), "hex")) : +id;
    const indices = ids?.length ? ids.map(known) : [...Array(found.validators.length).keys()];
    return {
      execution_optimistic: false,
      finalized: false,
      data: indices
        .filter((index) => index !== null && index < found.validators.length)
        .map((index) => validatorJson(found, index)),
    };
  };
  return {
    "GET /eth/v1/beacon/states/{state}/fork": (request) => ({
      data: ssz.phase0.Fork.toJson(state(request).fork.toValue()),
    }),
    "GET /eth/v1/beacon/states/{state}/finality_checkpoints": (request) => {
      const found = state(request);
      const json = (checkpoint) => ssz.phase0.Checkpoint.toJson(checkpoint.toValue());
      return {
        data: {
          previous_justified: json(found.previousJustifiedCheckpoint),
          current_justified: json(found.currentJustifiedCheckpoint),
          finalized: json(found.finalizedCheckpoint),
        },
      };
    },
    "GET /eth/v1/beacon/states/{state}/validators": (request) =>
      validators(request, request.query.getAll("id").flatMap((ids) => ids.split(","))),
    "POST /eth/v1/beacon/states/{state}/validators": (request) =>
      validators(request, request.json()?.ids),
    "POST /eth/v1/validator/liveness/{epoch}": (request) => {
      const live = pools.live.get(request.number("epoch")) ?? new Set();
      const data = request.json().map((index) => ({ index, is_live: live.has(Number(index)) }));
      return { data };
    },
  };
}

function validatorJson(state, index) {
  const validator = state.validators.getReadonly(index).toValue();
  const { epoch } = state.epochCtx;
  const status =
    epoch < validator.activationEpoch
      ? "pending_queued"
      : epoch >= validator.exitEpoch
        ? "exited_unslashed"
        : validator.slashed
          ? "active_slashed"
          : validator.exitEpoch === Infinity
            ? "active_ongoing"
            : "active_exiting";
  return {
    index: text(index),
    balance: text(state.balances.get(index)),
    status,
    validator: ssz.phase0.Validator.toJson(validator),
  };
}

function blockRoutes(chain, pools) {
  const find = ({ fields: { block } }) => {
    const found =
      block === "head"
        ? chain.head
        : block === "genesis"
          ? chain.blocks.find((each) => each.slot === 0)
          : chain.blocks.find((each) => hex(each.root) === block || String(each.slot) === block);
    if (!found) throw new NotFound(`no block ${block}`);
    return found;
  };
  const { fork, types } = chain;
  const publish = (request) => {
    const { signedBlock } = request.object(types.SignedBlockContents);
    chain.add(signedBlock);
  };
  return {
    "GET /eth/v1/beacon/blocks/{block}/root": (request) => ({
      execution_optimistic: false,
      data: { root: root(find(request).root) },
    }),
    "GET /eth/v1/beacon/headers/{block}": (request) => {
      const found = find(request);
      const message = ssz.phase0.BeaconBlockHeader.toJson(found.header);
      const signature = hex(found.signed?.signature ?? new Uint8Array(96));
      return { data: { root: root(found.root), canonical: true, header: { message, signature } } };
    },
    "GET /eth/v2/beacon/blocks/{block}": (request) => {
      const { signed: value, slot } = find(request);
      if (!value) throw new NotFound(`slot ${slot} is the genesis`);
      return answer(request, { fork, type: types.SignedBeaconBlock, value });
    },
    "POST /eth/v2/beacon/blocks": publish,
    "GET /eth/v3/validator/blocks/{slot}": (request) => {
      const graffiti = request.query.get("graffiti") ? request.data("graffiti") : new Uint8Array(32);
      const slot = request.number("slot");
      const proposer = chain.stateAt(slot).epochCtx.getBeaconProposer(slot);
      const block = chain.produce(slot, {
        randaoReveal: request.data("randao_reveal"),
        graffiti,
        feeRecipient: pools.feeRecipients.get(proposer) ?? new Uint8Array(20),
        pools,
      });
      const facts = {
        execution_payload_blinded: false,
        execution_payload_value: "0",
        consensus_block_value: "0",
      };
      const value = { block, kzgProofs: [], blobs: [] };
      return answer(request, { fork, type: types.BlockContents, value, facts });
    },
  };
}

function dutyRoutes(chain, pools) {
  // The state of the present epoch, for duties of it and of the next one.
  const stateFor = (epoch) => {
    const slot = Math.max(chain.slotNow(), chain.head.slot);
    const now = computeEpochAtSlot(slot);
    if (epoch < now || epoch > now + 1) throw new Refused(`epoch ${epoch} at epoch ${now}`);
    return chain.stateAt(slot);
  };
  const key = (state, index) => hex(state.validators.getReadonly(index).pubkey);
  const depending = (dependentRoot, data) => ({
    dependent_root: root(dependentRoot),
    execution_optimistic: false,
    data,
  });
  return {
    "POST /eth/v1/validator/duties/attester/{epoch}": (request) => {
      const epoch = request.number("epoch");
      const state = stateFor(epoch);
      const asked = request.json().map(Number);
      const duties = [...state.epochCtx.getCommitteeAssignments(epoch, asked).values()];
      return depending(
        chain.decisionRoot(epoch),
        duties.map((duty) => ({
          pubkey: key(state, duty.validatorIndex),
          validator_index: text(duty.validatorIndex),
          committee_index: text(duty.committeeIndex),
          committee_length: text(duty.committeeLength),
          committees_at_slot: text(duty.committeesAtSlot),
          validator_committee_index: text(duty.validatorCommitteeIndex),
          slot: text(duty.slot),
        })),
      );
    },
    "GET /eth/v1/validator/duties/proposer/{epoch}": (request) => {
      const epoch = request.number("epoch");
      const state = stateFor(epoch);
      const { epochCtx } = state;
      const proposers =
        epoch === epochCtx.epoch
          ? epochCtx.getBeaconProposers()
          : epochCtx.getBeaconProposersNextEpoch();
      return depending(
        chain.proposerDecisionRoot(epoch),
        [...proposers].map((index, at) => ({
          pubkey: key(state, index),
          validator_index: text(index),
          slot: text(epoch * params.SLOTS_PER_EPOCH + at),
        })),
      );
    },
    "POST /eth/v1/validator/duties/sync/{epoch}": (request) => {
      const epoch = request.number("epoch");
      const { epochCtx, validators } = stateFor(epoch);
      const { validatorIndexMap } = epochCtx.getIndexedSyncCommitteeAtEpoch(epoch);
      const data = request
        .json()
        .map(Number)
        .filter((index) => validatorIndexMap.has(index))
        .map((index) => ({
          pubkey: key({ validators }, index),
          validator_index: text(index),
          validator_sync_committee_indices: validatorIndexMap.get(index).map(text),
        }));
      return { execution_optimistic: false, data };
    },
    "POST /eth/v1/validator/prepare_beacon_proposer": (request) => {
      for (const { validator_index: index, fee_recipient: recipient } of request.json()) {
        if (Number(index) >= chain.head.state.validators.length) continue;
        pools.feeRecipients.set(Number(index), Buffer.from(recipient.slice(2), "hex"));
      }
    },
    "POST /eth/v1/validator/beacon_committee_subscriptions": fine,
    "POST /eth/v1/validator/sync_committee_subscriptions": fine,
    "POST /eth/v1/validator/register_validator": fine,
  };
}

function poolRoutes(chain, pools) {
  const { altair, electra, phase0 } = ssz;
  return {
    "GET /eth/v1/validator/attestation_data": (request) => ({
      data: phase0.AttestationData.toJson(chain.attestationData(request.number("slot"))),
    }),
    "POST /eth/v2/beacon/pool/attestations": (request) =>
      request.each(LISTS.votes, (vote) => pools.addVote(vote)),
    "GET /eth/v2/validator/aggregate_attestation": (request) => {
      const dataRoot = request.data("attestation_data_root");
      const found = pools.aggregateOf(dataRoot, request.number("committee_index"));
      if (!found) throw new NotFound("no attestation with this data is known");
      return answer(request, { fork: chain.fork, type: electra.Attestation, value: found });
    },
    "POST /eth/v2/validator/aggregate_and_proofs": (request) =>
      request.each(LISTS.aggregates, (signed) => pools.addAggregate(signed)),
    "POST /eth/v1/beacon/pool/sync_committees": (request) =>
      request.each(LISTS.syncMessages, (message) => pools.addSyncMessage(message)),
    "GET /eth/v1/validator/sync_committee_contribution": (request) => {
      const slot = request.number("slot");
      const subcommittee = request.number("subcommittee_index");
      const found = pools.contributionOf(slot, request.data("beacon_block_root"), subcommittee);
      if (!found) throw new NotFound("no sync message of this subcommittee is known");
      return { data: altair.SyncCommitteeContribution.toJson(found) };
    },
    "POST /eth/v1/validator/contribution_and_proofs": (request) =>
      request.each(LISTS.contributions, (signed) => pools.addContribution(signed)),
    "POST /eth/v1/beacon/pool/voluntary_exits": (request) =>
      pools.addExit(request.object(phase0.SignedVoluntaryExit)),
    "GET /eth/v1/beacon/pool/voluntary_exits": () => ({
      data: [...pools.exits.values()].map((signed) => phase0.SignedVoluntaryExit.toJson(signed)),
    }),
    // Not of the Beacon API: who has published how many, which no block tells.
    "GET /phalanx/v1/aggregators": () => ({
      data: { aggregates: counts(pools.aggregators), contributions: counts(pools.contributors) },
    }),
  };
}

const counts = (map) => Object.fromEntries([...map].map(([index, many]) => [index, text(many)]));
