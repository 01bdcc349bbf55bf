#!/bin/sh
# Runs nginx, and has it read its configuration again whenever an instance has come up under an address that it does not know: nginx itself looks
# the name `api` up only once. One that is gone needs nothing, nginx passes it over by itself.
instances() { getent ahosts api | cut -d ' ' -f 1 | sort -u; }

knows_all() {
  for address in $1; do
    case " $known " in *" $address "*) ;; *) return 1 ;; esac
  done
}

known=$(instances | tr '\n' ' ')
while sleep 1; do
  found=$(instances | tr '\n' ' ')
  knows_all "$found" && continue
  # Reading it again closes idle connections of clients, who may be sending on them at that moment. So those who are busy are first told, with
  # their next answer, to take a new one.
  : >/tmp/closing
  sleep 1
  kill -HUP 1
  known=$found
  sleep 1
  rm -f /tmp/closing
done &
exec nginx -e /dev/stderr -g 'daemon off;'
