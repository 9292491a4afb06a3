// The transaction builder shows only the fields that the chosen action has.

const form = document.querySelector("form.filters");
const FIELDS = {
  deposit: ["amount", "days"],
  reactivate: ["amount", "days"],
  withdraw: ["amount"],
  liquidate: [],
};

function fit() {
  const wanted = FIELDS[form.elements.action.value] || ["amount", "days"];
  for (const name of ["amount", "days"]) {
    const field = form.elements[name];
    const isWanted = wanted.includes(name);
    field.closest("label").hidden = !isWanted;
    field.disabled = !isWanted; // then it is not sent
  }
}

// Either says how much: filling in one empties the other.
function choose(event) {
  const other = { amount: "days", days: "amount" }[event.target.name];
  if (other && event.target.value) form.elements[other].value = "";
}

if (form) {
  form.elements.action.addEventListener("change", fit);
  form.addEventListener("input", choose);
  fit();
}

// A call carries the cluster's snapshot, so it is void once the cluster changes.
const call = document.querySelector("[data-cluster]");
if (call && "EventSource" in window) {
  const stream = new EventSource(`/v1/stream?topics=cluster:${call.dataset.cluster}`);
  const expire = () => {
    stream.close();
    call.hidden = true;
    document.querySelector("#expired").hidden = false;
  };
  stream.addEventListener("event", expire);
  stream.addEventListener("reverted", expire);
  addEventListener("pagehide", () => stream.close());
}
