#!/usr/bin/env bash
# From a clean clone to a built, tested or running Espalier.
#
#   ./bootstrap.sh         install what is missing, configure, build into build/
#   ./bootstrap.sh demo    the same, then train examples/digits on four ranks
#   ./bootstrap.sh test    the same, then pass all tests
#   ./bootstrap.sh asan    build into build-asan/ with address and undefined-behaviour sanitizers, and pass all tests
#
# On Debian and its relatives what is missing is installed by apt (as root, or through sudo); elsewhere it is named.
# PRESET (default release) names the preset of CMakePresets.json.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

packages=(
    gcc libc6-dev cmake ninja-build pkg-config flex bison
    llvm-19-dev libdnnl-dev libcjson-dev libexpat1-dev zlib1g-dev
)
test_packages=(libcmocka-dev libglpk-dev gdb jq neovim mandoc)

say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "'$*' needs root: run it as root, then ./bootstrap.sh again"
    fi
}

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -q '^installed$'
}

install_missing() {
    local missing=() name
    if ! command -v apt-get >/dev/null; then
        say "not a Debian system; needed are the libraries and tools of these Debian packages: $*"
        return 0
    fi
    for name in "$@"; do is_installed "$name" || missing+=("$name"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

configure_and_build() {
    cmake --preset "$1" "${@:2}" >/dev/null || die "configuring failed: run 'cmake --preset $1' to see why"
    cmake --build --preset "$1"
}

run_tests() {
    ctest --preset "$1" --output-on-failure
}

preset=${PRESET:-release}
word=${1:-build}
case $word in
build)
    install_missing "${packages[@]}"
    configure_and_build "$preset" -DESPALIER_TESTS=OFF
    ;;
demo)
    install_missing "${packages[@]}"
    configure_and_build "$preset" -DESPALIER_TESTS=OFF
    build/espalier run examples/digits/digits.plan:ring4
    say "next: build/espalier explain examples/digits/digits.plan:ring4, then change the plan and run it again"
    ;;
test)
    install_missing "${packages[@]}" "${test_packages[@]}"
    configure_and_build "$preset" -DESPALIER_TESTS=ON
    run_tests "$preset"
    ;;
asan)
    install_missing "${packages[@]}" "${test_packages[@]}"
    configure_and_build asan
    run_tests asan
    ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
