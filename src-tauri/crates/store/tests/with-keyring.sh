#!/bin/sh
# Runs a program in a session of its own with an unlocked keyring, both gone when it ends:
#   with-keyring.sh FOLDER PROGRAM [ARGUMENT...]
# The home folder and the keyring are in FOLDER, so a second run on it is the next login.
set -eu
home=$1
shift
mkdir -p "$home"
mkdir -p -m 700 "$home/run"
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL
export HOME="$home" XDG_RUNTIME_DIR="$home/run" XDG_DATA_HOME="$home/data" \
    XDG_CONFIG_HOME="$home/config" XDG_CACHE_HOME="$home/cache"
# shellcheck disable=SC2016
exec dbus-run-session -- sh -c '
    echo login | gnome-keyring-daemon --unlock --components=secrets >"$HOME/keyring.log" 2>&1
    exec "$@"' sh "$@"
