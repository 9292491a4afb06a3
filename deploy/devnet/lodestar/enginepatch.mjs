// Cures three defects of the execution engine that Lodestar 1.5.1 brings for development: preloaded
// with `node --import`, before Lodestar itself is.
//
// The engine knows no block, since it is given no genesis hash; and none again after a restart, since
// it is memory: every question about the chain is answered SYNCING, and no payload is ever built. So
// it takes every block that is named to it for known, as one with a disk would. And it leaves out
// `withdrawals`, which payloads have from capella on.

// By its path: the package does not export it.
import { ExecutionEngineMockBackend } from "./node_modules/@lodestar/beacon-node/lib/execution/engine/mock.js";

const engine = ExecutionEngineMockBackend.prototype;

function knowing(method, named) {
  return function (first, ...others) {
    for (const blockHash of named(first)) {
      if (!this.validBlocks.has(blockHash)) {
        this.validBlocks.set(blockHash, {
          parentHash: `0x${"00".repeat(32)}`,
          blockHash,
          timestamp: 0,
          blockNumber: 0,
        });
      }
    }
    return method.call(this, first, ...others);
  };
}

// Its constructor binds these, so the class is what has to change.
engine.notifyNewPayload = knowing(engine.notifyNewPayload, (payload) => [payload.parentHash]);
engine.notifyForkchoiceUpdate = knowing(engine.notifyForkchoiceUpdate, (state) => [
  state.headBlockHash,
  state.finalizedBlockHash,
]);

const payloadOf = engine.getPayload;
engine.getPayload = function (id) {
  const payload = payloadOf.call(this, id);
  payload.withdrawals ??= [];
  return payload;
};
