#!/bin/sh
# Make a virtual environment with pip in it: venv.sh PYTHON DIRECTORY.
# Debian splits `ensurepip` off into a package of its own; as root it is installed here, otherwise the command is named.
set -eu
python=$1
venv=$2

command -v "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Python 3.11 or newer is needed: install python3.11, or say which with make PYTHON=..." >&2
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$python cannot make virtual environments: run 'apt-get install $package' as root first." >&2
        exit 1
    fi
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "$package" ca-certificates
fi
rm -rf "$venv"
"$python" -m venv "$venv"
