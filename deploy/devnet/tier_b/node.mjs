// A beacon node for tests at electra or fulu rules: Lodestar's state transition behind a REST server.
//
//     LODESTAR_PRESET=minimal node node.mjs --fork fulu --genesis-time 1700000000 --slot-seconds 2 \
//       --validators 64 --inside 32 --port 9596
//
// What it is not: it has no peers, no fork choice and no reorganisations, keeps nothing on disk, and
// nobody executes its payloads. A block is either valid on top of the newest one, or refused. The
// rules and all signatures are judged by Lodestar's code; pools, clock and routes are ours.

import { parseArgs } from "node:util";
import { Chain } from "./chain.mjs";
import { genesis } from "./genesis.mjs";
import { Refused, hex, params, transition } from "./library.mjs";
import { Pools } from "./pools.mjs";
import { Server, root, text } from "./rest.mjs";
import { routesOf } from "./routes.mjs";
import { Validators } from "./validators.mjs";

const { values } = parseArgs({
  options: {
    fork: { type: "string", default: "fulu" },
    "genesis-time": { type: "string" },
    "slot-seconds": { type: "string", default: "2" },
    validators: { type: "string", default: "64" },
    inside: { type: "string", default: "32" },
    port: { type: "string", default: "9596" },
  },
});
const { fork } = values;
const given = {
  fork,
  genesisTime: Number(values["genesis-time"]),
  slotSeconds: Number(values["slot-seconds"]),
  validators: Number(values.validators),
};
const chain = new Chain({ ...genesis(given), fork });
const pools = new Pools(chain);
const validators = new Validators(chain, pools, Number(values.inside));
const server = new Server(routesOf(chain, pools));

chain.on("head", (head) => {
  const epoch = transition.computeEpochAtSlot(head.slot);
  console.log(`head: slot ${head.slot}, root ${hex(head.root)}`);
  server.emit("head", {
    slot: text(head.slot),
    block: root(head.root),
    state: root(head.stateRoot),
    epoch_transition: head.isNewEpoch,
    previous_duty_dependent_root: root(chain.decisionRoot(epoch)),
    current_duty_dependent_root: root(chain.decisionRoot(epoch + 1)),
    execution_optimistic: false,
  });
  server.emit("block", { slot: text(head.slot), block: root(head.root), execution_optimistic: false });
});
chain.on("finalized", (checkpoint) => {
  console.log(`finalized: epoch ${checkpoint.epoch}`);
  server.emit("finalized_checkpoint", {
    block: root(checkpoint.root),
    state: root(checkpoint.stateRoot),
    epoch: text(checkpoint.epoch),
    execution_optimistic: false,
  });
});

const THIRDS = [
  (slot) => validators.propose(slot),
  (slot) => validators.vote(slot),
  (slot) => validators.aggregate(slot),
];

// Three steps a slot; one that fails, for want of a block perhaps, is told and does not end the rest.
async function tick() {
  const third = chain.slotMs / THIRDS.length;
  let step = Math.max(0, Math.ceil((Date.now() - chain.genesisMs) / third));
  for (;;) {
    const at = chain.genesisMs + step * third;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
    try {
      THIRDS[step % THIRDS.length](Math.floor(step / THIRDS.length));
    } catch (problem) {
      console.error(problem instanceof Refused ? problem.message : problem);
    }
    step += 1;
  }
}

await server.listen(Number(values.port));
console.log(`serving ${fork}, ${params.ACTIVE_PRESET} preset, on port ${values.port}`);
process.on("SIGTERM", () => process.exit(0));
await tick();
