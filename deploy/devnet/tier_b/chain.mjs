// A chain without forks: every block is judged by Lodestar's state transition, signatures included,
// and must stand on the newest one. There is no fork choice and there are no reorganisations.

import { EventEmitter } from "node:events";
import { randomBytes } from "node:crypto";
import { Refused, hex, params, ssz, transition } from "./library.mjs";

const MOST_BLOCKS = 8192; // kept for questions; at two seconds a slot that is half a day
const GAS_LIMIT = 30_000_000;
const VALID = {
  executionPayloadStatus: transition.ExecutionPayloadStatus.valid, // nobody executes payloads
  dataAvailabilityStatus: transition.DataAvailabilityStatus.Available,
};
const EVERYTHING = { verifyStateRoot: true, verifyProposer: true, verifySignatures: true };
const NOTHING = { verifyStateRoot: false, verifyProposer: false, verifySignatures: false };

// Emits "head" with { slot, root, stateRoot, isNewEpoch } and "finalized" with a checkpoint.
export class Chain extends EventEmitter {
  constructor({ config, state, fork }) {
    super();
    this.config = config;
    this.fork = fork;
    this.types = ssz[fork];
    const header = state.latestBlockHeader.toValue();
    header.stateRoot = state.hashTreeRoot();
    this.genesisRoot = ssz.phase0.BeaconBlockHeader.hashTreeRoot(header);
    this.head = { slot: 0, root: this.genesisRoot, header, state };
    this.blocks = [this.head]; // ascending by slot; the first has no `signed`
  }

  get slotMs() {
    return this.config.SLOT_DURATION_MS;
  }

  get genesisMs() {
    return this.head.state.genesisTime * 1000;
  }

  // The slot by the clock; 0 before genesis.
  slotNow() {
    return Math.max(0, Math.floor((Date.now() - this.genesisMs) / this.slotMs));
  }

  // The head's state brought forward to a slot, as a block of that slot finds it.
  stateAt(slot) {
    if (slot <= this.head.state.slot) return this.head.state;
    if (this.prepared?.slot !== slot || this.preparedOn !== this.head) {
      this.prepared = transition.processSlots(this.head.state, slot);
      this.preparedOn = this.head;
    }
    return this.prepared;
  }

  // The newest block at the slot or before it, null if it is no longer kept.
  blockAt(slot) {
    return this.blocks.findLast((block) => block.slot <= slot) ?? null;
  }

  // The block on which the shuffling of an epoch depends: the last one before the epoch before.
  decisionRoot(epoch) {
    const slot = (epoch - 1) * params.SLOTS_PER_EPOCH - 1;
    return slot < 0 ? this.genesisRoot : (this.blockAt(slot)?.root ?? this.genesisRoot);
  }

  // The proposers of an epoch depend on the same block in fulu, and on an epoch's more before.
  proposerDecisionRoot(epoch) {
    return this.decisionRoot(this.fork === "fulu" ? epoch : epoch + 1);
  }

  attestationData(slot) {
    const now = this.slotNow();
    if (slot > now || slot < this.head.slot) {
      throw new Refused(`attestation data of slot ${slot} at slot ${now}, head ${this.head.slot}`);
    }
    const epoch = transition.computeEpochAtSlot(slot);
    return {
      slot,
      index: 0, // from electra on the committee is named outside of what is signed
      beaconBlockRoot: this.head.root,
      source: this.stateAt(slot).currentJustifiedCheckpoint.toValue(),
      target: { epoch, root: this.blockAt(epoch * params.SLOTS_PER_EPOCH).root },
    };
  }

  // A block for the proposer to sign, holding what the pools have for it.
  produce(slot, { randaoReveal, graffiti, feeRecipient, pools }) {
    if (slot <= this.head.slot || slot > this.slotNow()) {
      throw new Refused(`a block of slot ${slot} at slot ${this.slotNow()}, head ${this.head.slot}`);
    }
    const state = this.stateAt(slot);
    const body = {
      ...this.types.BeaconBlockBody.defaultValue(),
      randaoReveal,
      graffiti,
      eth1Data: state.eth1Data.toValue(),
      attestations: pools.attestationsFor(state),
      voluntaryExits: pools.exitsFor(state),
      syncAggregate: pools.syncAggregateFor(slot - 1, this.head.root),
      executionPayload: this.#payload(state, feeRecipient),
    };
    const message = {
      slot,
      proposerIndex: state.epochCtx.getBeaconProposer(slot),
      parentRoot: this.head.root,
      stateRoot: new Uint8Array(32),
      body,
    };
    const signed = { message, signature: new Uint8Array(96) };
    const after = transition.stateTransition(this.head.state, signed, { ...VALID, ...NOTHING });
    message.stateRoot = after.hashTreeRoot();
    return message;
  }

  // Judge a signed block and make it the head.
  add(signed) {
    const { message } = signed;
    const root = this.types.BeaconBlock.hashTreeRoot(message);
    if (Buffer.compare(root, this.head.root) === 0) return; // published twice
    if (message.slot > this.slotNow()) throw new Refused(`slot ${message.slot} is in the future`);
    if (Buffer.compare(message.parentRoot, this.head.root) !== 0) {
      throw new Refused(`the block of slot ${message.slot} does not stand on the head`);
    }
    let state;
    try {
      state = transition.stateTransition(this.head.state, signed, { ...VALID, ...EVERYTHING });
    } catch (problem) {
      throw new Refused(`the block of slot ${message.slot} is invalid: ${problem.message}`);
    }
    const before = this.head;
    const header = transition.blockToHeader(this.config, message);
    this.head = { slot: message.slot, root, header, state, signed };
    delete before.state; // only the newest one is ever needed
    this.blocks.push(this.head);
    if (this.blocks.length > MOST_BLOCKS) this.blocks.shift();
    this.#tell(before, header, root);
  }

  #tell(before, header, root) {
    const epoch = transition.computeEpochAtSlot(header.slot);
    this.emit("head", {
      slot: header.slot,
      root,
      stateRoot: header.stateRoot,
      isNewEpoch: epoch > transition.computeEpochAtSlot(before.slot),
    });
    const finalized = this.head.state.finalizedCheckpoint.toValue();
    if (finalized.epoch > (this.finalizedEpoch ?? 0)) {
      this.finalizedEpoch = finalized.epoch;
      this.emit("finalized", { ...finalized, stateRoot: header.stateRoot });
    }
  }

  #payload(state, feeRecipient) {
    const { expectedWithdrawals } = transition.getExpectedWithdrawals(
      params.ForkSeq[this.fork],
      state,
    );
    const parent = state.latestExecutionPayloadHeader;
    return {
      ...this.types.ExecutionPayload.defaultValue(),
      parentHash: parent.blockHash,
      feeRecipient,
      prevRandao: transition.getRandaoMix(state, state.epochCtx.epoch),
      blockNumber: parent.blockNumber + 1,
      gasLimit: GAS_LIMIT,
      timestamp: transition.computeTimeAtSlot(this.config, state.slot, state.genesisTime),
      blockHash: Uint8Array.from(randomBytes(32)),
      withdrawals: expectedWithdrawals,
    };
  }
}
