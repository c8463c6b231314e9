#!/bin/sh
# Paint a photograph like an artwork, which is a file or a name of GET /styles:
#
#     examples/clients/stylize.sh PHOTO ARTWORK OUT [OPTION=VALUE...]
#     examples/clients/stylize.sh photo.jpg stained-glass painted.png size=512 strength=0.6
#
# API_URL says where the service is, API_KEY is a key if it asks for one.
set -eu
[ $# -ge 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
photo=$1 artwork=$2 out=$3
shift 3
for option in "$@"; do # each of them becomes a field of the form
    set -- "$@" --form-string "$option"
    shift
done
if [ -f "$artwork" ]; then
    set -- "$@" -F "style=@\"$artwork\""
else
    set -- "$@" --form-string "style_name=$artwork"
fi
answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

# --retry sends it again when the service is busy (429, 503), as many seconds later as Retry-After says.
# The key comes by standard input: others can see the arguments of a process.
status=$(
    if [ -n "${API_KEY:-}" ]; then echo "Authorization: Bearer $API_KEY"; fi |
        curl --silent --show-error --header @- --retry 4 --retry-max-time 300 --max-time 130 \
            --form "content=@\"$photo\"" "$@" \
            --dump-header "$answer/head" --output "$answer/body" --write-out '%{http_code}' \
            "${API_URL:-http://127.0.0.1:8080}/stylize"
)
if [ "$status" != 200 ]; then
    echo "The service answered $status:" >&2
    cat "$answer/body" >&2 # problem+json: its "detail" says what to change
    echo >&2
    exit 1
fi
mv "$answer/body" "$out"
grep -i -E '^(x-stylize-|x-request-id|server-timing)' "$answer/head" | tr -d '\r'
