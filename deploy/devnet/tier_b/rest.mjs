// The server: finds the route, reads JSON or SSZ, answers JSON, streams events.

import { createServer } from "node:http";
import { Refused, hex } from "./library.mjs";

const MAX_BODY_BYTES = 4 * 1024 * 1024; // a block with all it may hold is below one
const MAX_LISTENERS = 64;
const MAX_UNREAD_BYTES = 1024 * 1024; // a listener that does not read is let go
const SSZ = "application/octet-stream";

export class NotFound extends Error {}

class Answer {
  constructor(body, headers) {
    this.body = body; // bytes of SSZ, or what JSON can hold
    this.headers = headers;
  }
}

// An object of a fork: SSZ for those who ask for it first, else JSON with facts beside it.
export function answer(request, { fork, type, value, facts = {} }) {
  const headers = { "eth-consensus-version": fork };
  for (const [name, fact] of Object.entries(facts)) {
    headers[`eth-${name.replaceAll("_", "-")}`] = String(fact);
  }
  if (request.headers.accept?.startsWith(SSZ)) return new Answer(type.serialize(value), headers);
  return new Answer({ version: fork, ...facts, data: type.toJson(value) }, headers);
}

// What a route's function is given.
class Request {
  constructor(fields, query, headers, bytes) {
    this.fields = fields; // of the path, as texts
    this.query = query; // URLSearchParams
    this.headers = headers;
    this.bytes = bytes;
  }

  number(name) {
    const text = this.fields[name] ?? this.query.get(name);
    if (!/^\d{1,15}$/.test(text ?? "")) throw new Refused(`${name} is not a number: ${text}`);
    return Number(text);
  }

  data(name) {
    const text = this.query.get(name);
    if (!/^0x([0-9a-f]{2})+$/i.test(text ?? "")) throw new Refused(`${name} is not hex: ${text}`);
    return Uint8Array.from(Buffer.from(text.slice(2), "hex"));
  }

  json() {
    try {
      return JSON.parse(this.bytes.toString() || "null");
    } catch {
      throw new Refused("the body is no JSON");
    }
  }

  // The body as an object of this SSZ type.
  object(type) {
    try {
      return this.headers["content-type"]?.startsWith(SSZ)
        ? type.deserialize(this.bytes)
        : type.fromJson(this.json());
    } catch (problem) {
      throw new Refused(`the body is malformed: ${problem.message}`);
    }
  }

  // Hands each object of a list to `take`; those refused are told together.
  each(type, take) {
    const items = this.object(type);
    const failures = [];
    for (const [index, item] of items.entries()) {
      try {
        take(item);
      } catch (problem) {
        if (!(problem instanceof Refused)) throw problem;
        failures.push({ index, message: problem.message });
      }
    }
    if (failures.length) throw Object.assign(new Refused("some items were refused"), { failures });
  }
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Refused("the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function compile(routes) {
  return Object.entries(routes).map(([name, run]) => {
    const [method, path] = name.split(" ");
    const pattern = path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
    return { method, pattern: new RegExp(`^${pattern}$`), run };
  });
}

export class Server {
  // `routes`: "METHOD /path/{field}" → function of a Request, returning what JSON can hold.
  constructor(routes) {
    this.routes = compile(routes);
    this.listeners = new Map(); // response → topics
    this.http = createServer((request, response) => this.#answer(request, response));
  }

  listen(port) {
    return new Promise((resolve) => this.http.listen(port, "127.0.0.1", resolve));
  }

  emit(topic, value) {
    for (const [response, topics] of this.listeners) {
      if (!topics.has(topic)) continue;
      response.write(`event: ${topic}\ndata: ${JSON.stringify(value)}\n\n`);
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    }
  }

  async #answer(request, response) {
    const url = new URL(request.url, "http://localhost");
    try {
      const bytes = await bodyOf(request);
      if (url.pathname === "/eth/v1/events") return this.#listen(url, response);
      const route = this.#route(request.method, url.pathname);
      const given = new Request(route.fields, url.searchParams, request.headers, bytes);
      const found = route.run(given) ?? {};
      const { body, headers } = found instanceof Answer ? found : { body: found, headers: {} };
      send(response, 200, body, headers);
    } catch (problem) {
      const code =
        problem instanceof Refused ? 400 : problem instanceof NotFound ? 404 : problem.code ?? 500;
      if (code === 500) console.error(request.method, request.url, problem);
      const { message, failures } = problem;
      send(response, Number.isInteger(code) ? code : 500, { code, message, failures }, {});
    }
  }

  #route(method, path) {
    const found = this.routes.filter(({ pattern }) => pattern.test(path));
    const route = found.find((each) => each.method === method);
    if (found.length && !route) {
      throw Object.assign(new Error(`${path} does not take ${method}`), { code: 405 });
    }
    if (!route) throw new NotFound(`there is no route ${path}`);
    return { run: route.run, fields: route.pattern.exec(path).groups ?? {} };
  }

  #listen(url, response) {
    if (this.listeners.size >= MAX_LISTENERS) throw new Refused("too many listeners");
    const topics = url.searchParams.getAll("topics").flatMap((text) => text.split(","));
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    this.listeners.set(response, new Set(topics));
    response.on("close", () => this.listeners.delete(response));
  }
}

function send(response, status, body, headers) {
  const isSsz = body instanceof Uint8Array;
  response.writeHead(status, { "content-type": isSsz ? SSZ : "application/json", ...headers });
  response.end(isSsz ? body : JSON.stringify(body));
}

// Integers are decimal texts in the Beacon API.
export const text = (number) => (number === Infinity ? String(2n ** 64n - 1n) : String(number));
export const root = (bytes) => hex(bytes);
