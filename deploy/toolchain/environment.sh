# shellcheck shell=bash
# The variables under which every tool of this repository runs; sourced, never executed.
# Whatever the machine says about proxies, certificates and registries stays as it is.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# .venv/bin also holds node, npm, pnpm, anvil, forge and cast: no system Node is needed.
export PATH="$root/.venv/bin:$PATH"
# py-solc-x and ape-solidity take compilers from here and download none.
export SOLCX_BINARY_PATH="$root/.venv/solc"
# node-gyp builds against these headers and downloads none.
export npm_config_nodedir="$root/.venv/nodejs"
export UV_PYTHON_DOWNLOADS=never
# A machine that reaches PyPI through a mirror has said so for pip; uv reads another name.
if [[ -n "${PIP_INDEX_URL:-}" ]]; then
  export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
fi
# An active environment of the caller would otherwise be the one uv changes.
unset VIRTUAL_ENV
