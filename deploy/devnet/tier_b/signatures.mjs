// Making and checking signatures over objects of the chain.

import { Refused, blst, transition } from "./library.mjs";

const { Signature, aggregateSerializedSignatures, fastAggregateVerify } = blst;

export const INFINITY = Uint8Array.from({ length: 96 }, (_, at) => (at === 0 ? 0xc0 : 0));

// The root that is signed for an object of a slot.
export function signingRoot(chain, type, value, domainType, slot) {
  const domain = chain.config.getDomain(chain.head.state.slot, domainType, slot);
  return transition.computeSigningRoot(type, value, domain);
}

export const aggregate = (signatures) =>
  signatures.length ? aggregateSerializedSignatures(signatures).toBytes() : INFINITY;

// Throws unless the validators together made the signature.
export function check(chain, what, validators, root, signature) {
  const keys = validators.map((index) => {
    const key = chain.head.state.epochCtx.getPubkey(index);
    if (!key) throw new Refused(`${what}: there is no validator ${index}`);
    return key;
  });
  let isGood = false;
  try {
    isGood = keys.length > 0 && fastAggregateVerify(root, keys, Signature.fromBytes(signature), true);
  } catch (problem) {
    throw new Refused(`${what}: ${problem.message}`);
  }
  if (!isGood) throw new Refused(`${what}: the signature of ${validators.join(", ")} does not verify`);
}
