#!/usr/bin/env bash
# Writes every lock anew from pyproject.toml and the package.json files. Versions that still fit
# are kept; UPGRADE=1 takes the newest that fit. Addresses never enter a lock, only hashes do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. deploy/toolchain/environment.sh
. deploy/toolchain/machine.sh

compile() {
  local lock="$1"
  shift
  say "lock: $lock"
  .venv-uv/bin/uv pip compile --quiet --universal --python-version "$MINIMUM_PYTHON" \
    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
    ${UPGRADE:+--upgrade} --output-file "$lock" "$@" >/dev/null
}

compile requirements/uv.txt --group uv
compile requirements/build.txt --group build
compile requirements/dev.txt pyproject.toml --all-extras --group dev
# Constrained by the development set, so that what is tested is what is deployed.
compile requirements/runtime.txt pyproject.toml --all-extras --constraint requirements/dev.txt
compile requirements/contracts.txt --group contracts
compile requirements/audit.txt --group audit

say "lock: package-lock.json"
npm install --package-lock-only --no-progress
say "lock: tests/scanner/package-lock.json"
(cd tests/scanner && npm install --package-lock-only --no-progress)
say "lock: deploy/devnet/lodestar/package-lock.json"
(cd deploy/devnet/lodestar && npm install --package-lock-only --no-progress)
say "lock: tests/consensus/pnpm-lock.yaml"
(cd tests/consensus && pnpm install --lockfile-only --reporter=append-only)
