# shellcheck shell=bash
# What the machine itself must bring: a Python with headers, compilers, make, GMP. Sourced.
# Missing Debian packages are installed when root may, else named in one line to copy.

MINIMUM_PYTHON="3.11" # pyproject.toml, requires-python

say() { printf '==> %s\n' "$*"; }

stop() {
  printf '==> stopped: %s\n' "$*" >&2
  exit 1
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < tuple(map(int, sys.argv[1].split("."))))' \
    "$MINIMUM_PYTHON" >/dev/null 2>&1
}

# Prints the interpreter to use: PYTHON if given, else the first on PATH that is new enough.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if is_new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# need <package> <command...>: notes the package as missing when the command fails.
need() {
  local package="$1"
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_header() { echo "#include <$1>" | cc -E -; }

# Fills `python`, `python_version` and `missing`.
look_around() {
  missing=()
  python_version=""
  if python="$(find_python)"; then
    python_version="$("$python" -c 'import platform; print(platform.python_version())')"
    local short="${python_version%.*}"
    need "python$short-venv" "$python" -c 'import ensurepip, venv'
    need "python$short-dev" "$python" -c \
      'import pathlib, sysconfig; (pathlib.Path(sysconfig.get_path("include")) / "Python.h").stat()'
  else
    missing+=(python3 python3-venv python3-dev)
  fi
  need gcc command -v cc
  need g++ command -v c++
  need make command -v make
  need libgmp-dev has_header gmp.h # fastecdsa, through libp2p, has no Linux wheel
  if [[ -d "$root/tests/explorer" ]]; then
    need chromium command -v chromium
  fi
}

# Leaves `python` and `python_version` set, or stops with what to install.
prepare_machine() {
  look_around
  if ((${#missing[@]} > 0)) && [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
    say "machine: installing ${missing[*]} with apt-get"
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
    look_around
  fi
  if [[ -z "$python_version" ]]; then
    stop "no Python $MINIMUM_PYTHON or newer found (${PYTHON:-python3}). Install one:" \
      "apt-get install ${missing[*]}; or name one: make setup PYTHON=/path/to/python3"
  fi
  if ((${#missing[@]} > 0)); then
    stop "this machine lacks packages. As root, run: apt-get install ${missing[*]}"
  fi
  say "machine: Python $python_version, compilers, make, GMP and Chromium are here"
}
