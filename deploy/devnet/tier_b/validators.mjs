// The validators that the node itself runs: whole interop keys, all duties, nothing slashable, since
// each duty is done once and by the clock.

import { params, ssz, transition } from "./library.mjs";
import { signingRoot } from "./signatures.mjs";

const SUBCOMMITTEE = params.SYNC_COMMITTEE_SIZE / params.SYNC_COMMITTEE_SUBNET_COUNT;

export class Validators {
  constructor(chain, pools, count) {
    this.chain = chain;
    this.pools = pools;
    this.keys = Array.from({ length: count }, (_, index) => transition.interopSecretKey(index));
  }

  // At the slot's start.
  propose(slot) {
    const proposer = this.chain.stateAt(slot).epochCtx.getBeaconProposer(slot);
    if (slot === 0 || !this.keys[proposer]) return;
    const epoch = transition.computeEpochAtSlot(slot);
    const message = this.chain.produce(slot, {
      randaoReveal: this.#sign(proposer, ssz.Epoch, epoch, params.DOMAIN_RANDAO, slot),
      graffiti: new Uint8Array(32),
      feeRecipient: new Uint8Array(20),
      pools: this.pools,
    });
    const type = this.chain.types.BeaconBlock;
    const signature = this.#sign(proposer, type, message, params.DOMAIN_BEACON_PROPOSER, slot);
    this.chain.add({ message, signature });
  }

  // After a third of the slot: attestations and sync committee messages.
  vote(slot) {
    const data = this.chain.attestationData(slot);
    for (const { validatorIndex, committeeIndex } of this.#attesters(slot)) {
      const domain = params.DOMAIN_BEACON_ATTESTER;
      this.pools.addVote({
        committeeIndex,
        attesterIndex: validatorIndex,
        data,
        signature: this.#sign(validatorIndex, ssz.phase0.AttestationData, data, domain, slot),
      });
    }
    const beaconBlockRoot = this.chain.head.root;
    for (const validatorIndex of this.#syncMembers(slot).keys()) {
      const domain = params.DOMAIN_SYNC_COMMITTEE;
      const signature = this.#sign(validatorIndex, ssz.Root, beaconBlockRoot, domain, slot);
      this.pools.addSyncMessage({ slot, beaconBlockRoot, validatorIndex, signature });
    }
    this.voted = { slot, dataRoot: ssz.phase0.AttestationData.hashTreeRoot(data), beaconBlockRoot };
  }

  // After two thirds: one aggregate per committee and one contribution per subcommittee.
  aggregate(slot) {
    if (this.voted?.slot !== slot) return;
    const byCommittee = new Map(this.#attesters(slot).map((duty) => [duty.committeeIndex, duty]));
    for (const [committee, { validatorIndex }] of byCommittee) {
      const selectionProof = this.#sign(
        validatorIndex, ssz.Slot, slot, params.DOMAIN_SELECTION_PROOF, slot,
      );
      const aggregate = this.pools.aggregateOf(this.voted.dataRoot, committee);
      const message = { aggregatorIndex: validatorIndex, aggregate, selectionProof };
      const type = ssz.electra.AggregateAndProof;
      const domain = params.DOMAIN_AGGREGATE_AND_PROOF;
      const signature = this.#sign(validatorIndex, type, message, domain, slot);
      this.pools.addAggregate({ message, signature });
    }
    const bySubcommittee = new Map();
    for (const [validator, positions] of this.#syncMembers(slot)) {
      for (const at of positions) bySubcommittee.set(Math.floor(at / SUBCOMMITTEE), validator);
    }
    for (const [subcommittee, validator] of bySubcommittee) {
      this.#contribute(slot, subcommittee, validator);
    }
  }

  #contribute(slot, subcommitteeIndex, aggregatorIndex) {
    const selectionProof = this.#sign(
      aggregatorIndex,
      ssz.altair.SyncAggregatorSelectionData,
      { slot, subcommitteeIndex },
      params.DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF,
      slot,
    );
    const { beaconBlockRoot } = this.voted;
    const contribution = this.pools.contributionOf(slot, beaconBlockRoot, subcommitteeIndex);
    const message = { aggregatorIndex, contribution, selectionProof };
    const type = ssz.altair.ContributionAndProof;
    const domain = params.DOMAIN_CONTRIBUTION_AND_PROOF;
    const signature = this.#sign(aggregatorIndex, type, message, domain, slot);
    this.pools.addContribution({ message, signature });
  }

  #attesters(slot) {
    const { epochCtx } = this.chain.stateAt(slot);
    const own = [...this.keys.keys()];
    const duties = epochCtx.getCommitteeAssignments(transition.computeEpochAtSlot(slot), own);
    return [...duties.values()].filter((duty) => duty.slot === slot);
  }

  #syncMembers(slot) {
    const epoch = transition.computeEpochAtSlot(slot + 1);
    const { epochCtx } = this.chain.stateAt(slot);
    const { validatorIndexMap } = epochCtx.getIndexedSyncCommitteeAtEpoch(epoch);
    return new Map([...validatorIndexMap].filter(([validator]) => this.keys[validator]));
  }

  #sign(validator, type, value, domainType, slot) {
    const root = signingRoot(this.chain, type, value, domainType, slot);
    return this.keys[validator].sign(root).toBytes();
  }
}
