// The keyshares verifier: reads a file here, refuses secrets before anything is sent, sends only
// the public parts that a keyshares file has, and shows what the API finds.

const MOST_BYTES = 2 * 1024 * 1024; // what the API reads
const MOST_DEPTH = 32; // no keyshares file is nested deeper
const NAMES = new Set([
  "secret", "secrets", "seed", "seeds", "pwd", "passwd", "keystore", "keystores", "crypto",
  "ciphertext", "kdf", "privkey", "signingkey", "withdrawalkey",
]);
const ENDINGS = [
  "password", "passphrase", "privatekey", "secretkey", "mnemonic", "mnemonics", "seedphrase",
  "recoveryphrase",
];
const WORDS = new Set([12, 15, 18, 21, 24]); // of a mnemonic, BIP-39

// --- what must not leave this machine ---

function isSecretName(name) {
  const plain = name.toLowerCase().replace(/[-_. ]/g, "");
  return NAMES.has(plain) || ENDINGS.some((each) => plain.endsWith(each));
}

function isSecretText(text) {
  // Public keys have 96 digits, addresses 40; 64 are a private key's.
  if (/^(0x)?[0-9a-f]{64}$/i.test(text.trim())) return "a private key";
  if (/PRIVATE KEY/.test(text) || /PRIVATE KEY/.test(decoded(text))) return "a private key";
  const words = text.trim().split(/\s+/);
  if (WORDS.has(words.length) && words.every((each) => /^[a-z]{3,8}$/i.test(each))) return "a mnemonic";
  return null;
}

function decoded(text) {
  if (!/^[A-Za-z0-9+/\s]{40,}={0,2}\s*$/.test(text)) return "";
  try {
    return atob(text.replace(/\s/g, ""));
  } catch {
    return "";
  }
}

// What a document holds that its owner must keep, in words; null for nothing.
export function findSecret(document_) {
  const pending = [[document_, 0]];
  while (pending.length) {
    const [value, depth] = pending.pop();
    if (depth > MOST_DEPTH) return "a document nested too deeply to be looked through";
    if (typeof value === "string") {
      const found = isSecretText(value);
      if (found) return found;
    } else if (value && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) {
        if (!Array.isArray(value) && isSecretName(name)) return `a field named “${name.slice(0, 40)}”`;
        pending.push([inner, depth + 1]);
      }
    }
  }
  return null;
}

// --- what is public: these fields and no others ---

const OPERATOR = { id: null, operatorKey: null };
const ENTRY = {
  data: { ownerNonce: null, ownerAddress: null, publicKey: null, operators: [OPERATOR] },
  payload: { publicKey: null, operatorIds: null, sharesData: null },
};
const FILE = { version: null, createdAt: null, shares: [ENTRY] };

export function publicParts(value, shape = FILE) {
  if (Array.isArray(shape)) {
    return Array.isArray(value) ? value.map((each) => publicParts(each, shape[0])) : value;
  }
  if (shape === null || value === null || typeof value !== "object") return value;
  const kept = Object.entries(shape).filter(([name]) => Object.hasOwn(value, name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, publicParts(value[name], inner)]));
}

// --- the page ---

const form = document.querySelector("#verifier");
const verdict = document.querySelector("#verdict");

function make(name, kind, ...content) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...content);
  return made;
}

function tell(kind, title, text) {
  const lines = [make("p", "", make("strong", "", title))];
  if (text) lines.push(make("p", "", text));
  verdict.replaceChildren(make("div", `notice ${kind}`.trim(), ...lines));
}

function finding(each) {
  const isError = each.severity === "error";
  const badge = make("span", `badge ${isError ? "bad" : "warn"}`, isError ? "Error" : "Warning");
  const item = make("li", "", make("p", "", badge, ` ${each.message}`));
  const where = [each.where, each.code].filter(Boolean).join(" · ");
  item.append(make("p", "quiet", make("code", "", where), each.hint ? ` ${each.hint}` : ""));
  return item;
}

function show({ data, meta }) {
  const count = data.validators === 1 ? "1 validator" : `${data.validators} validators`;
  const at = `Against the registry at block ${meta.block.number.toLocaleString("en")}.`;
  const errors = data.findings.filter((each) => each.severity === "error").length;
  if (data.sound) tell("good", `${count}: sound, nothing stands against registering the file now.`, at);
  else tell("bad", `${count}: do not register this file, ${errors === 1 ? "1 error" : `${errors} errors`}.`, at);
  if (data.findings.length) verdict.append(make("ul", "findings", ...data.findings.map(finding)));
}

async function judge(file) {
  if (file.size > MOST_BYTES) {
    tell("bad", "The file is too large to be sent.", "Split it, or check it with the command below.");
    return;
  }
  let document_;
  try {
    document_ = JSON.parse(await file.text());
  } catch {
    tell("bad", "The file is no JSON.", "Nothing was sent. Choose the keyshares file of your key tool.");
    return;
  }
  const secret = findSecret(document_);
  if (secret) {
    tell(
      "bad",
      `Refused: the file holds ${secret}.`,
      "Nothing was sent; it has not left this machine. A keyshares file holds no secret, so this is another file.",
    );
    return;
  }
  tell("", "Checking…");
  const answer = await fetch("/v1/keyshares/verify", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(publicParts(document_)),
  });
  const told = await answer.json();
  if (answer.ok) show(told);
  else tell("bad", told.detail, told.hint);
}

if (form) {
  form.hidden = false;
  document.querySelector("#plain").hidden = true;
  const input = form.querySelector("#file");
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    try {
      await judge(input.files[0]);
    } catch {
      tell("bad", "The site does not answer.", "Try again in a moment, or check the file with the command below.");
    }
    input.value = ""; // so that the same file, mended, can be chosen again
  });
}
