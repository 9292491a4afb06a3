// What waits to be put in a block. Single votes reach blocks only through somebody's aggregate, and
// sync messages only through somebody's contribution, as on a real network.

import { BitArray, Refused, hex, params, ssz, transition } from "./library.mjs";
import { aggregate, check, signingRoot } from "./signatures.mjs";

const KEPT_SLOTS = 2 * params.SLOTS_PER_EPOCH; // no block may hold an older attestation
const SUBCOMMITTEE = params.SYNC_COMMITTEE_SIZE / params.SYNC_COMMITTEE_SUBNET_COUNT;
const MAX_CLIENT_EXITS = 64; // waiting at once; as many as the devnet has validators
const { AttestationData } = ssz.phase0;

const isDisjoint = (one, other) => one.every((position) => !other.includes(position));

export class Pools {
  constructor(chain) {
    this.chain = chain;
    this.votes = new Map(); // `root/committee` → { data, committee, size, signatures by position }
    this.aggregates = new Map(); // same keys → { data, committee, size, positions, signature }
    this.onChain = new Set(); // `root/committee/position`
    this.messages = new Map(); // `slot/root` → signatures by position in the sync committee
    this.contributions = new Map(); // `slot/root/subcommittee` → { positions, signature }
    this.feeRecipients = new Map(); // proposer → address
    this.exits = new Map(); // validator → signed exit
    this.live = new Map(); // epoch → validators that attested
    this.aggregators = new Map(); // validator → how many aggregates it published
    this.contributors = new Map(); // validator → how many contributions it published
    chain.on("head", ({ slot }) => this.#prune(slot));
  }

  // --- attestations ---

  addVote({ committeeIndex, attesterIndex, data, signature }) {
    const { chain } = this;
    this.#requireCurrent("attestation", data.slot);
    const members = this.#committee(data.slot, committeeIndex);
    const position = members.indexOf(attesterIndex);
    const what = `attestation of ${attesterIndex} at slot ${data.slot}`;
    if (position < 0) throw new Refused(`${what}: it is not in committee ${committeeIndex}`);
    if (data.index !== 0) throw new Refused(`${what}: data.index is not 0`);
    this.#requireKnown(what, data);
    const root = signingRoot(chain, AttestationData, data, params.DOMAIN_BEACON_ATTESTER, data.slot);
    check(chain, what, [attesterIndex], root, signature);
    const key = `${hex(AttestationData.hashTreeRoot(data))}/${committeeIndex}`;
    const entry = this.votes.get(key) ?? {
      data,
      committee: committeeIndex,
      size: members.length,
      signatures: new Map(),
    };
    this.votes.set(key, entry);
    entry.signatures.set(position, signature);
    this.#sawAlive(data.target.epoch, attesterIndex);
  }

  // The attestation of all votes for this data by one committee, null if there are none.
  aggregateOf(dataRoot, committee) {
    const entry = this.votes.get(`${hex(dataRoot)}/${committee}`);
    if (!entry) return null;
    const positions = [...entry.signatures.keys()].sort((a, b) => a - b);
    const signature = aggregate(positions.map((position) => entry.signatures.get(position)));
    return attestation(entry.data, [{ ...entry, positions, signature }]);
  }

  addAggregate({ message, signature }) {
    const { chain } = this;
    const { aggregatorIndex, aggregate: offered, selectionProof } = message;
    const { data } = offered;
    const what = `aggregate by ${aggregatorIndex} at slot ${data.slot}`;
    this.#requireCurrent(what, data.slot);
    this.#requireKnown(what, data);
    const committees = offered.committeeBits.getTrueBitIndexes();
    if (committees.length !== 1) throw new Refused(`${what}: it names ${committees.length} committees`);
    const members = this.#committee(data.slot, committees[0]);
    if (!members.includes(aggregatorIndex)) throw new Refused(`${what}: it is not in the committee`);
    if (!chain.head.state.epochCtx.isAggregator(data.slot, committees[0], selectionProof)) {
      throw new Refused(`${what}: it is not selected`);
    }
    const sign = (type, value, domain) => signingRoot(chain, type, value, domain, data.slot);
    const selection = sign(ssz.Slot, data.slot, params.DOMAIN_SELECTION_PROOF);
    check(chain, `${what}, selection`, [aggregatorIndex], selection, selectionProof);
    const whole = sign(ssz.electra.AggregateAndProof, message, params.DOMAIN_AGGREGATE_AND_PROOF);
    check(chain, what, [aggregatorIndex], whole, signature);
    const positions = offered.aggregationBits.getTrueBitIndexes();
    const root = sign(AttestationData, data, params.DOMAIN_BEACON_ATTESTER);
    const attesters = positions.map((position) => members[position]);
    check(chain, `${what}, votes`, attesters, root, offered.signature);
    this.#keepAggregate(data, committees[0], members.length, positions, offered.signature);
    count(this.aggregators, aggregatorIndex);
  }

  #keepAggregate(data, committee, size, positions, signature) {
    const key = `${hex(AttestationData.hashTreeRoot(data))}/${committee}`;
    const known = this.aggregates.get(key);
    const found = { data, committee, size, positions, signature };
    if (known && isDisjoint(known.positions, positions)) {
      found.positions = [...known.positions, ...positions];
      found.signature = aggregate([known.signature, signature]);
    }
    if (!known || found.positions.length > known.positions.length) this.aggregates.set(key, found);
  }

