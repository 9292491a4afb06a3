// Cures two defects of the execution engine that Lodestar 1.5.1 brings for development: preloaded
// with `node --import`, before Lodestar itself is.
//
// The engine knows no block, since it is given no genesis hash: every question about the chain is
// answered SYNCING, and no payload is ever built. And it leaves out `withdrawals`, which payloads
// have from capella on.

// By its path: the package does not export it.
import { ExecutionEngineMockBackend } from "./node_modules/@lodestar/beacon-node/lib/execution/engine/mock.js";

const GENESIS_BLOCK_HASH = `0x${"0b".repeat(32)}`; // of `lodestar dev`, unless it is told another
const engine = ExecutionEngineMockBackend.prototype;

function knowingGenesis(method) {
  return function (...given) {
    if (!this.validBlocks.has(GENESIS_BLOCK_HASH)) {
      this.validBlocks.set(GENESIS_BLOCK_HASH, {
        parentHash: `0x${"00".repeat(32)}`,
        blockHash: GENESIS_BLOCK_HASH,
        timestamp: 0,
        blockNumber: 0,
      });
    }
    return method.apply(this, given);
  };
}

// Its constructor binds these, so the class is what has to change.
engine.notifyNewPayload = knowingGenesis(engine.notifyNewPayload);
engine.notifyForkchoiceUpdate = knowingGenesis(engine.notifyForkchoiceUpdate);

const payloadOf = engine.getPayload;
engine.getPayload = function (id) {
  const payload = payloadOf.call(this, id);
  payload.withdrawals ??= [];
  return payload;
};
