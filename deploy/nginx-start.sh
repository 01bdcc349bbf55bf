#!/bin/sh
# Runs nginx, and has it read its configuration again whenever the instances behind the name `api` have changed: nginx itself looks a name
# up only once, while an instance that is replaced may come back under another address. Reading again cuts no request off.
instances() { getent ahosts api | cut -d ' ' -f 1 | sort -u; }

known=$(instances)
while sleep 1; do
  found=$(instances)
  if [ -n "$found" ] && [ "$found" != "$known" ]; then
    known=$found
    kill -HUP 1
  fi
done &
exec nginx -e /dev/stderr -g 'daemon off;'
