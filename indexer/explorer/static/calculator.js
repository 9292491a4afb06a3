// The cost calculator answers while one types: the form's own address, asked for and taken over.

const form = document.querySelector("form.filters");
const PAUSE_MS = 350; // typing goes on
let timer = 0;
let asked = 0;

function address() {
  const pairs = [...new FormData(form)].filter(([, value]) => value.trim());
  const query = new URLSearchParams(pairs).toString();
  return query ? `${location.pathname}?${query}` : location.pathname;
}

async function calculate() {
  const mine = ++asked;
  const wanted = address();
  try {
    const answer = await fetch(wanted, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const result = fresh.getElementById("result");
    if (mine !== asked || !answer.ok || !result) return;
    document.getElementById("result").replaceChildren(...result.childNodes);
    document.dispatchEvent(new CustomEvent("phalanx:replaced"));
    history.replaceState(null, "", wanted);
  } catch {
    // The button still works, and says what is wrong.
  }
}

form?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(calculate, PAUSE_MS);
});