  // Attestations for a block on this state, newest first, as many as fit.
  attestationsFor(state) {
    const epoch = transition.computeEpochAtSlot(state.slot);
    const groups = new Map();
    for (const [key, entry] of this.aggregates) {
      const { data, positions } = entry;
      const isCurrent = data.target.epoch === epoch;
      const source = isCurrent ? state.currentJustifiedCheckpoint : state.previousJustifiedCheckpoint;
      const isPossible =
        data.slot < state.slot &&
        data.target.epoch >= epoch - 1 &&
        data.source.epoch === source.epoch &&
        positions.some((position) => !this.onChain.has(`${key}/${position}`));
      if (!isPossible) continue;
      const root = key.split("/")[0];
      groups.set(root, [...(groups.get(root) ?? []), entry]);
    }
    return [...groups.values()]
      .sort((a, b) => b[0].data.slot - a[0].data.slot)
      .slice(0, params.MAX_ATTESTATIONS_ELECTRA)
      .map((entries) => attestation(entries[0].data, entries));
  }

  // --- sync committee ---

  addSyncMessage({ slot, beaconBlockRoot, validatorIndex, signature }) {
    const { chain } = this;
    const what = `sync message of ${validatorIndex} at slot ${slot}`;
    this.#requireCurrent(what, slot);
    const positions = this.#syncPositions(slot).get(validatorIndex);
    if (!positions) throw new Refused(`${what}: it is not in the sync committee`);
    const root = signingRoot(chain, ssz.Root, beaconBlockRoot, params.DOMAIN_SYNC_COMMITTEE, slot);
    check(chain, what, [validatorIndex], root, signature);
    const key = `${slot}/${hex(beaconBlockRoot)}`;
    const entry = this.messages.get(key) ?? new Map();
    this.messages.set(key, entry);
    for (const position of positions) entry.set(position, signature);
  }

  // The contribution of a subcommittee, null if none of its members said anything.
  contributionOf(slot, beaconBlockRoot, subcommitteeIndex) {
    const said = this.messages.get(`${slot}/${hex(beaconBlockRoot)}`) ?? new Map();
    const first = subcommitteeIndex * SUBCOMMITTEE;
    const bits = Array.from({ length: SUBCOMMITTEE }, (_, at) => said.has(first + at));
    const signatures = bits.flatMap((bit, at) => (bit ? [said.get(first + at)] : []));
    if (!signatures.length) return null;
    return {
      slot,
      beaconBlockRoot,
      subcommitteeIndex,
      aggregationBits: BitArray.fromBoolArray(bits),
      signature: aggregate(signatures),
    };
  }

  addContribution({ message, signature }) {
    const { chain } = this;
    const { aggregatorIndex, contribution, selectionProof } = message;
    const { slot, beaconBlockRoot, subcommitteeIndex } = contribution;
    const what = `contribution by ${aggregatorIndex} at slot ${slot}`;
    this.#requireCurrent(what, slot);
    const own = this.#syncPositions(slot).get(aggregatorIndex) ?? [];
    if (!own.some((at) => Math.floor(at / SUBCOMMITTEE) === subcommitteeIndex)) {
      throw new Refused(`${what}: it is not in subcommittee ${subcommitteeIndex}`);
    }
    if (!transition.isSyncCommitteeAggregator(selectionProof)) {
      throw new Refused(`${what}: it is not selected`);
    }
    const sign = (type, value, domain) => signingRoot(chain, type, value, domain, slot);
    const selected = sign(
      ssz.altair.SyncAggregatorSelectionData,
      { slot, subcommitteeIndex },
      params.DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF,
    );
    check(chain, `${what}, selection`, [aggregatorIndex], selected, selectionProof);
    const { ContributionAndProof } = ssz.altair;
    const whole = sign(ContributionAndProof, message, params.DOMAIN_CONTRIBUTION_AND_PROOF);
    check(chain, what, [aggregatorIndex], whole, signature);
    const positions = contribution.aggregationBits
      .getTrueBitIndexes()
      .map((at) => at + subcommitteeIndex * SUBCOMMITTEE);
    const members = this.#syncCommittee(slot).validatorIndices;
    const signers = positions.map((position) => members[position]);
    const root = sign(ssz.Root, beaconBlockRoot, params.DOMAIN_SYNC_COMMITTEE);
    check(chain, `${what}, messages`, signers, root, contribution.signature);
    const key = `${slot}/${hex(beaconBlockRoot)}/${subcommitteeIndex}`;
    if (positions.length > (this.contributions.get(key)?.positions.length ?? 0)) {
      this.contributions.set(key, { positions, signature: contribution.signature });
    }
    count(this.contributors, aggregatorIndex);
  }

