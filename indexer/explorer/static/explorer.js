// What pages gain with scripts: they follow the chain, copy names, tell times as ages, take keys.
// Everything can be read without. Nothing is loaded from anywhere but this site.

// --- light and dark ---

const themeButton = document.querySelector(".theme");
if (themeButton) {
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Kept for this page only.
    }
  });
}

// --- times ---

const UNITS = [["year", 31536000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const ages = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });

function age(seconds) {
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || UNITS.at(-1);
  return ages.format(Math.trunc(seconds / size), unit);
}

// As the pages themselves write spans: the two largest units, if they stand next to each other.
function span(seconds) {
  const place = UNITS.findIndex(([, size]) => seconds >= size);
  if (place < 0) return "0 seconds";
  const word = (count, unit) => `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`;
  const [unit, size] = UNITS[place];
  const parts = [word(Math.floor(seconds / size), unit)];
  const [smaller, least] = UNITS[place + 1] || [];
  const rest = smaller && smaller !== "second" ? Math.floor((seconds % size) / least) : 0;
  if (rest) parts.push(word(rest, smaller));
  return parts.join(" ");
}

function tellTimes() {
  const now = Date.now();
  for (const each of document.querySelectorAll("time:not([data-exact])")) {
    each.title ||= each.textContent;
    const ahead = (Date.parse(each.dateTime) - now) / 1000;
    each.textContent = ahead > 0 ? `in ${span(ahead)}` : age(ahead);
  }
  const updated = document.querySelector("[data-updated]");
  if (updated) {
    const seconds = Math.max(0, Math.floor((now - Date.parse(updated.dataset.updated)) / 1000));
    updated.textContent = `updated ${seconds < 90 ? `${seconds} s ago` : age(-seconds)}`;
  }
}

// --- copying ---

function addCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const each of root.querySelectorAll(".name[title], [data-copy]")) {
    if (each.nextElementSibling?.classList.contains("copy")) continue;
    const text = each.dataset.copy || each.title;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-label", `Copy ${text.length > 24 ? `${text.slice(0, 10)}…` : text}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.classList.add("done");
      say("Copied.");
      setTimeout(() => button.classList.remove("done"), 1500);
    });
    each.after(button);
  }
}

// --- keys: / searches, j and k move through rows ---

const search = document.querySelector("#q");
const hint = document.querySelector(".search .hint");
if (hint) hint.hidden = false;

function moveRow(step) {
  const links = [...document.querySelectorAll("#main tbody tr")]
    .map((row) => row.querySelector("a[href]"))
    .filter(Boolean);
  if (!links.length) return;
  const row = document.activeElement?.closest?.("#main tbody tr");
  const place = row ? links.findIndex((link) => row.contains(link)) + step : step > 0 ? 0 : -1;
  links.at(Math.min(Math.max(place, row ? 0 : place), links.length - 1))?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    search?.focus();
    search?.select();
  } else if (event.key === "j") moveRow(1);
  else if (event.key === "k") moveRow(-1);
});

// --- news ---

const news = document.querySelector("#news");

function say(text, kind = "") {
  if (!news) return;
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  news.replaceChildren(line);
}

// Reorganisations stay to be seen until the page is left.
function sayReverted(block) {
  const frame = document.querySelector("#frame p:last-child");
  const badge = document.querySelector("#reorg") || document.createElement("span");
  badge.id = "reorg";
  badge.className = "badge warn";
  badge.textContent = `Reorganised above block ${block.toLocaleString("en")}`;
  frame?.prepend(badge);
  say(`The chain was reorganised: what was above block ${block.toLocaleString("en")} no longer holds.`, "warn");
  return badge;
}

// --- following the chain: the page asks for itself again and takes over what changed ---

let reorgBadge = null;
let isAsking = false;
let isBehind = false;
let isLost = false;

async function refresh() {
  if (isAsking) {
    isBehind = true;
    return;
  }
  isAsking = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-cache" });
    if (answer.ok) takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    say("New blocks cannot be loaded just now; the page tries again with the next one.", "warn");
  } finally {
    isAsking = false;
    if (isBehind) {
      isBehind = false;
      refresh();
    }
  }
}

function takeOver(fresh) {
  const main = document.querySelector("#main");
  const isEdited = main.contains(document.activeElement) && document.activeElement.closest("form");
  const focused = [...main.querySelectorAll("a, button, summary")].indexOf(document.activeElement);
  const open = [...main.querySelectorAll("details")].map((each) => each.open);
  for (const id of isEdited || main.dataset.keep !== undefined ? ["frame"] : ["frame", "main"]) {
    const now = fresh.getElementById(id);
    if (now) document.getElementById(id)?.replaceChildren(...now.childNodes);
  }
  const details = main.querySelectorAll("details");
  if (details.length === open.length) details.forEach((each, place) => (each.open = open[place]));
  if (reorgBadge) document.querySelector("#frame p:last-child")?.prepend(reorgBadge);
  enrich(main);
  if (focused >= 0) main.querySelectorAll("a, button, summary")[focused]?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("phalanx:refreshed"));
}

// A page's own script has put something new into it.
document.addEventListener("phalanx:replaced", () => enrich(document));

function enrich(root) {
  addCopyButtons(root);
  tellTimes();
}

// A browser has six connections to a site, so hidden pages give theirs back.
let stream = null;
let last = null;

function listen() {
  if (stream || document.hidden) return;
  const since = last ? `&since=${encodeURIComponent(last)}` : "";
  stream = new EventSource(`/v1/stream?topics=blocks${since}`);
  stream.addEventListener("block", (event) => {
    last = event.lastEventId || last;
    const { number } = JSON.parse(event.data).meta.block;
    if (number !== Number(document.body.dataset.live)) {
      document.body.dataset.live = number;
      refresh();
    }
  });
  stream.addEventListener("reverted", (event) => {
    last = event.lastEventId || last;
    reorgBadge = sayReverted(JSON.parse(event.data).to_block);
    refresh();
  });
  stream.addEventListener("reset", () => {
    last = null;
    refresh();
  });
  // The browser tries again by itself.
  stream.addEventListener("error", () => {
    isLost = true;
    say("The site does not answer, so what is shown may be old. The page goes on once it does.", "warn");
  });
  stream.addEventListener("open", () => {
    if (!isLost) return;
    isLost = false;
    news?.replaceChildren();
    refresh();
  });
}

function leave() {
  stream?.close();
  stream = null;
}

enrich(document);
setInterval(tellTimes, 1000);
if (document.body.dataset.live !== undefined && "EventSource" in window) {
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", listen);
  listen();
}
