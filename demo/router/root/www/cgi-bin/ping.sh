#!/bin/sh
# What the caller names goes into a shell command.
echo "Content-type: text/plain"
echo
host=$(echo "$QUERY_STRING" | sed 's/.*host=//')
eval "ping -c 1 $host"
