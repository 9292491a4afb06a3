// Makes the registry build of the Solidity compiler look like the native program.
//
// py-solc-x, ape-solidity, forge and slither run an executable named `solc-v<version>`; no package
// registry carries one, only this WebAssembly build. Understood: `--version`, and
// `--standard-json [file]` with `--base-path`, `--include-path` and `--allow-paths`. Anything else
// exits 1, so that no caller believes in an option that did nothing.

"use strict";

const fs = require("node:fs");
const path = require("node:path");

const PATH_OPTIONS = new Set(["--base-path", "--include-path", "--allow-paths"]);

function fail(reason) {
  process.stderr.write(`solc wrapper: ${reason}. Use --version or --standard-json [file].\n`);
  process.exit(1);
}

/** The call as values; ends the process for anything not understood. */
function readArguments(words) {
  const call = { mode: null, inputFile: 0, roots: [] };
  const queue = [...words];
  while (queue.length > 0) {
    const word = queue.shift();
    const [option, inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    if (PATH_OPTIONS.has(option)) {
      const value = inline ?? queue.shift();
      if (value === undefined) fail(`${option} needs a value`);
      if (option === "--base-path") call.roots.unshift(value);
      if (option === "--include-path") call.roots.push(value);
    } else if (word === "--version" || word === "--standard-json") {
      call.mode = word;
    } else if (call.mode === "--standard-json" && word === "-") {
      call.inputFile = 0;
    } else if (call.mode === "--standard-json" && !word.startsWith("-")) {
      call.inputFile = word;
    } else {
      fail(`unknown argument ${word}`);
    }
  }
  if (call.mode === null) fail("nothing to do");
  return call;
}

/** Finds a source unit under the base path, the include paths, then the working directory. */
function importFrom(roots) {
  return (unit) => {
    for (const root of [...roots, process.cwd()]) {
      const candidate = path.resolve(root, unit);
      if (fs.existsSync(candidate)) return { contents: fs.readFileSync(candidate, "utf8") };
    }
    return { error: `File not found: ${unit}` };
  };
}

const call = readArguments(process.argv.slice(2));
const solc = require("solc");
if (call.mode === "--version") {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else {
  const input = fs.readFileSync(call.inputFile, "utf8");
  process.stdout.write(`${solc.compile(input, { import: importFrom(call.roots) })}\n`);
}