  // Everything contributed about a block at a slot.
  syncAggregateFor(slot, beaconBlockRoot) {
    const parts = Array.from({ length: params.SYNC_COMMITTEE_SUBNET_COUNT }, (_, subcommittee) =>
      this.contributions.get(`${slot}/${hex(beaconBlockRoot)}/${subcommittee}`),
    ).filter(Boolean);
    const positions = parts.flatMap((part) => part.positions);
    const bits = Array.from({ length: params.SYNC_COMMITTEE_SIZE }, (_, at) => positions.includes(at));
    return {
      syncCommitteeBits: BitArray.fromBoolArray(bits),
      syncCommitteeSignature: aggregate(parts.map((part) => part.signature)),
    };
  }

  // --- exits ---

  addExit(signed) {
    const { validatorIndex } = signed.message;
    const state = this.chain.stateAt(this.chain.slotNow());
    if (!transition.isValidVoluntaryExit(params.ForkSeq[this.chain.fork], state, signed, true)) {
      throw new Refused(`the exit of validator ${validatorIndex} is not valid`);
    }
    if (this.exits.size >= MAX_CLIENT_EXITS) throw new Refused("too many exits are waiting");
    this.exits.set(validatorIndex, signed);
  }

  exitsFor(state) {
    const fork = params.ForkSeq[this.chain.fork];
    return [...this.exits.values()]
      .filter((signed) => transition.isValidVoluntaryExit(fork, state, signed, false))
      .slice(0, params.MAX_VOLUNTARY_EXITS);
  }

  // --- what all need ---

  #committee(slot, index) {
    const { epochCtx } = this.chain.stateAt(slot);
    const epoch = transition.computeEpochAtSlot(slot);
    if (index >= epochCtx.getCommitteeCountPerSlot(epoch)) {
      throw new Refused(`slot ${slot} has no committee ${index}`);
    }
    return [...epochCtx.getBeaconCommittee(slot, index)];
  }

  // Messages of a slot are judged by the committee of the block that may include them.
  #syncCommittee(slot) {
    const epoch = transition.computeEpochAtSlot(slot + 1);
    return this.chain.stateAt(slot).epochCtx.getIndexedSyncCommitteeAtEpoch(epoch);
  }

  #syncPositions(slot) {
    return this.#syncCommittee(slot).validatorIndexMap;
  }

  #requireCurrent(what, slot) {
    const now = this.chain.slotNow();
    if (slot > now || slot < now - params.SLOTS_PER_EPOCH) {
      throw new Refused(`${what}: slot ${slot} at slot ${now}`);
    }
  }

  #requireKnown(what, data) {
    const root = hex(data.beaconBlockRoot);
    const isKnown = this.chain.blocks.some((block) => hex(block.root) === root);
    if (!isKnown) throw new Refused(`${what}: block ${root} is unknown`);
  }

  #sawAlive(epoch, validator) {
    this.live.set(epoch, (this.live.get(epoch) ?? new Set()).add(validator));
    for (const old of this.live.keys()) if (old < epoch - 3) this.live.delete(old);
  }

  #prune(slot) {
    const { body } = this.chain.head.signed.message;
    for (const included of body.attestations) this.#note(included);
    for (const { message } of body.voluntaryExits) this.exits.delete(message.validatorIndex);
    const oldest = slot - KEPT_SLOTS;
    for (const pool of [this.votes, this.aggregates]) {
      for (const [key, { data, size }] of pool) {
        if (data.slot >= oldest) continue;
        pool.delete(key);
        for (let at = 0; at < size; at++) this.onChain.delete(`${key}/${at}`);
      }
    }
    for (const pool of [this.messages, this.contributions]) {
      for (const key of pool.keys()) if (Number(key.split("/")[0]) < oldest) pool.delete(key);
    }
  }

  #note({ data, committeeBits, aggregationBits }) {
    const root = hex(AttestationData.hashTreeRoot(data));
    let first = 0;
    for (const committee of committeeBits.getTrueBitIndexes()) {
      const members = this.#committee(data.slot, committee);
      for (const [position, validator] of members.entries()) {
        if (!aggregationBits.get(first + position)) continue;
        this.onChain.add(`${root}/${committee}/${position}`);
        this.#sawAlive(data.target.epoch, validator);
      }
      first += members.length;
    }
  }
}

// One attestation of several committees' votes for the same data.
function attestation(data, entries) {
  const ordered = [...entries].sort((a, b) => a.committee - b.committee);
  const bits = ordered.flatMap(({ size, positions }) =>
    Array.from({ length: size }, (_, at) => positions.includes(at)),
  );
  const committeeBits = BitArray.fromBitLen(params.MAX_COMMITTEES_PER_SLOT);
  for (const { committee } of ordered) committeeBits.set(committee, true);
  return {
    aggregationBits: BitArray.fromBoolArray(bits),
    data,
    signature: aggregate(ordered.map((entry) => entry.signature)),
    committeeBits,
  };
}

const count = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
