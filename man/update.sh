#!/bin/sh
# Writes the man pages and the reference part of docs/cli.md anew, from the tables of the commands:
#     man/update.sh build/theater
set -eu
theater=$(realpath "$1")
cd "$(dirname "$0")"
"$theater" help --format man > theater.1
for command in $("$theater" help | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
    "$theater" help --format man "$command" > "theater-$command.1"
done
page=../docs/cli.md
sed '/^<!-- From here on/q' "$page" > "$page.new"
"$theater" help --format markdown >> "$page.new"
mv "$page.new" "$page"
