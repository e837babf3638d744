#!/bin/sh
# Writes every lock file from its .in file, all with the same pins. `make lock` calls it, with uv on the PATH.
# Pins that still fit are kept; `make lock UPGRADE=1` takes the newest.
set -eu
cd "$(dirname "$0")"
pins=$(mktemp) new=$(mktemp)
trap 'rm -f "$pins" "$new"' EXIT

# Markers for every platform and every Python from 3.11, so one lock serves a laptop and the image.
options="-q --no-config --universal --python-version 3.11 --no-annotate"
export UV_CUSTOM_COMPILE_COMMAND="make lock"

if [ -z "${UPGRADE:-}" ]; then cat dev.txt mysql.txt > "$pins"; fi
uv pip compile $options dev.in production.in -o "$pins"

lock() {  # file.in file.txt [option…]
    in=$1 out=$2
    shift 2
    : > "$new"
    uv pip compile $options "$@" --generate-hashes -c "$pins" "$in" -o "$new"
    cat "$new" > "$out"
}
# A package without a wheel would need a compiler, and base must not.
lock base.in base.txt --only-binary :all:
lock mysql.in mysql.txt
lock dev.in dev.txt
lock production.in ../requirements.txt
